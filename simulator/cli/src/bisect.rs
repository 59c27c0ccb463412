//! `sansim run --bisect`: the first of several kernels on which a scenario's verdict changes.

use std::{collections::BTreeMap, sync::Arc};

use sansim_language::value::release_order;
use sansim_report::verdict::{Summary, Verdict};
use sansim_run::{RunError, RunId, RunSpec, Sink};
use sansim_suite::{Lab, SuiteOptions, run_suite};
use tokio_util::sync::CancellationToken as Cancel;

use crate::show;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// The oldest and the newest kernel have this verdict; those in between were not run.
    Same(Verdict),
    /// `last` is the index of the last kernel with the verdict `was`; the next one has `is`.
    After { last: usize, was: Verdict, is: Verdict },
}

/// What was run for a bisection.
#[derive(Default)]
pub(crate) struct Bisected {
    /// The summaries of the runs that it took.
    pub(crate) summaries: Vec<Summary>,
    /// The run that ended without a verdict, and with it the bisection.
    pub(crate) stopped: Option<(RunId, RunError)>,
    /// The scenarios that were not begun then, each by its first run.
    pub(crate) not_begun: Vec<RunId>,
}

/// A run has ended without a verdict.
struct Stopped;

/// Bisects each scenario on its own, until a run fails without a verdict.
pub(crate) async fn bisect(
    specs: Vec<RunSpec>,
    lab: &Lab,
    sink: Arc<dyn Sink>,
    cancel: &Cancel,
) -> Bisected {
    let mut by_scenario: BTreeMap<_, Vec<RunSpec>> = BTreeMap::new();
    for spec in specs {
        by_scenario.entry(spec.id.file.clone()).or_default().push(spec);
    }
    let (mut bisected, mut told) = (Bisected::default(), Vec::new());
    for mut specs in by_scenario.into_values() {
        specs.sort_by(|a, b| release_order(&a.image.release, &b.image.release));
        if bisected.stopped.is_some() {
            bisected.not_begun.extend(specs.first().map(|spec| spec.id.clone()));
            continue;
        }
        let before = bisected.summaries.len();
        let found = search(specs.len(), async |index| {
            let spec = &specs[index];
            match run_one(spec, lab, Arc::clone(&sink), cancel).await {
                Ok(summary) => {
                    let verdict = summary.verdict;
                    bisected.summaries.push(summary);
                    Ok(verdict)
                }
                Err(error) => {
                    bisected.stopped = Some((spec.id.clone(), error));
                    Err(Stopped)
                }
            }
        });
        if let Ok(found) = found.await {
            told.push(tell(&specs, found, bisected.summaries.len() - before));
        }
    }
    show::print_lines(&told);
    bisected
}

async fn run_one(
    spec: &RunSpec,
    lab: &Lab,
    sink: Arc<dyn Sink>,
    cancel: &Cancel,
) -> Result<Summary, RunError> {
    let mut spec = spec.clone();
    spec.id.index = 0;
    let options = SuiteOptions { jobs: 1, fail_fast: false };
    let mut played = run_suite(vec![spec], options, lab, sink, cancel).await;
    played.results.pop().flatten().unwrap_or(Err(RunError::Interrupted))
}

/// Runs the first, the last, and as few as possible in between (binary search).
async fn search<E>(
    count: usize,
    mut verdict: impl AsyncFnMut(usize) -> Result<Verdict, E>,
) -> Result<Found, E> {
    let was = verdict(0).await?;
    let (mut low, mut high) = (0, count.saturating_sub(1));
    let mut is = if high == 0 { was } else { verdict(high).await? };
    if is == was {
        return Ok(Found::Same(was));
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match verdict(middle).await? {
            same if same == was => low = middle,
            other => (high, is) = (middle, other),
        }
    }
    Ok(Found::After { last: low, was, is })
}

fn tell(specs: &[RunSpec], found: Found, runs: usize) -> String {
    let kernel = |spec: &RunSpec| format!("{} ({})", spec.image.release, spec.id.image);
    let (name, of) = (&specs[0].id.name, specs.len());
    let what = match found {
        Found::Same(verdict) => {
            let (first, last) = (kernel(&specs[0]), kernel(&specs[of - 1]));
            format!("{verdict} on both {first} and {last}")
        }
        Found::After { last, was, is } => {
            let (last, next) = (kernel(&specs[last]), kernel(&specs[last + 1]));
            format!("{was} up to {last}, {is} from {next} on")
        }
    };
    format!("{name}: {what}; run on {runs} of {of} images")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn found(verdicts: &[Verdict]) -> (Found, usize) {
        let mut asked = 0;
        let found = search(verdicts.len(), async |index: usize| {
            asked += 1;
            Ok::<_, ()>(verdicts[index])
        });
        (found.await.unwrap(), asked)
    }

    #[tokio::test]
    async fn the_change_is_found_wherever_it_is() {
        for changes_at in 1..17 {
            let verdicts: Vec<_> = (0..17)
                .map(|n| if n < changes_at { Verdict::Known } else { Verdict::Pass })
                .collect();
            let (found, asked) = found(&verdicts).await;
            let (was, is) = (Verdict::Known, Verdict::Pass);
            assert_eq!(found, Found::After { last: changes_at - 1, was, is });
            assert!(asked <= 2 + 4, "{asked}");
        }
    }

    #[tokio::test]
    async fn where_nothing_changes_only_the_ends_are_asked() {
        assert_eq!(found(&[Verdict::Pass; 9]).await, (Found::Same(Verdict::Pass), 2));
        assert_eq!(found(&[Verdict::Pass]).await, (Found::Same(Verdict::Pass), 1));
    }

    #[tokio::test]
    async fn a_third_verdict_is_another_verdict() {
        let verdicts =
            [Verdict::Known, Verdict::Known, Verdict::Fail, Verdict::Pass, Verdict::Pass];
        let (was, is) = (Verdict::Known, Verdict::Fail);
        assert_eq!(found(&verdicts).await.0, Found::After { last: 1, was, is });
    }
}
