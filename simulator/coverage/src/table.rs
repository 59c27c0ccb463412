//! The coverage for the terminal and for documents: a line a module.

use std::fmt::Write;

use crate::{coverage::Coverage, reasons::Reasons};

/// A Markdown table: the blocks of each module on each image, those that were executed, those that cannot be, and the
/// share that was executed of all and of the rest.
pub fn table(coverage: &Coverage, reasons: &Reasons) -> String {
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
