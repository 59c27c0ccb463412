//! `--timings`: the time of each part of runs and suites, in words.

use std::fmt::Write;

use console::style;
use sansim_report::timings::Timings;
use sansim_report::totals::Totals;
use sansim_report::verdict::Summary;

/// Two lines after a run's result.
pub(super) fn of_run(text: &mut String, summary: &Summary) {
    let cpu = [("QEMU", summary.cpu_s.qemu), ("sansim", summary.cpu_s.sansim)];
    let cpu: Vec<String> = cpu
        .into_iter()
        .filter_map(|(who, seconds)| Some(format!("{who} {:.2} s", seconds?)))
        .collect();
    let cpu = match cpu.as_slice() {
        [] => String::new(),
        known => format!("CPU: {}; ", known.join(", ")),
    };
    let speed = summary.simulated_s / summary.wall_s;
    for line in [parts(&summary.timings), format!("{cpu}{speed:.2} simulated seconds per second")] {
        let _ = writeln!(text, "         {}", style(line).dim());
    }
}

/// `restore 0.10 s, modules 0.02 s, …`
fn parts(timings: &Timings) -> String {
    timings.parts().map(|(name, seconds)| format!("{name} {seconds:.2} s")).join(", ")
}

/// A table after the last line of a suite.
pub(super) fn of_suite(totals: &Totals) -> String {
    let mut text = String::from("\n");
    let all = totals.timings.total_s();
    for (name, seconds) in totals.timings.parts() {
        let share = if all > 0.0 { seconds / all * 100.0 } else { 0.0 };
        let _ = writeln!(text, "{name:<9}{seconds:>9.2} s {share:>4.0} %");
    }
    let _ = writeln!(
        text,
        "{:.1} scenarios per minute, {:.2} CPU seconds per scenario, {:.2} simulated seconds per second",
        totals.runs_a_minute(),
        totals.cpu_s_a_run(),
        totals.speed()
    );
    text
}
