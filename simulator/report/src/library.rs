//! `--table`: the outcomes of a library of scenarios, by device handler, as a Markdown page.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::Path,
};

use sansim_stage::visible;

use crate::{
    outcome::Outcome,
    verdict::{Summary, Verdict},
};

/// The complete page. Its text does not depend on the host or the time, so that unchanged behaviour of the same
/// kernels gives the same page.
pub fn library(summaries: &[Summary]) -> String {
    let mut ordered: Vec<&Summary> = summaries.iter().collect();
    ordered.sort_by(|a, b| a.scenario.cmp(&b.scenario));
    let mut page = String::from("# What the scenarios come to\n\nWritten by `sansim run");
    // A distribution's next kernel can change an outcome: the page says which it was.
    let image = |summary: &&Summary| format!("{} ({})", summary.base_image(), summary.kernel);
    let images: BTreeSet<_> = ordered.iter().map(image).collect();
    let images = images.into_iter().collect::<Vec<_>>().join(", ");
    let _ = write!(page, " --table`: {} scenarios on {images}.\n\n", ordered.len());
    page.push_str("*switched*: a LUN changed hands by a command of the guest; *refused*: an ");
    page.push_str("activation command was not answered GOOD; *sent again*: it came again on the ");
    page.push_str(
        "same path; *retried*: dm-multipath began another round of pg_init; *bypassed*, ",
    );
    page.push_str("*path failed*: what dm-multipath did to a path group or a path; *I/O failed*: ");
    page.push_str("a request of the workload failed.\n\n");
    by_handler(&ordered, &mut page);
    by_folder(&ordered, &mut page);
    by_entry(&ordered, &mut page);
    page
}

/// The table of outcomes by handler: how many scenarios show each.
fn by_handler(summaries: &[&Summary], page: &mut String) {
    page.push_str("## Handler by outcome\n\n| handler | scenarios |");
    for outcome in Outcome::ALL {
        let _ = write!(page, " {} |", outcome.name());
    }
    page.push_str("\n|---|---|");
    page.push_str(&"---|".repeat(Outcome::ALL.len()));
    let mut handlers: BTreeMap<&str, Vec<&Summary>> = BTreeMap::new();
    for summary in summaries {
        handlers.entry(handler(summary)).or_default().push(summary);
    }
    for (handler, of) in handlers {
        let _ = write!(page, "\n| {handler} | {} |", of.len());
        for outcome in Outcome::ALL {
            let count = of.iter().filter(|it| it.outcomes.seen.contains(&outcome)).count();
            let _ = write!(page, " {count} |");
        }
    }
    page.push_str("\n\n");
}

/// A table of scenarios for each directory.
fn by_folder(summaries: &[&Summary], page: &mut String) {
    let mut folders: BTreeMap<String, Vec<&Summary>> = BTreeMap::new();
    for summary in summaries {
        folders.entry(folder(summary)).or_default().push(summary);
    }
    for (folder, of) in folders {
        let _ = write!(page, "## {folder}\n\n");
        page.push_str("| scenario | handler | came to | activation was answered | verdict |\n");
        page.push_str("|---|---|---|---|---|\n");
        for summary in of {
            let _ = writeln!(
                page,
                "| {}<br>{} | {} | {} | {} | {} |",
                name(summary),
                cell(&summary.title),
                handler(summary),
                came_to(summary),
                cell(&summary.outcomes.answers.join(", ")),
                verdict(summary),
            );
        }
        page.push('\n');
    }
}

/// The table of traps and reports, with the scenarios that cover each.
fn by_entry(summaries: &[&Summary], page: &mut String) {
    let mut entries: BTreeMap<(char, u32), Vec<String>> = BTreeMap::new();
    for summary in summaries {
        for entry in &summary.covers {
            entries.entry(sort_key(entry)).or_default().push(name(summary));
        }
    }
    page.push_str(
        "## Traps and reports\n\nThe entries of handlers.md and the scenarios that show ",
    );
    page.push_str("them.\n\n| entry | scenarios |\n|---|---|\n");
    for ((letter, number), names) in entries {
        let _ = writeln!(page, "| {letter}{number} | {} |", names.join(", "));
    }
}

/// Sorts `T10` after `T9`.
fn sort_key(entry: &str) -> (char, u32) {
    let letter = entry.chars().next().unwrap_or('?');
    (letter, entry.get(1..).and_then(|number| number.parse().ok()).unwrap_or(0))
}

fn came_to(summary: &Summary) -> String {
    let names = summary.outcomes.seen.iter().map(|outcome| outcome.name());
    names.collect::<Vec<_>>().join(", ")
}

fn verdict(summary: &Summary) -> String {
    match (&summary.verdict, &summary.reason) {
        (Verdict::Skipped, Some(reason)) => format!("skipped: {}", cell(reason)),
        (verdict, _) => verdict.to_string(),
    }
}

fn handler(summary: &Summary) -> &str {
    if summary.handler.is_empty() { "none" } else { &summary.handler }
}

fn folder(summary: &Summary) -> String {
    let parent = Path::new(&summary.scenario).parent();
    parent.map_or(String::new(), |parent| parent.display().to_string())
}

fn name(summary: &Summary) -> String {
    let stem = Path::new(&summary.scenario).file_stem().unwrap_or_default();
    format!("`{}`", cell(&stem.to_string_lossy()).replace('`', "'"))
}

/// Escapes text for a cell of a table in Markdown.
pub(crate) fn cell(text: &str) -> String {
    visible(text).replace('|', "\\|").replace(['\n', '\t'], " ").replace('<', "&lt;")
}
