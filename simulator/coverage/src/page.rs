//! The coverage as a web page, without scripts or external resources.

mod source;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{
    coverage::{BlockCoverage, Count, Coverage, ImageCoverage, ModuleCoverage},
    reasons::{Reach, Reasons},
    source::{Texts, places},
};

const STYLE: &str = include_str!("coverage.css");

/// The whole page. Where the lines of blocks are known, they are shown, with their texts as far as there are any.
pub fn page(coverage: &Coverage, reasons: &Reasons, texts: &Texts) -> String {
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
                    @if coverage.images.values().any(has_lines) { span.part { "a line that was executed in part" } }
                    span.open { "not executed" }
                    span.why { "not reachable, with the reason" }
                }
                (overview(coverage, reasons))
                p.note { "Percentages are of what can be reached." }
                @for (name, image) in &coverage.images { (of_image(name, image, reasons, texts)) }
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
                    th colspan=(columns(image)) {
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
                                td { a href={ "#" (name) "-" (module) } { (bar_of_blocks(reach)) } }
                                td.number { (reach.count.executed) " of " (reach.count.all) " blocks" }
                                td.number { (percent(reach.reachable())) }
                                @if has_lines(image) { (line_reach(&image.kernel, module, of_module, reasons)) }
                            }
                            None => td colspan=(columns(image)) { "not in this kernel" }
                        }
                    }
                }
            }
        }
    }
}

fn has_lines(image: &ImageCoverage) -> bool {
    image.modules.values().any(ModuleCoverage::has_lines)
}

/// How many columns an image has in the overview.
fn columns(image: &ImageCoverage) -> usize {
    if has_lines(image) { 5 } else { 3 }
}

fn line_reach(kernel: &str, module: &str, coverage: &ModuleCoverage, reasons: &Reasons) -> Markup {
    let reach = coverage.line_reach(reasons, kernel, module);
    html! {
        td.number { @if coverage.has_lines() { (reach.count.executed) " of " (reach.count.all) " lines" } }
        td.number { @if coverage.has_lines() { (percent(reach.reachable())) } }
    }
}

fn of_image(name: &str, image: &ImageCoverage, reasons: &Reasons, texts: &Texts) -> Markup {
    html! {
        @for (module, of_module) in &image.modules {
            h2 id={ (name) "-" (module) } { (module) " on " (name) }
            @if of_module.has_lines() {
                (source::functions((name, image), (module, of_module), reasons, texts))
                h3 { "Blocks" }
            }
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
                (bar_of_blocks(reach)) (first.function)
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
            div {
                @if !block.lines.is_empty() { span.where { (places(&block.lines)) } }
                pre { (block.code.join("\n")) }
            }
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

/// A bar of blocks: executed, not reachable, the rest.
fn bar_of_blocks(reach: Reach) -> Markup {
    bar(reach.count.all, [("done", reach.count.executed), ("why", reach.explained)])
}

/// A bar: parts of a whole, with their classes, and the rest.
fn bar<const N: usize>(all: usize, parts: [(&str, usize); N]) -> Markup {
    let share =
        |executed: usize| format!("width: {:.1}%", Count { executed, all: all.max(1) }.percent());
    html! {
        span.bar {
            @for (class, part) in parts { i class=(class) style=(share(part)) {} }
        }
    }
}

fn percent(count: Count) -> String {
    format!("{:.1} %", count.percent())
}
