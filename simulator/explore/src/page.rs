//! The report: a page for all, and one for each finding. The first is written while the search goes on, too, and
//! shows itself anew then.

mod chart;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sansim_language::Law;

use self::chart::chart;
use crate::{
    growth::Point,
    memory::{Finding, State},
    progress::{PROOFS, Progress},
};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color:#222;background:#fff}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;\
border-bottom:1px solid #ddd;vertical-align:top}pre{background:#f4f4f4;padding:1rem;overflow:auto}\
code{background:#f4f4f4}.grown{display:flex;flex-wrap:wrap;gap:2rem}figure{margin:0;flex:1 1 20rem;color:#06c}\
figcaption,figure small{color:#222}svg{width:100%;border-bottom:1px solid #ddd}.now{background:#eef4ff;padding:.6rem 1rem}\
@media(prefers-color-scheme:dark){body,figcaption,figure small{color:#ddd}body{background:#181818}\
pre,code,.now{background:#262626}th,td,svg{border-color:#444}a,figure{color:#8bf}}";
/// How often a page shows itself anew while the search goes on, in seconds.
const ANEW_S: u32 = 5;
/// The page's name.
const PAGE: &str = "index.html";

/// Writes `index.html` and a page in each finding's directory. Returns the path of the first.
///
/// # Errors
/// When a file cannot be written.
pub fn write_report(dir: &Path, state: &State) -> io::Result<PathBuf> {
    for finding in &state.findings {
        let place = dir.join("findings").join(&finding.name);
        if place.is_dir() {
            let has_run = place.join("run/report.html").is_file();
            let page = of_finding(finding, &story_of(dir, finding), has_run);
            fs::write(place.join(PAGE), page.into_string())?;
        }
    }
    write_index(dir, state, None)
}

/// Writes `index.html`, while the search goes on if it is told how far it is. Whoever reads it meanwhile sees the old one
/// or the new one.
pub(crate) fn write_index(
    dir: &Path,
    state: &State,
    progress: Option<&Progress>,
) -> io::Result<PathBuf> {
    let newest = state.findings.last().map(|finding| (finding, story_of(dir, finding)));
    let path = dir.join(PAGE);
    let new = dir.join("index.html.new");
    fs::write(&new, index(state, progress, newest).into_string())?;
    fs::rename(&new, &path)?;
    Ok(path)
}

/// The scenario of a finding.
fn story_of(dir: &Path, finding: &Finding) -> String {
    let file = dir.join("findings").join(&finding.name).join("scenario.toml");
    fs::read_to_string(file).unwrap_or_default()
}

fn page(title: &str, anew: bool, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                @if anew { meta http-equiv="refresh" content=(ANEW_S); }
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    }
}

fn index(state: &State, progress: Option<&Progress>, newest: Option<(&Finding, String)>) -> Markup {
    let title = "What sansim explore has found";
    let body = html! {
        h1 { (title) }
        @if let Some(progress) = progress { (now(progress)) }
        p {
            (state.stories) " stories were told. " (state.behaviours.len()) " behaviours were seen, "
            @if !state.blocks.is_empty() {
                (state.blocks.len()) " blocks of the kernel were executed, "
            }
            "and " (state.kept.len()) " schedules are kept because they showed something new."
        }
        (grown(state.growth.points()))
        (by_law(state))
        h2 { "Findings" }
        (findings(state))
        @if let Some((finding, text)) = newest {
            h2 { "The newest: " a href=(link(finding)) { (finding.title) } }
            p { "What was seen: " (finding.seen) "." }
            pre { (text) }
        }
    };
    page(title, progress.is_some(), &body)
}

/// How far a search is that goes on.
fn now(progress: &Progress) -> Markup {
    html! {
        p.now {
            "The search goes on: " (progress.stories) " stories and " (progress.trials) " runs to make them short in "
            (format!("{:.0}", progress.seconds)) " s, " (format!("{:.0}", progress.a_minute())) " a minute. "
            @if progress.of_blocks > 0 {
                (progress.blocks) " of " (progress.of_blocks) " blocks of the kernel. "
            }
            (progress.known) " times something known, " (progress.died) " came to no end. This page shows itself anew every "
            (ANEW_S) " s."
        }
    }
}

fn grown(points: &[Point]) -> Markup {
    let of = |count: fn(&Point) -> usize| -> Vec<(u64, usize)> {
        points.iter().map(|point| (point.stories, count(point))).collect()
    };
    let has_blocks = points.iter().any(|point| point.blocks > 0);
    html! {
        div.grown {
            @if has_blocks { (chart("Blocks of the kernel", &of(|point| point.blocks))) }
            (chart("Behaviours", &of(|point| point.behaviours)))
        }
    }
}

fn by_law(state: &State) -> Markup {
    let counts = Law::ALL.into_iter().map(|law| {
        let of_law = state.findings.iter().filter(|finding| finding.law == law.word());
        (law, of_law.count())
    });
    html! {
        table {
            tr { th { "Law" } th { "Findings" } }
            @for (law, count) in counts {
                tr { td { (law.sentence()) } td { (count) } }
            }
        }
    }
}

fn findings(state: &State) -> Markup {
    html! {
        table {
            tr { th { "Story" } th { "Lines" } th { "Fails" } th { "Met again" } }
            @for finding in &state.findings {
                tr {
                    td { a href=(link(finding)) { (finding.title) } }
                    td { (finding.lines) }
                    td { (finding.fails) " of " (PROOFS) }
                    td { (finding.again) }
                }
            }
        }
    }
}

fn link(finding: &Finding) -> String {
    format!("findings/{}/{PAGE}", finding.name)
}

fn of_finding(finding: &Finding, text: &str, has_run: bool) -> Markup {
    let law = Law::of(&finding.law).map_or(finding.law.as_str(), |law| law.sentence());
    page(
        &finding.title,
        false,
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
            @if !finding.blocks.is_empty() {
                h2 { "What the kernel did that it does not do otherwise" }
                p {
                    (finding.blocks.len()) " basic blocks are executed in this story, and not in " (finding.file)
                    " when nothing happens to it. " code { "sansim run scenario.toml --coverage" } " shows their code."
                }
                pre { @for block in &finding.blocks { (block) "\n" } }
            }
            h2 { "The schedule" }
            pre { (finding.schedule) }
        },
    )
}
