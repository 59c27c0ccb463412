//! What a suite of runs comes to: every run that was asked for is accounted for.

use std::{path::PathBuf, time::Instant};

use sansim_lab::own_cpu_time;
use sansim_language::Scenario;
use sansim_report::{
    matrix::{Matrix, Row},
    repeat::Repeat,
    totals::Totals,
    unjudged::{How, Unjudged},
    verdict::{Summary, Verdict},
};
use sansim_run::{RunError, RunId};
use sansim_suite::Played;
use tokio_util::sync::CancellationToken as Cancel;

use super::{Unready, reports};
use crate::{FAILED, INTERRUPTED, LAB, PASS, args::RunArgs, bisect::Bisected, images::meant, show};

/// Totals, reports, and the exit code. `asked` are the runs that were asked for, in the order of the results.
pub(super) fn conclude(
    args: &RunArgs,
    asked: &[RunId],
    played: Played,
    began: Instant,
    cancel: &Cancel,
) -> u8 {
    let Played { results, repeats } = played;
    let mut code = repeats.iter().map(Repeat::exit_code).fold(PASS, worse);
    let (mut summaries, mut unjudged) = (Vec::new(), Vec::new());
    for (run, result) in asked.iter().zip(results) {
        match result {
            Some(Ok(summary)) => {
                code = worse(code, summary.verdict.exit_code());
                summaries.push(summary);
            }
            Some(Err(error)) => {
                code = worse(code, of_error(args, run, &error));
                unjudged.push(without_verdict(run, how(&error), error.to_string()));
            }
            None => unjudged.push(without_verdict(run, How::NotStarted, why_not(cancel))),
        }
    }
    if cancel.is_cancelled() && !unjudged.is_empty() {
        code = worse(code, INTERRUPTED);
    }
    code = worse(code, skips(args, &summaries, unjudged.is_empty()));
    code = worse(code, write_reports(args, &summaries, &unjudged));
    print(args, &summaries, &unjudged, began);
    if code == INTERRUPTED {
        show::error("interrupted; nothing is left running");
    }
    code
}

/// The reports and exit code of a suite for which the lab or an image was not ready.
pub(super) fn conclude_unready(
    args: &RunArgs,
    scenarios: &[(PathBuf, Scenario)],
    unready: &Unready,
) -> u8 {
    let mut unjudged = Vec::new();
    for (file, scenario) in scenarios {
        for image in meant(&args.image, scenario) {
            unjudged.extend((1..=args.repeat).map(|number| Unjudged {
                scenario: file.display().to_string(),
                image: image.clone(),
                run: (args.repeat > 1).then_some(number),
                how: How::NotStarted,
                reason: format!("it was not started: {}", unready.why),
            }));
        }
    }
    if args.json {
        show::print_unjudged(&unjudged);
    }
    worse(unready.code, write_reports(args, &[], &unjudged))
}

/// The reports and exit code of a bisection. Verdicts are expected to differ: only a failed lab counts.
pub(super) fn conclude_bisection(args: &RunArgs, bisected: Bisected, cancel: &Cancel) -> u8 {
    let Bisected { summaries, stopped, not_begun } = bisected;
    let failed = summaries.iter().any(|summary| summary.verdict == Verdict::Error);
    let (mut code, mut unjudged) = (if failed { LAB } else { PASS }, Vec::new());
    if let Some((run, error)) = &stopped {
        code = worse(code, of_error(args, run, error));
        unjudged.push(without_verdict(run, how(error), error.to_string()));
    }
    let why = if cancel.is_cancelled() { "it was interrupted" } else { "a run failed" };
    let not_begun = not_begun.iter().map(|run| {
        let reason = format!("the bisection did not come to it: {why}");
        without_verdict(run, How::NotStarted, reason)
    });
    unjudged.extend(not_begun);
    code = worse(code, write_reports(args, &summaries, &unjudged));
    if code == INTERRUPTED {
        show::error("interrupted; nothing is left running");
    }
    code
}

/// Writes the reports. Returns the exit code for that.
fn write_reports(args: &RunArgs, summaries: &[Summary], unjudged: &[Unjudged]) -> u8 {
    match reports::write(args, summaries, unjudged) {
        Ok(()) => PASS,
        Err(problem) => {
            show::error(&problem);
            LAB
        }
    }
}

fn print(args: &RunArgs, summaries: &[Summary], unjudged: &[Unjudged], began: Instant) {
    let wall_s = began.elapsed().as_secs_f64();
    let verdicts: Vec<Verdict> = summaries.iter().map(|summary| summary.verdict).collect();
    if args.json {
        show::print_unjudged(unjudged);
    } else if verdicts.len() + unjudged.len() > 1 {
        show::print_totals(&verdicts, unjudged.len(), wall_s);
    }
    if let Some(matrix) = Matrix::of(summaries)
        && !args.json
    {
        show::print_matrix(&matrix);
        if matrix.rows.iter().any(Row::differs) {
            let out = args.out.display();
            outln!("why: `sansim compare RUN RUN`, with the directories of both runs in {out}");
        }
    }
    if args.timings && summaries.len() > 1 {
        let totals = Totals::of(summaries, wall_s, own_cpu_time().as_secs_f64());
        show::print_timings(&totals, args.json);
    }
}

/// Says loudly that nothing was tested, or that something was not. Returns the exit code.
fn skips(args: &RunArgs, summaries: &[Summary], whole: bool) -> u8 {
    let skipped = summaries.iter().filter(|it| it.verdict == Verdict::Skipped).count();
    let all = whole && skipped == summaries.len();
    if skipped == 0 {
        return PASS;
    }
    let many = if skipped == 1 { "1 run was".to_owned() } else { format!("{skipped} runs were") };
    match (args.no_skip, all) {
        (true, _) => show::error(&format!("{many} skipped, which --no-skip does not allow")),
        (false, true) => show::error(&format!(
            "nothing was tested: {many} asked for, and all skipped (--no-skip makes this a failure)"
        )),
        (false, false) => {}
    }
    if args.no_skip { FAILED } else { PASS }
}

/// The exit code of a run that ended with an error, which is printed.
fn of_error(args: &RunArgs, run: &RunId, error: &RunError) -> u8 {
    match error {
        RunError::Interrupted => INTERRUPTED,
        RunError::TakenOver if args.hold_on_fail => FAILED,
        RunError::TakenOver => PASS,
        error => {
            show::error(&format!("{}: {error}", run.label()));
            LAB
        }
    }
}

fn how(error: &RunError) -> How {
    match error {
        RunError::Interrupted => How::Interrupted,
        RunError::TakenOver | RunError::Left { .. } => How::Left,
        _ => How::Failed,
    }
}

fn why_not(cancel: &Cancel) -> String {
    let why = if cancel.is_cancelled() { "the suite was interrupted" } else { "--fail-fast" };
    format!("it was not started: {why}")
}

fn without_verdict(run: &RunId, how: How, reason: String) -> Unjudged {
    Unjudged {
        scenario: run.file.display().to_string(),
        image: run.image.clone(),
        run: run.repetition.map(|repetition| repetition.number),
        how,
        reason,
    }
}

/// The codes are in order: an interrupt outranks a failed lab, which outranks a failed expectation.
fn worse(a: u8, b: u8) -> u8 {
    a.max(b)
}
