//! The coverage for the terminal and for documents: a line a module, of blocks and of lines of source.

use std::fmt::Write;

use crate::{coverage::Coverage, reasons::Reasons};

/// Both tables, the second one if lines are known.
pub fn tables(coverage: &Coverage, reasons: &Reasons) -> String {
    let blocks = table(coverage, reasons);
    match line_table(coverage, reasons) {
        Some(lines) => format!("{blocks}\n{lines}"),
        None => blocks,
    }
}

/// A Markdown table: the blocks of each module on each image, those that were executed, those that cannot be, and the
/// share that was executed of all and of the rest.
fn table(coverage: &Coverage, reasons: &Reasons) -> String {
    let mut text = String::from(
        "| image | module | blocks | executed | of all | not reachable | of the reachable |\n|---|---|--:|--:|--:|--:|--:|\n",
    );
    for (image, of_image) in &coverage.images {
        for (module, of_module) in &of_image.modules {
            let reach = reasons.reach(&of_image.kernel, module, &of_module.blocks);
            let (all, reachable) = (reach.count, reach.reachable());
            let _ = writeln!(
                text,
                "| {image} | {module} | {} | {} | {:.1} % | {} | {:.1} % |",
                all.all,
                all.executed,
                all.percent(),
                reach.explained,
                reachable.percent()
            );
        }
    }
    text
}

/// A Markdown table of the modules' own lines of source; `None` if none is known. A line was executed if any of it was;
/// `partly` of them are lines of which something was not.
fn line_table(coverage: &Coverage, reasons: &Reasons) -> Option<String> {
    let mut text = String::from(
        "| image | module | lines | executed | of all | partly | not reachable | of the reachable |\n|---|---|--:|--:|--:|--:|--:|--:|\n",
    );
    let nothing = text.len();
    for (image, of_image) in &coverage.images {
        for (module, of_module) in of_image.modules.iter().filter(|(_, it)| it.has_lines()) {
            let reach = of_module.line_reach(reasons, &of_image.kernel, module);
            let (all, reachable) = (reach.count, reach.reachable());
            let _ = writeln!(
                text,
                "| {image} | {module} | {} | {} | {:.1} % | {} | {} | {:.1} % |",
                all.all,
                all.executed,
                all.percent(),
                reach.partly,
                reach.explained,
                reachable.percent()
            );
        }
    }
    (text.len() > nothing).then_some(text)
}
