//! `report.html`: a run on one page, without external resources. It is whole without its script.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sansim_stage::visible;

use super::{lanes::Lanes, picture::picture, timeline::Timeline};
use crate::{pause::Pause, verdict::Summary};

pub(crate) const STYLE: &str = include_str!("report.css");

/// A pause that is shorter needs no explanation, in seconds.
const WORTH_EXPLAINING: f64 = 0.1;
/// Parts of a pause that are shorter are not listed, in seconds.
const SHORTEST_PART: f64 = 0.0005;
/// The most parts of a pause that are listed.
const MOST_PARTS: usize = 200;

/// The complete HTML page for a run.
pub fn page(summary: &Summary, timeline: &Timeline, lanes: &Lanes) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (summary.verdict) ": " (summary.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { span class={ "verdict " (summary.verdict) } { (summary.verdict) } " " (summary.title) }
                @if let Some(pause) = &summary.pause { (paused(pause)) }
                @if let Some(reason) = &summary.reason { pre.reason { (reason) } }
                (facts(summary))
                (incomplete(summary))
                h2 { "The story" }
                (picture(lanes, summary.simulated_s))
                (story(timeline))
                h2 { "Expectations" }
                (expectations(summary))
                (idle(summary))
                h2 { "Commands of the story" }
                (commands(summary))
                p.repeat { "Repeat with " code { (summary.repeat) } }
            }
        }
    };
    visible(&markup.into_string()).into_owned()
}

/// The pause in a sentence, and its parts with what shows them.
fn paused(pause: &Pause) -> Markup {
    let parts = pause.parts.iter().filter(|part| part.to - part.from >= SHORTEST_PART);
    html! {
        p.pause { (pause.sentence()) }
        @if pause.seconds() >= WORTH_EXPLAINING {
            details {
                summary { "its parts, in order" }
                table.story {
                    @for part in parts.take(MOST_PARTS) {
                        tr {
                            td.number { (format!("{:.3} s", part.from)) }
                            td.number { (format!("{:.3} s", part.to - part.from)) }
                            td { (part.cause.name()) }
                            td { (part.evidence) }
                        }
                    }
                }
            }
        }
    }
}

fn facts(summary: &Summary) -> Markup {
    let io = &summary.io;
    let rows = [
        ("scenario", summary.scenario.clone()),
        ("seed", summary.seed.to_string()),
        ("guest", format!("{}, kernel {}", summary.image, summary.kernel)),
        ("handler", format!("{} ({})", summary.handler, summary.manager)),
        ("machine", format!("QEMU {}, {}, {}", summary.qemu, summary.accelerator, summary.boot)),
        ("time", time(summary)),
        (
            "workload",
            format!(
                "{} reads, {} writes, {} errors, {} corrupt, longest stall {:.3} s",
                io.reads, io.writes, io.errors, io.corrupt, io.longest_stall_s
            ),
        ),
        ("pg_init", format!("{} round(s) at most between two switches", summary.rounds)),
        (
            "commands",
            format!(
                "{} by the guest, {} by the HBAs",
                summary.witness.guest, summary.witness.array
            ),
        ),
        ("capture", summary.capture.as_ref().map_or("none".to_owned(), ToString::to_string)),
        ("added to the guest", summary.added_to_guest.join("; ")),
    ];
    html! {
        table.facts { @for (name, value) in rows { tr { th { (name) } td { (value) } } } }
    }
}

fn time(summary: &Summary) -> String {
    let (wall, simulated) = (summary.wall_s, summary.simulated_s);
    let (time, exactness) = (&summary.time, summary.exactness);
    format!("a story of {simulated:.1} s in {wall:.1} s of the host's (--time {time}); {exactness}")
}

fn expectations(summary: &Summary) -> Markup {
    html! {
        table {
            tr { th { "" } th { "expected" } th { "seen" } th { "decided" } }
            @for e in &summary.expectations {
                tr class=(if e.ok { "ok" } else { "bad" }) {
                    td { (if e.ok { "✓" } else { "✗" }) }
                    td {
                        (e.text)
                        @if let Some(because) = &e.because { br; small { (because) } }
                        @if let Some(known) = &e.known { br; small { "known: " (known) } }
                        @if let Some(symptom) = &e.symptom {
                            br; small { "symptom: " (symptom.text) }
                            @for miss in &symptom.misses {
                                br; small { "not the symptom: " (miss.expected) ", but " (miss.seen) }
                            }
                        }
                    }
                    td { (e.seen) }
                    td.number { (format!("{:.3} s", e.decided_at)) }
                }
            }
        }
    }
}

fn incomplete(summary: &Summary) -> Markup {
    html! {
        @if !summary.incomplete.is_empty() {
            h2 { "Not complete when the story began" }
            ul { @for text in &summary.incomplete { li { (text) } } }
        }
    }
}

fn idle(summary: &Summary) -> Markup {
    html! {
        @if !summary.idle.is_empty() {
            h2 { "Not tested" }
            table {
                @for idle in &summary.idle {
                    tr class="bad" { td { "✗" } td { (idle.what) } td { (idle.why) } }
                }
            }
        }
    }
}

fn commands(summary: &Summary) -> Markup {
    html! {
        table {
            tr { th { "operation" } th { "controller" } th { "commands" } }
            @for (operation, controllers) in &summary.commands {
                @for (controller, count) in controllers {
                    tr { td { (operation) } td { (controller) } td.number { (count) } }
                }
            }
        }
    }
}

fn story(timeline: &Timeline) -> Markup {
    html! {
        table.story {
            @for line in timeline.lines() {
                tr class=[line.bad.then_some("bad")] data-t=(line.t) data-last=[(line.count > 1).then_some(line.last)] {
                    td.number { (format!("{:.3} s", line.t)) }
                    td { (line.tag) }
                    td {
                        (line.text)
                        @if line.count > 1 {
                            " " small { "×" (line.count) " until " (format!("{:.3} s", line.last)) }
                        }
                    }
                }
            }
        }
    }
}
