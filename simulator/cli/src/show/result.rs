//! The result of a run or of a suite, in words.

use std::fmt::Write;

use console::{Style as Paint, style};
use sansim_report::verdict::{Summary, Verdict};
use sansim_run::{Finished, RunId, explain};
use sansim_stage::visible;

use super::{Style, timings};

pub(super) fn paint(verdict: Verdict) -> Paint {
    match verdict {
        Verdict::Pass => Paint::new().green(),
        Verdict::Known | Verdict::Skipped => Paint::new().yellow(),
        Verdict::Fail | Verdict::Error => Paint::new().red().bold(),
    }
}

/// One line for the run, its timeline if requested or if the run failed, and what was expected and seen.
pub(super) fn text(run: &RunId, finished: &Finished, how: Style) -> String {
    let summary = &finished.summary;
    let mut text = String::new();
    let good = matches!(summary.verdict, Verdict::Pass | Verdict::Skipped | Verdict::Known);
    if how.timelines || !good {
        timeline(&mut text, finished);
    }
    let _ = writeln!(
        text,
        "{}  {}  {}",
        paint(summary.verdict).apply_to(format!("{:<7}", summary.verdict)),
        style(visible(&run.label())).bold(),
        style(totals(summary)).dim()
    );
    if good && !how.timelines {
        for line in summary.reason.iter().flat_map(|reason| reason.lines()) {
            let _ = writeln!(text, "         {}", style(visible(line)).dim());
        }
    } else if summary.verdict != Verdict::Pass {
        for line in explain(finished) {
            let _ = writeln!(text, "         {}", visible(&line));
        }
    }
    if let Some(capture) = &summary.capture {
        let dir = finished.recorded.directory.display();
        let _ = writeln!(text, "         {}", style(format!("captured: {dir}/{capture}")).dim());
    }
    if how.timings {
        timings::of_run(&mut text, summary);
    }
    text
}

fn timeline(text: &mut String, finished: &Finished) {
    let summary = &finished.summary;
    let _ = writeln!(text, "\n{}", style(visible(&summary.title)).bold());
    let _ = writeln!(
        text,
        "{}",
        style(format!(
            "kernel {}, handler {}, {}, QEMU {} ({}, --time {}, from {}), {}",
            summary.kernel,
            summary.handler,
            summary.manager,
            summary.qemu,
            summary.accelerator,
            summary.time,
            summary.boot,
            summary.exactness
        ))
        .dim()
    );
    for line in finished.recorded.timeline.lines() {
        let shown = line.to_string();
        let shown = match line.bad {
            true => style(shown).red(),
            false if line.tag == "step" => style(shown).cyan(),
            false => style(shown),
        };
        let _ = writeln!(text, "{shown}");
    }
    if finished.recorded.timeline.left_out() > 0 {
        let _ = writeln!(text, "({} lines left out)", finished.recorded.timeline.left_out());
    }
}

fn totals(summary: &Summary) -> String {
    let mut text = format!("{:.1} s, story {:.1} s", summary.wall_s, summary.simulated_s);
    let io = &summary.io;
    if io.reads + io.writes + io.errors > 0 {
        let _ = write!(
            text,
            "; {} reads, {} writes, {} errors, {} corrupt, longest stall {:.2} s",
            io.reads, io.writes, io.errors, io.corrupt, io.longest_stall_s
        );
    }
    text
}

/// Prints the last line of a suite: how many runs have which verdict.
pub(crate) fn print_totals(verdicts: &[Verdict], not_run: usize, seconds: f64) {
    let mut parts = Vec::new();
    for verdict in [Verdict::Pass, Verdict::Known, Verdict::Skipped, Verdict::Fail, Verdict::Error]
    {
        let count = verdicts.iter().filter(|v| **v == verdict).count();
        if count > 0 {
            parts.push(paint(verdict).apply_to(format!("{count} {verdict}")).to_string());
        }
    }
    if not_run > 0 {
        parts.push(format!("{not_run} not run"));
    }
    outln!("\n{} scenarios: {} in {seconds:.1} s", verdicts.len() + not_run, parts.join(", "));
}
