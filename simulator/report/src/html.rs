//! `report.html`: a run on one page, without scripts or external resources.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sansim_stage::visible;

use super::{
    lanes::{Bar, Lane, Lanes, Tone},
    timeline::Timeline,
};
use crate::{pause::Pause, verdict::Summary};

pub(crate) const STYLE: &str = include_str!("report.css");

/// Width of all lanes of the picture, and height of one lane, in SVG units.
const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 26.0;
/// Width of the column with the lanes' names, in SVG units.
const NAMES: f64 = 150.0;

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
                tr class=[line.bad.then_some("bad")] {
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

fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "#2e9e5b",
        Tone::Busy => "#d79b1e",
        Tone::Bad => "#d1453b",
        Tone::Plain => "#5a7da8",
    }
}

fn picture(lanes: &Lanes, seconds: f64) -> Markup {
    let lanes: Vec<(&str, &Lane)> = lanes.iter().collect();
    let end = seconds.max(0.001);
    let x = |t: f64| NAMES + (t / end).clamp(0.0, 1.0) * WIDTH;
    let height = HEIGHT * (lanes.len() as f64 + 1.0);
    let view = format!("0 0 {} {height}", NAMES + WIDTH + 20.0);
    html! {
        svg viewBox=(view) role="img" aria-label="the story as lanes over time" {
            (scale(end, lanes.len() as f64 * HEIGHT, &x))
            @for (row, (name, lane)) in lanes.iter().enumerate() {
                @let y = row as f64 * HEIGHT;
                text x="0" y=(y + 17.0) { (name) }
                line x1=(NAMES) x2=(NAMES + WIDTH) y1=(y + 13.0) y2=(y + 13.0) stroke="#ddd" {}
                @for bar in &lane.bars { (draw_bar(bar, y, end, &x)) }
                @for mark in &lane.marks {
                    circle cx=(x(mark.t)) cy=(y + 13.0) r="5" fill=(colour(mark.tone)) {
                        title { (format!("{:.3} s  {}", mark.t, mark.label)) }
                    }
                }
            }
        }
    }
}

fn draw_bar(bar: &Bar, y: f64, end: f64, x: &dyn Fn(f64) -> f64) -> Markup {
    let (from, to) = (x(bar.from), x(bar.to.unwrap_or(end)));
    let width = (to - from).max(2.0);
    html! {
        rect x=(from) y=(y + 4.0) width=(width) height=(HEIGHT - 8.0) rx="3" fill=(colour(bar.tone)) {
            title { (format!("{} from {:.3} s", bar.label, bar.from)) }
        }
        @if width > bar.label.len() as f64 * 7.0 {
            text.onbar x=(from + 6.0) y=(y + 17.0) { (bar.label) }
        }
    }
}

/// The time axis below the lanes, with at most twelve intervals.
fn scale(end: f64, y: f64, x: &dyn Fn(f64) -> f64) -> Markup {
    let steps = [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0];
    let step = steps.into_iter().find(|step| end / step <= 12.0).unwrap_or(end / 12.0);
    let ticks = (0..).map(|i| f64::from(i) * step).take_while(|t| *t <= end);
    html! {
        @for t in ticks {
            line x1=(x(t)) x2=(x(t)) y1="0" y2=(y + 4.0) stroke="#eee" {}
            text.tick x=(x(t)) y=(y + 18.0) { (format!("{t} s")) }
        }
    }
}
