//! Derives the verdict of a story, and explains it in words.

use std::time::Duration;

use sansim_language::Scenario;
use sansim_report::verdict::Verdict;
use sansim_stage::{ExpectationResult, event::What};

use crate::{Finished, story::Told};

/// The verdict of a completed story, with a reason unless it is a pass.
pub(super) fn verdict(told: &Told, scenario: &Scenario) -> (Verdict, Option<String>) {
    if !told.witness.agrees() {
        return (Verdict::Error, Some(told.witness.to_string()));
    }
    if let Some(complaint) = &told.complaint {
        return (Verdict::Fail, Some(complaint.clone()));
    }
    if told.over_limit {
        return (Verdict::Fail, Some(over_limit(told, scenario.limit)));
    }
    if let Some(program) = &told.lacks {
        let reason = format!("the scenario needs {program}, which the userland does not have");
        return (Verdict::Skipped, Some(reason));
    }
    let failed = |e: &&ExpectationResult| !e.ok && !e.is_known();
    if let Some(e) = told.expectations.iter().find(failed) {
        return (Verdict::Fail, Some(e.complaint()));
    }
    if let Some(e) = told.expectations.iter().find(|e| e.ok && e.known.is_some()) {
        let known = e.known.as_deref().unwrap_or_default();
        let news = format!("{} holds, although this kernel is known to break it ({known})", e.text);
        return (Verdict::Fail, Some(news));
    }
    if let Some(first) = told.idle.first() {
        let more = match told.idle.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        return (Verdict::Fail, Some(format!("not tested: {first}{more}")));
    }
    match told.expectations.iter().find(|e| !e.ok) {
        None => (Verdict::Pass, None),
        Some(e) => {
            let known = e.known.as_deref().unwrap_or_default();
            (Verdict::Known, Some(format!("{} (known: {known})", e.complaint())))
        }
    }
}

/// The reason for a story that reached its limit: the unmet expectations and the steps it was waiting for.
fn over_limit(told: &Told, limit: Duration) -> String {
    let limit = limit.as_secs_f64();
    let late = told.expectations.iter().filter(|e| !e.ok && e.decided_at >= limit);
    let open: Vec<String> =
        late.map(ExpectationResult::complaint).chain(told.open.iter().cloned()).collect();
    let mut reason = format!("the story lasted longer than its limit of {limit} s");
    if !open.is_empty() {
        reason = format!("{reason}; still open: {}", open.join("; "));
    }
    reason
}

/// The explanation of a run that did not pass: what was expected and seen, the last commands on the wire,
/// and how to repeat the run. Lines without newlines.
pub fn explain(finished: &Finished) -> Vec<String> {
    let summary = &finished.summary;
    let mut lines = Vec::new();
    if summary.expectations.iter().all(|e| e.ok) && summary.idle.is_empty() {
        lines.extend(summary.reason.iter().flat_map(|reason| reason.lines()).map(str::to_owned));
    }
    for e in summary.expectations.iter().filter(|e| !e.ok) {
        lines.push(String::new());
        for miss in &e.misses {
            lines.push(format!("expected  {}", miss.expected));
            lines.push(format!("seen      {} (decided at {:.3} s)", miss.seen, e.decided_at));
        }
        if let Some(because) = &e.because {
            lines.push(format!("because   {because}"));
        }
        if let Some(known) = &e.known {
            lines.push(format!("known     {known}"));
        }
        for miss in e.symptom.iter().flat_map(|symptom| &symptom.misses) {
            lines.push(format!("  there   {}", miss.expected));
            lines.push(format!("  here    {}", miss.seen));
        }
    }
    if !summary.idle.is_empty() {
        lines.push(String::new());
        lines.extend(summary.idle.iter().map(|idle| format!("untested  {idle}")));
    }
    if !finished.recorded.last_commands.is_empty() {
        lines.push(String::new());
        lines.push("the last commands on the wire".to_owned());
        for event in &finished.recorded.last_commands {
            if let What::Command(c) = &event.what {
                let answer = c.answer();
                lines.push(format!(
                    "{:>9.3}s  hba{}:{} LUN {}  {:<18} {answer}",
                    event.t, c.hba, c.port, c.lun, c.op
                ));
            }
        }
    }
    lines.push(String::new());
    lines.push(format!("everything  {}", finished.recorded.directory.display()));
    lines.push(format!("repeat      {}", summary.repeat));
    lines
}
