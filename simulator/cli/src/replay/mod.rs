//! `sansim replay`: repeats a run to compare its events, or to stop it at a chosen moment.

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
use sansim_run::{CAPTURE, RunError, RunSpec, bundle::unpack, directory::EVENTS, survey};
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

/// A replay prints little: the original run has printed its results already.
const QUIET: Style = Style { json: false, timelines: false, timings: false };

/// An exit code, and the error message that explains it.
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

pub(crate) async fn replay(args: ReplayArgs) -> u8 {
    let cancel = stop::on_signals();
    let done = tokio::select! {
        done = carry_out(&args, &cancel) => done,
        // A run with a machine stops it itself; this gives it time to do so.
        () = late(&cancel) => Err(Refused(INTERRUPTED, "interrupted".to_owned())),
    };
    done.unwrap_or_else(|Refused(code, why)| {
        show::error(&why);
        code
    })
}

/// Returns five seconds after an interrupt.
async fn late(cancel: &Cancel) {
    cancel.cancelled().await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
}

/// The run in a bundle, unpacked; `None` if it is a directory already.
fn unpacked(run: &Path) -> Result<Option<tempfile::TempDir>, Refused> {
    if !run.is_file() {
        return Ok(None);
    }
    let place = tempfile::tempdir().map_err(no_directory)?;
    unpack(run, place.path()).map_err(|error| Refused(USAGE, error.to_string()))?;
    Ok(Some(place))
}

async fn carry_out(args: &ReplayArgs, cancel: &Cancel) -> Result<u8, Refused> {
    let usage = |why: String| Refused(USAGE, why);
    // Of a bundle, until the replay has ended.
    let unpacked = unpacked(&args.run)?;
    let run = unpacked.as_ref().map_or(args.run.as_path(), |place| place.path());
    let recorded = Recorded::read(run).map_err(usage)?;
    refuse(args, recorded.inexact().into_iter().collect())?;
    let problem = args.until.as_ref().and_then(|until| until.problem(&recorded.scenario));
    problem.map_or(Ok(()), |problem| Err(usage(format!("--until: {problem}"))))?;
    writable(&args.out).map_err(usage)?;
    WorkDir::sweep();
    let run_args = recorded.arguments(args).map_err(usage)?;
    let mut scenarios = vec![(recorded.file(), recorded.scenario.clone())];
    scenarios.extend(fork::stories(&args.fork)?);
    let stories = scenarios.len();
    let (lab, images) = prepare(&run_args, &scenarios).await?;
    let mut forks = specs(&run_args, scenarios, &images);
    if forks.len() != stories {
        return Err(usage("the run must have used exactly one image".to_owned()));
    }
    let mut spec = forks.remove(0);
    spec.alone = true;
    refuse(args, recorded.changes(&spec.image.release, &PartsSummary::now(&spec.image)))?;
    spec.until.clone_from(&args.until);
    if args.until.is_some() {
        // Somebody looks at it.
        spec.host_timeout = None;
    }
    if args.shell {
        return shell::shell(spec, &lab, cancel).await;
    }
    if forks.is_empty() {
        let purpose = match args.gdb {
            true => Purpose::Debug(Arc::new(symbols(&spec, &lab, cancel).await?)),
            false => Purpose::Look,
        };
        let fresh = again(spec, &lab, purpose, cancel).await?;
        let code = conclude(&recorded.events(), &fresh);
        if args.capture.is_some() {
            // That of a bundle is of no use: the file stays as it is.
            let beside = unpacked.is_none().then(|| run.join(CAPTURE));
            captured(&fresh, beside.filter(|_| code == PASS))?;
        }
        return Ok(code);
    }
    let place = tempfile::tempdir().map_err(no_directory)?;
    spec.write_down = true;
    let fresh = again(spec, &lab, Purpose::Save(place.path().to_owned()), cancel).await?;
    let code = conclude(&recorded.events(), &fresh);
    match fresh.visitor.saved() {
        None => Err(Refused(
            LAB,
            "no guest was saved to continue from: the story did not reach the moment of --until"
                .to_owned(),
        )),
        Some(Err(error)) => Err(Refused(LAB, error.to_string())),
        Some(Ok(saved)) => {
            Ok(code.max(fork::go_on(forks, saved, &fresh.events, &lab, cancel).await?))
        }
    }
}

/// Says where the capture of a replay is, after a copy `beside` the events of the run, if there is none.
fn captured(fresh: &Fresh, beside: Option<PathBuf>) -> Result<(), Refused> {
    let file = fresh.events.with_file_name(CAPTURE);
    let beside = beside.filter(|beside| !beside.exists());
    if let Some(beside) = &beside {
        std::fs::copy(&file, beside)
            .map_err(|error| Refused(LAB, format!("cannot write {}: {error}", beside.display())))?;
    }
    outln!("captured: {}", beside.unwrap_or(file).display());
    Ok(())
}

fn no_directory(error: std::io::Error) -> Refused {
    Refused(
        LAB,
        format!("cannot create a temporary directory: {error} (set TMPDIR to another one)"),
    )
}

/// Returns an error if there is a reason why the result may differ; with `--force`, only prints a warning.
fn refuse(args: &ReplayArgs, reasons: Vec<String>) -> Result<(), Refused> {
    if reasons.is_empty() {
        return Ok(());
    }
    let reasons = reasons.join("\n  ");
    if args.force {
        errln!(
            "{} the result may differ:\n  {reasons}",
            style("warning:").yellow().bold().for_stderr()
        );
        return Ok(());
    }
    let run = args.run.display();
    Err(Refused(
        USAGE,
        format!(
            "{run} cannot be repeated exactly:\n  {reasons}\n(use --force to repeat it anyway)"
        ),
    ))
}

/// Finds the addresses of the guest's modules, in a separate run: a query would change the story.
async fn symbols(spec: &RunSpec, lab: &Lab, cancel: &Cancel) -> Result<Symbols, Refused> {
    errln!("finding the addresses of the guest's kernel modules, in a separate run");
    let scratch = tempfile::tempdir().map_err(no_directory)?;
    let sink = show::plain(QUIET);
    let modules = survey(spec, lab.templates(), sink.as_ref(), cancel, scratch.path()).await?;
    Ok(Symbols { image: spec.image.clone(), modules })
}

/// A finished replay.
struct Fresh {
    events: PathBuf,
    /// What happened while the story was stopped.
    visitor: Arc<Visitor>,
}

/// Repeats the run.
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
        outln!("the story did not reach {until}");
    }
    let events = events(&summary, visitor.directory(0), "the replay failed")?;
    Ok(Fresh { events, visitor })
}

/// The `events.ndjson` of a run; an error if the lab failed.
fn events(summary: &Summary, directory: Option<PathBuf>, what: &str) -> Result<PathBuf, Refused> {
    match directory {
        Some(directory) if summary.verdict != Verdict::Error => Ok(directory.join(EVENTS)),
        _ => {
            let why = summary.reason.as_deref().unwrap_or("the lab failed");
            Err(Refused(LAB, format!("{what}: {why}")))
        }
    }
}

/// Compares the events of both runs and prints the result; returns the exit code.
fn conclude(old: &Path, fresh: &Fresh) -> u8 {
    let Fresh { events: fresh, visitor } = fresh;
    let exact = compare(old, fresh);
    match (&exact, &exact.base) {
        (Exact { identical: 2, .. }, Some(base)) => {
            let (events, bytes, blake3) = (base.events, base.bytes, &base.blake3);
            outln!("identical: {events} events, {bytes} bytes, BLAKE3 {blake3}");
            PASS
        }
        _ => {
            outln!("run 1 is {}\nrun 2 is {}\n{exact}", old.display(), fresh.display());
            if !visitor.was_trapped() {
                return DIFFERS;
            }
            outln!(
                "this was to be expected: with gdb the guest hit a breakpoint or made a single step, at \
                 which QEMU lets its clock jump"
            );
            PASS
        }
    }
}
