//! `sansim replay --fork`: other stories that continue from the moment at which a replay was stopped.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use sansim_language as lang;
use sansim_language::Scenario;
use sansim_report::verdict::Verdict;
use sansim_run::{RunError, RunSpec};
use sansim_suite::{Lab, SuiteOptions, run_suite};
use tokio_util::sync::CancellationToken as Cancel;

use super::{
    QUIET, Refused, events,
    visit::{Purpose, Saved, Visitor},
};
use crate::{DIFFERS, PASS, USAGE, check::tests_something, show};

/// Loads the scenario files of `--fork`.
///
/// # Errors
/// For the first file that cannot be loaded or tests nothing; its errors have been printed.
pub(super) fn stories(files: &[PathBuf]) -> Result<Vec<(PathBuf, Scenario)>, Refused> {
    let story = |file: &PathBuf| {
        let loaded = lang::load(file, &[]).map_err(|diagnostics| {
            show::diagnostics(&diagnostics);
            Refused(USAGE, format!("{} cannot be used with --fork", file.display()))
        });
        let scenario = loaded?;
        if !tests_something(&scenario) {
            return Err(Refused(USAGE, format!("{} tests nothing", file.display())));
        }
        Ok((file.clone(), scenario))
    };
    files.iter().map(story).collect()
}

/// Continues each story from the saved guest, as many in parallel as there are processors. `told` is the
/// `events.ndjson` of the replay that was stopped. Returns the exit code.
///
/// # Errors
/// When a story differs before the moment of the save, or the lab fails.
pub(super) async fn go_on(
    mut forks: Vec<RunSpec>,
    saved: &Saved,
    told: &Path,
    lab: &Lab,
    cancel: &Cancel,
) -> Result<u8, Refused> {
    for (index, spec) in forks.iter_mut().enumerate() {
        spec.id.index = index;
        spec.stamp = format!("{}-fork{}", spec.stamp, index + 1);
        spec.alone = false;
        spec.from = Some(Arc::clone(&saved.checkpoint));
    }
    let files: Vec<PathBuf> = forks.iter().map(|spec| spec.id.file.clone()).collect();
    let visitor = Arc::new(Visitor::new(show::plain(QUIET), Purpose::Look, cancel.clone()));
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let options = SuiteOptions { jobs, fail_fast: false };
    let played = run_suite(forks, options, lab, Arc::clone(&visitor) as _, cancel).await;
    let mut code = PASS;
    for (index, (file, result)) in files.iter().zip(played.results).enumerate() {
        let shown = file.display();
        let summary = result.ok_or(RunError::Interrupted)?.map_err(|error| {
            let Refused(code, why) = error.into();
            Refused(code, format!("{shown}: {why}"))
        })?;
        let events = events(&summary, visitor.directory(index), &shown.to_string())?;
        if let Some(at) = first_difference(told, &events, saved.events) {
            let (other, told) = (events.display(), told.display());
            let why = format!(
                "the story of {shown} differs before that moment, at event {at} (compare {other} with {told})"
            );
            return Err(Refused(USAGE, why));
        }
        if summary.verdict == Verdict::Fail {
            code = DIFFERS;
        }
    }
    Ok(code)
}

/// The first line in which two files differ, from 1, among the first `lines` lines.
fn first_difference(one: &Path, other: &Path, lines: u64) -> Option<u64> {
    let read = |path: &Path| File::open(path).ok().map(|file| BufReader::new(file).split(b'\n'));
    let (Some(mut one), Some(mut other)) = (read(one), read(other)) else { return Some(1) };
    (1..=lines).find(|_| match (one.next(), other.next()) {
        (Some(Ok(one)), Some(Ok(other))) => one != other,
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_compared_as_far_as_is_wanted() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (one, other) = (file("one", "a\nb\nc\n"), file("other", "a\nb\nd\n"));
        assert_eq!(first_difference(&one, &other, 2), None);
        assert_eq!(first_difference(&one, &other, 3), Some(3));
        assert_eq!(first_difference(&one, &one, 4), Some(4), "there is no such line");
        assert_eq!(first_difference(&one, &dir.path().join("none"), 1), Some(1));
    }
}
