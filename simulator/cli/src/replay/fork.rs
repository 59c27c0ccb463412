//! Other stories that go on from where a replay was held.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use sansim_scenario::{
    lang::{self, Scenario},
    run::{RunError, RunSpec, directory::EVENTS},
    suite::{Lab, SuiteOptions, run_suite},
    verdict::Verdict,
};
use tokio_util::sync::CancellationToken as Cancel;

use super::{
    QUIET, Refused,
    visit::{Saved, Visitor},
};
use crate::{DIFFERS, LAB, PASS, USAGE, show};

/// Reads the stories.
///
/// # Errors
/// The first file that is none; what is wrong with it has been shown.
pub(super) fn stories(files: &[PathBuf]) -> Result<Vec<(PathBuf, Scenario)>, Refused> {
    let story = |file: &PathBuf| {
        let loaded = lang::load(file, &[]).map_err(|diagnostics| {
            show::diagnostics(&diagnostics);
            Refused(USAGE, format!("{} cannot be gone on with", file.display()))
        });
        loaded.map(|scenario| (file.clone(), scenario))
    };
    files.iter().map(story).collect()
}

/// Goes on from the guest that was saved with each of the stories; `told` are the events of the one that
/// was held. Answers the exit code.
///
/// # Errors
/// When a story is another one before that moment, or the lab fails.
pub(super) async fn go_on(
    base: &RunSpec,
    stories: Vec<(PathBuf, Scenario)>,
    saved: &Saved,
    told: &Path,
    lab: &Lab,
    cancel: &Cancel,
) -> Result<u8, Refused> {
    let mut code = PASS;
    for (number, (file, scenario)) in (1..).zip(stories) {
        let mut spec = base.clone();
        spec.id.index = 0;
        spec.id.name.clone_from(&scenario.name);
        spec.id.file.clone_from(&file);
        spec.stamp = format!("{}-fork{number}", base.stamp);
        (spec.scenario, spec.from) = (scenario, Some(Arc::clone(&saved.checkpoint)));
        (spec.until, spec.write_down) = (None, false);
        let visitor = Arc::new(Visitor::new(show::plain(QUIET), None, None, cancel.clone()));
        let options = SuiteOptions { jobs: 1, fail_fast: false };
        let played = run_suite(vec![spec], options, lab, Arc::clone(&visitor) as _, cancel).await;
        let Some(result) = played.results.into_iter().flatten().next() else {
            return Err(RunError::Interrupted.into());
        };
        let summary = result?;
        let directory = match (summary.verdict, visitor.directory()) {
            (Verdict::Error, _) | (_, None) => {
                let why = summary.reason.unwrap_or_else(|| "the lab failed".to_owned());
                return Err(Refused(LAB, format!("{}: {why}", file.display())));
            }
            (_, Some(directory)) => directory,
        };
        if let Some(at) = first_difference(told, &directory.join(EVENTS), saved.events) {
            let why = format!(
                "{} is another story before that moment: it parts at event {at} (compare {} with {})",
                file.display(),
                directory.display(),
                told.display()
            );
            return Err(Refused(USAGE, why));
        }
        if summary.verdict == Verdict::Fail {
            code = DIFFERS;
        }
    }
    Ok(code)
}

/// The first of so many lines in which two files differ, counted from 1.
fn first_difference(one: &Path, other: &Path, lines: u64) -> Option<u64> {
    let read = |path: &Path| File::open(path).ok().map(|file| BufReader::new(file).split(b'\n'));
    let (Some(mut one), Some(mut other)) = (read(one), read(other)) else { return Some(1) };
    let mut next = || (one.next().and_then(Result::ok), other.next().and_then(Result::ok));
    (1..=lines).find(|_| {
        let (one, other) = next();
        one.is_none() || one != other
    })
}
