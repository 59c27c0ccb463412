//! `sansim replay`: a run again, to show that it is the same, or to stop in the middle of it.

mod fork;
mod gdb;
mod recorded;
mod shell;
mod visit;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use console::style;
use sansim_lab::{LabError, WorkDir};
use sansim_report::repeat::{Exact, compare};
use sansim_report::verdict::{PartsSummary, Summary, Verdict};
use sansim_run::{RunError, RunSpec, directory::EVENTS, survey};
use sansim_suite::{Lab, SuiteOptions, run_suite};
use tokio_util::sync::CancellationToken as Cancel;

use self::{
    gdb::Symbols,
    recorded::Recorded,
    visit::{Purpose, Visitor},
};
use crate::{
    DIFFERS, INTERRUPTED, LAB, PASS, USAGE,
    args::ReplayArgs,
    run::{is_usage, prepare, specs, writable},
    show::{self, Style},
    stop,
};

/// What is printed of a run: little, as it has been told before.
const QUIET: Style = Style { json: false, timelines: false, timings: false };

/// Why there is nothing to compare, and the exit code.
struct Refused(u8, String);

impl From<LabError> for Refused {
    fn from(error: LabError) -> Self {
        Refused(if is_usage(&error) { USAGE } else { LAB }, error.to_string())
    }
}

impl From<RunError> for Refused {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Interrupted => Refused(INTERRUPTED, error.to_string()),
            RunError::Lab(error) => error.into(),
            error => Refused(LAB, error.to_string()),
        }
    }
}

/// Runs a run again, and compares.
pub(crate) async fn replay(args: ReplayArgs) -> u8 {
    let cancel = stop::on_signals();
    let done = tokio::select! {
        done = carry_out(&args, &cancel) => done,
        // Whoever has a machine ends it by itself.
        () = late(&cancel) => Err(Refused(INTERRUPTED, "interrupted".to_owned())),
    };
    done.unwrap_or_else(|Refused(code, why)| {
        show::error(&why);
        code
    })
}

/// Some time after the user wants to stop.
async fn late(cancel: &Cancel) {
    cancel.cancelled().await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
}

async fn carry_out(args: &ReplayArgs, cancel: &Cancel) -> Result<u8, Refused> {
    let usage = |why: String| Refused(USAGE, why);
    let recorded = Recorded::read(&args.run).map_err(usage)?;
    refuse(args, recorded.inexact().into_iter().collect())?;
    let problem = args.until.as_ref().and_then(|until| until.problem(&recorded.scenario));
    problem.map_or(Ok(()), |problem| Err(usage(format!("--until: {problem}"))))?;
    writable(&args.out).map_err(|error| {
        let out = args.out.display();
        usage(format!("cannot write into {out}: {error} (choose another place with --out DIR)"))
    })?;
    WorkDir::sweep();
    let run_args = recorded.arguments(args).map_err(usage)?;
    let mut scenarios = vec![(recorded.file(), recorded.scenario.clone())];
    scenarios.extend(fork::stories(&args.fork)?);
    let stories = scenarios.len();
    let (lab, images) = prepare(&run_args, &scenarios).await?;
    let mut forks = specs(&run_args, scenarios, &images);
    if forks.len() != stories {
        return Err(usage("the run was on several images, or on none".to_owned()));
    }
    let mut spec = forks.remove(0);
    spec.alone = true;
    refuse(args, recorded.changes(&spec.image.release, &PartsSummary::now(&spec.image)))?;
    spec.until.clone_from(&args.until);
    if args.shell {
        return shell::shell(spec, &lab, cancel).await;
    }
    if forks.is_empty() {
        let purpose = match args.gdb {
            true => Purpose::Debug(Arc::new(symbols(&spec, &lab, cancel).await?)),
            false => Purpose::Look,
        };
        let fresh = again(spec, &lab, purpose, cancel).await?;
        return Ok(conclude(&recorded.events(), &fresh));
    }
    let place = tempfile::tempdir().map_err(no_directory)?;
    spec.write_down = true;
    let fresh = again(spec, &lab, Purpose::Save(place.path().to_owned()), cancel).await?;
    let code = conclude(&recorded.events(), &fresh);
    match fresh.visitor.saved() {
        None => Err(Refused(LAB, "there is nothing to go on from".to_owned())),
        Some(Err(error)) => Err(Refused(LAB, error.to_string())),
        Some(Ok(saved)) => {
            Ok(code.max(fork::go_on(forks, saved, &fresh.events, &lab, cancel).await?))
        }
    }
}

fn no_directory(error: std::io::Error) -> Refused {
    Refused(LAB, format!("cannot make a temporary directory: {error} (set $TMPDIR)"))
}

/// Says what speaks against it, and goes on only if the user insists.
fn refuse(args: &ReplayArgs, reasons: Vec<String>) -> Result<(), Refused> {
    if reasons.is_empty() {
        return Ok(());
    }
    let reasons = reasons.join("\n  ");
    if args.force {
        eprintln!("{} it may differ:\n  {reasons}", style("warning:").yellow().bold().for_stderr());
        return Ok(());
    }
    let run = args.run.display();
    Err(Refused(
        USAGE,
        format!(
            "{run} cannot be had again as it was:\n  {reasons}\n(--force runs it all the same)"
        ),
    ))
}

/// Where the guest's modules are, found out in a run of its own.
async fn symbols(spec: &RunSpec, lab: &Lab, cancel: &Cancel) -> Result<Symbols, Refused> {
    eprintln!("finding out where the guest's modules are, in a run of its own");
    let scratch = tempfile::tempdir().map_err(no_directory)?;
    let sink = show::plain(QUIET);
    let modules = survey(spec, lab.templates(), sink.as_ref(), cancel, scratch.path()).await?;
    Ok(Symbols { image: spec.image.clone(), modules })
}

/// The run that was run again.
struct Fresh {
    events: PathBuf,
    /// Who was there where it was held.
    visitor: Arc<Visitor>,
}

/// The run, again.
async fn again(
    spec: RunSpec,
    lab: &Lab,
    purpose: Purpose,
    cancel: &Cancel,
) -> Result<Fresh, Refused> {
    let until = spec.until.clone();
    let visitor = Arc::new(Visitor::new(show::plain(QUIET), purpose, cancel.clone()));
    let options = SuiteOptions { jobs: 1, fail_fast: false };
    let sink = Arc::clone(&visitor) as Arc<dyn sansim_run::Sink>;
    let played = run_suite(vec![spec], options, lab, sink, cancel).await;
    let summary = match played.results.into_iter().flatten().next() {
        None => return Err(RunError::Interrupted.into()),
        Some(result) => result?,
    };
    if let Some(until) = until.filter(|_| !visitor.was_there()) {
        println!("the story did not come to {until}");
    }
    let events = events(&summary, visitor.directory(0), "the replay failed")?;
    Ok(Fresh { events, visitor })
}

/// The events of a run; the lab's failure, if it failed.
fn events(summary: &Summary, directory: Option<PathBuf>, what: &str) -> Result<PathBuf, Refused> {
    match directory {
        Some(directory) if summary.verdict != Verdict::Error => Ok(directory.join(EVENTS)),
        _ => {
            let why = summary.reason.as_deref().unwrap_or("the lab failed");
            Err(Refused(LAB, format!("{what}: {why}")))
        }
    }
}

/// Compares, and tells.
fn conclude(old: &Path, fresh: &Fresh) -> u8 {
    let Fresh { events: fresh, visitor } = fresh;
    let exact = compare(old, fresh);
    match (&exact, &exact.base) {
        (Exact { identical: 2, .. }, Some(base)) => {
            let (events, bytes, blake3) = (base.events, base.bytes, &base.blake3);
            println!("identical: {events} events, {bytes} bytes, BLAKE3 {blake3}");
            PASS
        }
        _ => {
            println!("run 1 is {}\nrun 2 is {}\n{exact}", old.display(), fresh.display());
            if !visitor.was_trapped() {
                return DIFFERS;
            }
            println!(
                "that was to be expected: gdb had the guest run into a breakpoint or take a step, at \
                 which QEMU lets its clock jump"
            );
            PASS
        }
    }
}
