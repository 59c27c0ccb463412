//! The module's own functions as they are in the source, each line with what was executed of it.
//!
//! A function is there once, wherever it was inlined. Functions of headers are not shown: the lines that call them are.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::bar;
use crate::{
    coverage::{Count, ImageCoverage, ModuleCoverage},
    reasons::Reasons,
    source::{LineCoverage, Standing, Texts, reach},
};

/// Longest function whose text is shown from its first line to its last. The kernel's have hundreds of lines at most.
const LONGEST: usize = 2000;
/// How many lines may lie between the beginning of a function and its first line with code.
const FIRST_CODE: usize = 200;

/// The lines of a file that have code, by their numbers.
type Lines<'l, 'b> = BTreeMap<usize, &'l LineCoverage<'b>>;

/// What is needed besides the lines.
struct Shown<'p> {
    kernel: &'p str,
    module: &'p str,
    reasons: &'p Reasons,
}

/// The functions of a module, in the order of its files.
pub(super) fn functions(
    image: (&str, &ImageCoverage),
    module: (&str, &ModuleCoverage),
    reasons: &Reasons,
    texts: &Texts,
) -> Markup {
    let shown = Shown { kernel: &image.1.kernel, module: module.0, reasons };
    let lines = module.1.lines();
    let mut files: BTreeMap<&str, Lines<'_, '_>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.is_own()) {
        files.entry(&line.at.file).or_default().insert(number(line), line);
    }
    html! {
        @for (file, lines) in &files {
            @let text = texts.of(image.0, file);
            h3 { (file) }
            @for own in by_function(lines) { (shown.function(&own, lines, text.as_deref())) }
        }
    }
}

/// The lines of each function of a file, in the order of their first lines.
fn by_function<'l, 'b>(lines: &Lines<'l, 'b>) -> Vec<Vec<&'l LineCoverage<'b>>> {
    let mut functions: BTreeMap<&str, Vec<&LineCoverage<'_>>> = BTreeMap::new();
    for line in lines.values() {
        functions.entry(&line.at.function).or_default().push(line);
    }
    let mut functions: Vec<_> = functions.into_values().collect();
    functions.sort_by_key(|own| own.first().map(|line| line.at.line));
    functions
}

/// The first and the last line of a function in its text, by its lines with code. Where the text is another one, and the
/// function is not there, those are all.
fn extent(text: &[&str], name: &str, first: usize, last: usize) -> (usize, usize) {
    let call = format!("{name}(");
    let is_of_a_name = |it: char| it.is_alphanumeric() || it == '_';
    let line = |number: usize| text.get(number - 1).copied().unwrap_or_default();
    let opens = |number: &usize| {
        let line = line(*number);
        let mut names = line.match_indices(&call);
        let declares = names.any(|(at, _)| !line[..at].ends_with(is_of_a_name));
        declares && line.starts_with(is_of_a_name) && !line.ends_with(';')
    };
    let closes = |number: &usize| line(*number).starts_with('}');
    let begin = (first.saturating_sub(FIRST_CODE).max(1)..=first).rev().find(opens);
    match begin {
        Some(begin) => (begin, (last..begin + LONGEST).find(closes).unwrap_or(last)),
        None => (first, last),
    }
}

impl Shown<'_> {
    fn function(
        &self,
        own: &[&LineCoverage<'_>],
        lines: &Lines<'_, '_>,
        text: Option<&[&str]>,
    ) -> Markup {
        let (Some(first), Some(last)) = (own.first(), own.last()) else { return html! {} };
        let reach = reach(own.iter().copied(), self.reasons, self.kernel, self.module);
        let (name, numbers) = (&first.at.function, (number(first), number(last)));
        // A text that is too short is another kernel's.
        let text = text.filter(|text| text.len() >= numbers.1);
        let rows = match text {
            Some(text) => self.with_text(name, numbers, lines, text),
            None => self.with_numbers(own),
        };
        let Count { executed, all } = reach.count;
        html! {
            details.source {
                summary {
                    (bar(all, [("done", executed - reach.partly), ("part", reach.partly), ("why", reach.explained)]))
                    (name) span.where { (first.at.line) "–" (last.at.line) }
                    span.count { (executed) " of " (all) " lines" }
                }
                div.text { (rows) }
            }
        }
    }

    fn with_text(
        &self,
        name: &str,
        (first, last): (usize, usize),
        lines: &Lines<'_, '_>,
        text: &[&str],
    ) -> Markup {
        let (begin, end) = extent(text, name, first, last);
        let mut before = String::new();
        html! {
            @for number in begin..=end.min(begin + LONGEST) {
                @let text = text.get(number - 1).copied().unwrap_or_default();
                @match lines.get(&number) {
                    Some(line) => (self.line(line, Some(text), &mut before)),
                    None => div.line { span.n { (number) } code { (text) } },
                }
            }
        }
    }

    fn with_numbers(&self, own: &[&LineCoverage<'_>]) -> Markup {
        let mut before = String::new();
        html! { @for line in own { (self.line(line, None, &mut before)) } }
    }

    /// A line with code. What was said of the line before is not said again.
    fn line(&self, line: &LineCoverage<'_>, text: Option<&str>, before: &mut String) -> Markup {
        let Count { executed, all } = line.count();
        let (class, said) = match line.standing(self.reasons, self.kernel, self.module) {
            Standing::Executed => ("done", reached(line)),
            Standing::Partly => ("part", reached(line)),
            Standing::Unreachable(why) => ("why", why.to_owned()),
            Standing::Open => ("open", String::new()),
        };
        let title = match class {
            "part" | "open" => format!("{said}\nnot executed: {}", open(line)),
            _ => said.clone(),
        };
        let is_new = *before != said;
        before.clone_from(&said);
        html! {
            div class={ "line " (class) } title=(title.trim_start()) {
                span.n { (line.at.line) }
                code { (text.unwrap_or_default()) }
                span.said {
                    @if class == "part" { b { (executed) "/" (all) } " " }
                    @if is_new { (said) }
                }
            }
        }
    }
}

fn number(line: &LineCoverage<'_>) -> usize {
    line.at.line.get() as usize
}

/// The shortest scenario that reaches a line.
fn reached(line: &LineCoverage<'_>) -> String {
    let reached = line.shortest();
    reached.map(|it| format!("{}, {:.1} s", it.scenario, it.seconds)).unwrap_or_default()
}

/// The blocks of a line that were not executed.
fn open(line: &LineCoverage<'_>) -> String {
    let open = line.blocks.iter().filter(|block| block.shortest.is_none());
    let places: Vec<String> =
        open.map(|block| format!("{}+{:#x}", block.function, block.at)).collect();
    places.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_found_in_its_text() {
        let text = [
            "int other(void);",          // 1
            "static int",                // 2
            "own(int a, /* first */",    // 3
            "    int b)",                // 4
            "{",                         // 5
            "\tif (own(a - 1, b))",      // 6
            "\t\treturn 1;",             // 7
            "}",                         // 8
            "static int more(int a) {}", // 9
        ];
        assert_eq!(extent(&text, "own", 6, 7), (3, 8));
        assert_eq!(extent(&text, "elsewhere", 6, 7), (6, 7));
        assert_eq!(extent(&text, "other", 1, 1), (1, 1));
        assert_eq!(extent(&text, "n", 6, 7), (6, 7));
        assert_eq!(extent(&text, "more", 9, 12), (9, 12));
    }
}
