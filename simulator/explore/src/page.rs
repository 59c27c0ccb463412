//! The report: a page for all, and one for each finding.

use std::{fs, io, path::Path};

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sansim_language::Law;

use crate::{
    memory::{Finding, State},
    search::PROOFS,
};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color:#222;background:#fff}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;\
border-bottom:1px solid #ddd;vertical-align:top}pre{background:#f4f4f4;padding:1rem;overflow:auto}\
code{background:#f4f4f4}@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}pre,code{background:#262626}\
th,td{border-color:#444}a{color:#8bf}}";

/// Writes `index.html` and a page in each finding's directory. Returns the path of the first.
///
/// # Errors
/// When a file cannot be written.
pub fn write_report(dir: &Path, state: &State) -> io::Result<std::path::PathBuf> {
    for finding in &state.findings {
        let place = dir.join("findings").join(&finding.name);
        if place.is_dir() {
            let text = fs::read_to_string(place.join("scenario.toml")).unwrap_or_default();
            let has_run = place.join("run/report.html").is_file();
            fs::write(place.join("index.html"), of_finding(finding, &text, has_run).into_string())?;
        }
    }
    let path = dir.join("index.html");
    fs::write(&path, index(state).into_string())?;
    Ok(path)
}

fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    }
}

fn index(state: &State) -> Markup {
    let title = "What sansim explore has found";
    let counts = Law::ALL.into_iter().map(|law| {
        let of_law = state.findings.iter().filter(|finding| finding.law == law.word());
        (law, of_law.count())
    });
    page(
        title,
        &html! {
            h1 { (title) }
            p {
                (state.stories) " stories were told. " (state.behaviours.len()) " behaviours were seen, and "
                (state.kept.len()) " schedules are kept because they showed something new."
            }
            table {
                tr { th { "Law" } th { "Findings" } }
                @for (law, count) in counts {
                    tr { td { (law.sentence()) } td { (count) } }
                }
            }
            h2 { "Findings" }
            table {
                tr { th { "Story" } th { "Lines" } th { "Fails" } th { "Met again" } }
                @for finding in &state.findings {
                    tr {
                        td { a href={ "findings/" (finding.name) "/index.html" } { (finding.title) } }
                        td { (finding.lines) }
                        td { (finding.fails) " of " (PROOFS) }
                        td { (finding.again) }
                    }
                }
            }
        },
    )
}

fn of_finding(finding: &Finding, text: &str, has_run: bool) -> Markup {
    let law = Law::of(&finding.law).map_or(finding.law.as_str(), |law| law.sentence());
    page(
        &finding.title,
        &html! {
            p { a href="../../index.html" { "All findings" } }
            h1 { (finding.title) }
            p { "The law: " (law) ". What was seen: " (finding.seen) "." }
            p {
                "Found in " (finding.file) " on " (finding.image) " after " (finding.after) " stories; made short by "
                (finding.trials) " runs. The file fails " (finding.fails) " of " (PROOFS) " times"
                @if finding.same_bytes { ", with the same events, byte for byte" } "."
            }
            h2 { "The scenario" }
            pre { (text) }
            h2 { "Run it" }
            pre {
                "sansim run scenario.toml\n"
                "sansim run scenario.toml --hold-on-fail\n"
                @if has_run { "sansim replay run --until failure --shell\n" }
            }
            @if has_run { p { a href="run/report.html" { "The report of a run, with its timeline" } } }
            h2 { "The schedule" }
            pre { (finding.schedule) }
        },
    )
}
