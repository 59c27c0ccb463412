//! The coverage as a web page, without scripts or external resources.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{
    coverage::{BlockCoverage, Count, Coverage, ImageCoverage},
    reasons::{Reach, Reasons},
};

const STYLE: &str = include_str!("coverage.css");

/// The whole page.
pub fn page(coverage: &Coverage, reasons: &Reasons) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "Coverage of the kernel's multipath modules" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Coverage of the kernel's multipath modules" }
                p.key {
                    span.done { "executed; the shortest scenario that reaches it" }
                    span.open { "not executed" }
                    span.why { "not reachable, with the reason" }
                }
                (overview(coverage, reasons))
                @for (name, image) in &coverage.images { (of_image(name, image, reasons)) }
            }
        }
    };
    page.into_string()
}

/// A row a module, a column an image.
fn overview(coverage: &Coverage, reasons: &Reasons) -> Markup {
    let mut modules: Vec<&String> =
        coverage.images.values().flat_map(|image| image.modules.keys()).collect();
    modules.sort();
    modules.dedup();
    html! {
        table {
            tr {
                th { "module" }
                @for (name, image) in &coverage.images {
                    th colspan="3" {
                        (name) ", " (image.kernel) ", " (image.runs) @if image.runs == 1 { " run" } @else { " runs" }
                        @if image.lost > 0 { "; " (image.lost) " translations were not recorded" }
                    }
                }
            }
            @for module in modules {
                tr {
                    td { (module) }
                    @for (name, image) in &coverage.images {
                        @match image.modules.get(module) {
                            Some(of_module) => {
                                @let reach = reasons.reach(&image.kernel, module, &of_module.blocks);
                                td { a href={ "#" (name) "-" (module) } { (bar(reach)) } }
                                td.number { (reach.count.executed) " of " (reach.count.all) }
                                td.number { (percent(reach.reachable())) " of the reachable" }
                            }
                            None => td colspan="3" { "not in this kernel" }
                        }
                    }
                }
            }
        }
    }
}

fn of_image(name: &str, image: &ImageCoverage, reasons: &Reasons) -> Markup {
    html! {
        @for (module, of_module) in &image.modules {
            h2 id={ (name) "-" (module) } { (module) " on " (name) }
            @for function in of_module.functions() {
                (of_function(function, &|blocks| reasons.reach(&image.kernel, module, blocks), &|block| {
                    reasons.of(&image.kernel, module, block).map(|reason| reason.why.as_str())
                }))
            }
        }
    }
}

fn of_function<'r>(
    blocks: &[BlockCoverage],
    reach: &dyn Fn(&[BlockCoverage]) -> Reach,
    why: &dyn Fn(&BlockCoverage) -> Option<&'r str>,
) -> Markup {
    let Some(first) = blocks.first() else { return html! {} };
    let reach = reach(blocks);
    html! {
        details {
            summary {
                (bar(reach)) (first.function)
                span.count { (reach.count.executed) " of " (reach.count.all) }
            }
            @for block in blocks { (of_block(block, why(block))) }
        }
    }
}

fn of_block(block: &BlockCoverage, why: Option<&str>) -> Markup {
    let class = match (&block.shortest, why) {
        (Some(_), _) => "done",
        (None, Some(_)) => "why",
        (None, None) => "open",
    };
    html! {
        div class={ "block " (class) } {
            span.at { (format!("+{:#x}", block.at)) }
            pre { (block.code.join("\n")) }
            span.said {
                @if let Some(reached) = &block.shortest {
                    (reached.scenario) ", " (format!("{:.1} s", reached.seconds))
                    @if block.runs > 1 { "; " (block.runs) " runs" }
                }
                @if let Some(why) = why { (why) }
            }
        }
    }
}

/// A bar: executed, not reachable, the rest.
fn bar(reach: Reach) -> Markup {
    let share = |part: usize| {
        format!("width: {:.1}%", Count { executed: part, all: reach.count.all.max(1) }.percent())
    };
    html! {
        span.bar {
            i.done style=(share(reach.count.executed)) {}
            i.why style=(share(reach.explained)) {}
        }
    }
}

fn percent(count: Count) -> String {
    format!("{:.1} %", count.percent())
}
