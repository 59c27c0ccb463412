//! The story as a picture: lanes, latencies and rates over time. It is whole without scripts; with them it zooms.

use maud::{Markup, PreEscaped, html};
use serde_json::json;

use crate::{
    lanes::{Bar, Lane, Lanes, Mark, Tone},
    traffic::{Bin, Point, Series, Traffic},
};

const SCRIPT: &str = include_str!("picture.js");

/// Width of all lanes of the picture, and height of one lane, in SVG units.
const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 26.0;
/// Width of the column with the lanes' names, in SVG units.
const NAMES: f64 = 150.0;
/// Heights of the charts, and of the axis below them.
const LATENCY: f64 = 130.0;
const RATE: f64 = 70.0;
const AXIS: f64 = 26.0;
/// Space between two charts.
const GAP: f64 = 16.0;
/// Marks that are nearer to each other, in SVG units, are shown as one with their number.
const NEAR: f64 = 7.0;
/// The number of parts for which a rate is shown.
const COLUMNS: usize = 160;
/// What the bottom of the latencies' axis stands for, in seconds: nothing that takes less is told apart.
const SHORTEST: f64 = 1e-6;

/// The picture of a story of `seconds`, with what makes it zoom.
pub(crate) fn picture(lanes: &Lanes, seconds: f64) -> Markup {
    let traffic = lanes.traffic();
    let scale = Scale { end: seconds.max(lanes.last()).max(1e-3) };
    let all: Vec<(&str, &Lane)> = lanes.iter().collect();
    let top = HEIGHT * all.len() as f64;
    let has_traffic = traffic.series().next().is_some();
    let charts = if has_traffic { LATENCY + RATE + 2.0 * GAP } else { 0.0 };
    let (bottom, width) = (top + charts, NAMES + WIDTH + 20.0);
    let view = format!("0 0 {width} {}", bottom + AXIS);
    html! {
        figure.picture #picture tabindex="0" {
            svg viewBox=(view) role="img" aria-label="the story as lanes over time"
                data-names=(NAMES) data-width=(WIDTH) data-end=(scale.end) data-bottom=(bottom) {
                g.axis { (axis(&scale, bottom)) }
                @for (row, (name, lane)) in all.iter().enumerate() {
                    (draw_lane(name, lane, row as f64 * HEIGHT, &scale))
                }
                @if has_traffic {
                    (latencies(traffic, top + GAP, &scale))
                    (rates(traffic, top + LATENCY + 2.0 * GAP, &scale))
                }
            }
            @if has_traffic { (legend(traffic)) }
            @if lanes.left_out() > 0 {
                p.note { (lanes.left_out()) " more changes and marks are not drawn: events.ndjson has them." }
            }
        }
        script type="application/json" #picture-data { (PreEscaped(data(traffic))) }
        script { (PreEscaped(SCRIPT)) }
    }
}

/// From seconds of the story to SVG units.
struct Scale {
    end: f64,
}

impl Scale {
    fn x(&self, t: f64) -> f64 {
        tenth(NAMES + (t / self.end).clamp(0.0, 1.0) * WIDTH)
    }
}

/// No picture is so large that more than tenths could be seen.
fn tenth(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Busy => "busy",
        Tone::Bad => "bad",
        Tone::Plain => "plain",
    }
}

fn draw_lane(name: &str, lane: &Lane, y: f64, scale: &Scale) -> Markup {
    html! {
        g transform=(format!("translate(0 {y})")) {
            text y="17" { (name) }
            line.ruler x1=(NAMES) x2=(NAMES + WIDTH) y1="13" y2="13" {}
            @for bar in &lane.bars { (draw_bar(bar, scale)) }
            @for mark in &lane.marks {
                circle.mark.(class(mark.tone)) data-t=(mark.t) cx=(scale.x(mark.t)) cy="13" r="5" {
                    title { (format!("{:.6} s  {}", mark.t, mark.label)) }
                }
            }
            @for (x, number) in crowds(&lane.marks, scale) {
                text.crowd x=(x) y="6" { (number) }
            }
        }
    }
}

fn draw_bar(bar: &Bar, scale: &Scale) -> Markup {
    let (from, to) = (scale.x(bar.from), scale.x(bar.to.unwrap_or(scale.end)));
    let width = (to - from).max(2.0);
    let hidden = width <= bar.label.len() as f64 * 7.0;
    html! {
        rect.bar.(class(bar.tone)) data-a=(bar.from) data-b=[bar.to] x=(from) y="4" width=(tenth(width))
            height=(HEIGHT - 8.0) rx="3" {
            title { (format!("{} from {:.6} s", bar.label, bar.from)) }
        }
        text.onbar x=(from + 6.0) y="17" visibility=[hidden.then_some("hidden")] { (bar.label) }
    }
}

/// Where marks hide each other: the place of the last one of each crowd, and how many it has.
fn crowds(marks: &[Mark], scale: &Scale) -> Vec<(f64, usize)> {
    let mut crowds: Vec<(f64, usize)> = Vec::new();
    for mark in marks {
        let x = scale.x(mark.t);
        match crowds.last_mut() {
            Some((last, number)) if (x - *last).abs() < NEAR => (*last, *number) = (x, *number + 1),
            _ => crowds.push((x, 1)),
        }
    }
    crowds.retain(|(_, number)| *number > 1);
    crowds
}

/// The height of a latency in its chart: logarithmic, from the bottom.
fn height(seconds: f64, longest: f64) -> f64 {
    let decades = (longest / SHORTEST).log10().max(1.0);
    (seconds.max(SHORTEST) / SHORTEST).log10() / decades * LATENCY
}

fn latencies(traffic: &Traffic, y: f64, scale: &Scale) -> Markup {
    let longest = traffic.longest().max(1e-4);
    let decades = [
        (SHORTEST, "0"),
        (1e-5, "10 µs"),
        (1e-4, "100 µs"),
        (1e-3, "1 ms"),
        (1e-2, "10 ms"),
        (0.1, "0.1 s"),
        (1.0, "1 s"),
        (10.0, "10 s"),
        (100.0, "100 s"),
    ];
    let at = |point: Point| {
        let (t, latency) = (point.0 as f64 / 1e6, point.1 as f64 / 1e6);
        format!("M{} {}h0", scale.x(t), tenth(LATENCY - height(latency, longest)))
    };
    html! {
        g.latency transform=(format!("translate(0 {y})")) data-height=(LATENCY) data-longest=(longest)
            data-shortest=(SHORTEST) {
            text y="12" { "latency" }
            @for (seconds, name) in decades.iter().filter(|(seconds, _)| *seconds <= longest * 1.001) {
                @let y = tenth(LATENCY - height(*seconds, longest));
                line.ruler x1=(NAMES) x2=(NAMES + WIDTH) y1=(y) y2=(y) {}
                text.tick.value x=(NAMES - 6.0) y=(y + 4.0) { (name) }
            }
            @for (number, (_, series)) in traffic.series().enumerate() {
                path.points.(colour(number)) d=(series.points().map(at).collect::<String>()) {}
            }
            @for (_, series) in traffic.series() {
                path.points.failed d=(series.failed.iter().map(|it| at(*it)).collect::<String>()) {}
            }
        }
    }
}

fn rates(traffic: &Traffic, y: f64, scale: &Scale) -> Markup {
    let columns = COLUMNS.min(((scale.end / traffic.width()) as usize).max(1));
    let rates: Vec<Vec<f64>> =
        traffic.series().map(|(_, series)| traffic.rates(series, scale.end, columns)).collect();
    let most = rates.iter().flatten().fold(1.0_f64, |most, rate| most.max(*rate));
    let each = WIDTH / columns as f64;
    let line = |rates: &[f64]| {
        let steps =
            rates.iter().map(|rate| format!("V{}h{each:.2}", tenth(RATE - rate / most * RATE)));
        format!("M{NAMES} {RATE}{}", steps.collect::<String>())
    };
    html! {
        g.rate transform=(format!("translate(0 {y})")) data-height=(RATE) {
            text y="26" { "commands by path" }
            line.ruler x1=(NAMES) x2=(NAMES + WIDTH) y1="0" y2="0" {}
            line.ruler x1=(NAMES) x2=(NAMES + WIDTH) y1=(RATE) y2=(RATE) {}
            text.tick.value.most x=(NAMES - 6.0) y="4" { (per_second(most)) }
            text.tick.value x=(NAMES - 6.0) y=(RATE + 4.0) { "0" }
            @for (number, rates) in rates.iter().enumerate() {
                path.line.(colour(number)) d=(line(rates)) {}
            }
        }
    }
}

fn per_second(rate: f64) -> String {
    if rate >= 10.0 { format!("{rate:.0}/s") } else { format!("{rate:.1}/s") }
}

fn colour(number: usize) -> String {
    format!("path{}", number % 8)
}

fn legend(traffic: &Traffic) -> Markup {
    html! {
        figcaption {
            @for (number, (name, _)) in traffic.series().enumerate() {
                span.(colour(number)) { "● " } (name) " "
            }
            span.failed { "● " } "not GOOD"
        }
    }
}

/// What the script needs for another scale: the commands by path.
fn data(traffic: &Traffic) -> String {
    let bin = |bin: &Bin| match bin.n {
        1 => json!([bin.slow.0, bin.slow.1]),
        n => json!([bin.slow.0, bin.slow.1, bin.quick.0, bin.quick.1, n]),
    };
    let one = |series: &Series| {
        let bins: Vec<_> = series.bins().map(bin).collect();
        json!({ "bins": bins, "failed": series.failed })
    };
    let all: Vec<_> = traffic.series().map(|(_, series)| one(series)).collect();
    json!({ "width": traffic.width(), "series": all }).to_string().replace('<', "\\u003c")
}

/// The time axis, with at most twelve intervals.
fn axis(scale: &Scale, bottom: f64) -> Markup {
    let magnitude = 10_f64.powf((scale.end / 12.0).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude);
    let step = steps.into_iter().find(|step| scale.end / step <= 12.0).unwrap_or(scale.end);
    let ticks = (0..=12).map(|number| f64::from(number) * step).take_while(|t| *t <= scale.end);
    let digits = (-step.log10().floor()).max(0.0) as usize;
    html! {
        @for t in ticks {
            line x1=(scale.x(t)) x2=(scale.x(t)) y1="0" y2=(bottom + 4.0) {}
            text.tick x=(scale.x(t)) y=(bottom + 18.0) { (format!("{t:.digits$} s")) }
        }
        line.end x1=(scale.x(scale.end)) x2=(scale.x(scale.end)) y1="0" y2=(bottom + 4.0) {}
    }
}

#[cfg(test)]
mod tests;
