//! The comparison as a page, without scripts or external resources.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sansim_stage::visible;

use super::{Comparison, Happening, Row};
use crate::html::STYLE;

/// The complete HTML page of one comparison, or of those of two suites.
pub fn page(all: &[Comparison]) -> String {
    let title = match all {
        [one] => format!("{} and {}", one.runs[0], one.runs[1]),
        all => format!("{} stories, compared", all.len()),
    };
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                @if all.len() != 1 { (contents(all)) }
                @for (number, comparison) in all.iter().enumerate() { (comparison.section(number)) }
            }
        }
    };
    visible(&markup.into_string()).into_owned()
}

fn contents(all: &[Comparison]) -> Markup {
    html! {
        h1 { (all.len()) " stories, compared" }
        table.both {
            tr { th { "story" } th { "A" } th { "B" } }
            @for (number, comparison) in all.iter().enumerate() {
                @let [a, b] = comparison.verdicts();
                tr class=[comparison.differs().then_some("bad")] {
                    td { a href={ "#s" (number) } { (comparison.story) } }
                    td { (a) }
                    td { (b) }
                }
            }
        }
    }
}

impl Comparison {
    fn section(&self, number: usize) -> Markup {
        let [a, b] = &self.runs;
        html! {
            h1 id={ "s" (number) } { (self.story) ", compared" }
            table.both {
                tr { th {} th { "A: " (a) } th { "B: " (b) } }
                @for row in &self.facts { (of_row(row)) }
            }
            p { (self.in_common) " of " (self.happenings[0]) " (A) and " (self.happenings[1])
                " (B) things that happened are in common." }
            (self.difference())
            @if !self.expectations.is_empty() {
                h2 { "Expectations that differ" }
                table.both { @for row in &self.expectations { (of_row(row)) } }
            }
            @if self.log.iter().any(|log| !log.is_empty()) {
                h2 { "In the log of only one" }
                (side_by_side(&self.log))
            }
        }
    }

    fn difference(&self) -> Markup {
        html! {
            @if self.first_difference.iter().all(Vec::is_empty) {
                p { "Nothing that tells something differs." }
            } @else {
                h2 { "The last in common" }
                table.story {
                    @for [a, b] in &self.before {
                        tr {
                            td.number { (time(a)) }
                            td.number { (time(b)) }
                            td { (words(a)) }
                        }
                    }
                }
                h2 { "The first difference, and what followed" }
                (side_by_side(&self.first_difference))
            }
        }
    }
}

fn side_by_side(both: &[Vec<Happening>; 2]) -> Markup {
    html! {
        table.sides {
            tr { th { "A" } th { "B" } }
            tr {
                @for side in both {
                    td { table.story {
                        @for it in side { tr { td.number { (time(it)) } td { (words(it)) } } }
                        @if side.is_empty() { tr { td { "nothing" } } }
                    } }
                }
            }
        }
    }
}

fn of_row(row: &Row) -> Markup {
    html! {
        tr class=[row.differs().then_some("bad")] {
            th { (row.name) }
            @for value in &row.values { td { (value) } }
        }
    }
}

fn time(it: &Happening) -> String {
    format!("{:.3} s", it.t)
}

fn words(it: &Happening) -> String {
    match it.count {
        1 => it.text.clone(),
        count => format!("{} ×{count}", it.text),
    }
}
