//! `sansim explore`: finds stories that break a law, and makes them short.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use indicatif::{ProgressBar, ProgressStyle};
use sansim_explore::{
    Base, Bench, Blocks, Breach, Finding, Jobs, Listener, Memory, On, Options, PROOFS, Progress,
    Result as Explored, Stop, explore as search, write_report,
};
use sansim_lab::{Image, Needs, WorkDir, has_plugins, most_runs};
use sansim_language::Scenario;
use sansim_run::RunSpec;
use sansim_stage::visible;
use sansim_suite::{Lab, find_scenarios};
use tokio_util::sync::CancellationToken as Cancel;

use crate::{
    FAILED, INTERRUPTED, LAB, PASS, USAGE,
    args::{CoverageArg, ExploreArgs, RunArgs},
    check::{load, overrides},
    coverage::atlas,
    images::Images,
    run::{ready, specs},
    show, stop,
};

pub(crate) async fn explore(args: ExploreArgs) -> u8 {
    let cancel = stop::on_signals();
    match carry_out(&args, &cancel).await {
        Ok(code) => code,
        Err(Refused(code, why)) => {
            if !why.is_empty() {
                show::error(&why);
            }
            code
        }
    }
}

/// An exit code, and the error message that explains it; empty if it was printed already.
struct Refused(u8, String);

impl From<Stop> for Refused {
    fn from(stop: Stop) -> Self {
        Refused(code_of(&stop), stop.to_string())
    }
}

/// The exit code for an exploration that ended before its time.
fn code_of(stop: &Stop) -> u8 {
    match stop {
        Stop::Interrupted => INTERRUPTED,
        Stop::Memory(_) | Stop::BreaksByItself { .. } | Stop::Unfit { .. } => USAGE,
        Stop::Disk(_) | Stop::Lab(_) | Stop::Panicked(_) => LAB,
    }
}

async fn carry_out(args: &ExploreArgs, cancel: &Cancel) -> Result<u8, Refused> {
    let scenarios = scenarios(args)?;
    let mut memory = Memory::open(&args.memory)?;
    WorkDir::sweep();
    // In the memory's directory: what is found is moved from here.
    let work = WorkDir::create_in(&args.memory);
    let work = work.map_err(|error| Refused(LAB, error.to_string()))?;
    let run = args.as_run(work.path().to_owned());
    let ready = ready(&run, &scenarios, cancel).await;
    let (lab, images) = ready.map_err(|unready| Refused(unready.code, String::new()))?;
    let marks = has_marks(args);
    let bench = Arc::new(bench(args, &run, &scenarios, &lab, &images, marks, cancel)?);
    let sets = overrides(&args.set).ok_or_else(|| Refused(USAGE, String::new()))?;
    let base = |(file, scenario): (PathBuf, Scenario)| match std::fs::read_to_string(&file) {
        Ok(text) => Ok(Base { file, text, scenario, sets: sets.clone() }),
        Err(error) => Err(Refused(USAGE, format!("cannot read {}: {error}", file.display()))),
    };
    let bases = scenarios.into_iter().map(base).collect::<Result<Vec<Base>, _>>()?;
    let time = args.runs.is_none().then_some(args.time.0);
    let guidance = args.coverage.guidance();
    let options =
        Options { seed: args.seed, runs: args.runs, time, guidance, stories: args.stories.clone() };
    let listener: Box<dyn Listener> = match args.json {
        true => Box::new(Lines),
        false => Box::new(Line::new()),
    };
    let explored = search(&bases, &bench, options, &mut memory, &*listener).await;
    drop(listener);
    let report = write_report(memory.dir(), memory.state());
    let report = report.map_err(|error| {
        let dir = args.memory.display();
        Refused(LAB, format!("cannot write the report to {dir}: {error}"))
    });
    conclude(args, &explored);
    if let Some(stop) = &explored.stopped {
        show::error(&stop.to_string());
    }
    let report = report?;
    if !args.json {
        outln!("{}", report.display());
    }
    Ok(match explored.stopped {
        Some(stop) => code_of(&stop),
        None if explored.new.is_empty() => PASS,
        None => FAILED,
    })
}

/// Loads the scenarios. One that expects nothing is explored like any other: the laws are expected.
fn scenarios(args: &ExploreArgs) -> Result<Vec<(PathBuf, Scenario)>, Refused> {
    let files = find_scenarios(&args.paths)
        .map_err(|(path, error)| Refused(USAGE, format!("{}: {error}", path.display())))?;
    let sets = overrides(&args.set).ok_or_else(|| Refused(USAGE, String::new()))?;
    let mut names = BTreeSet::new();
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_owned();
        if !names.insert(name) {
            let why = format!(
                "there are two scenarios {}; findings are told by the file's name",
                file.display()
            );
            return Err(Refused(USAGE, why));
        }
    }
    let loaded = files.into_iter().map(|file| {
        let scenario = load(&file, &sets).ok_or_else(|| Refused(USAGE, String::new()))?;
        Ok((file, scenario))
    });
    loaded.collect()
}

/// Whether it can be seen which of the kernel's blocks a story executes. If it should and cannot be, that is said.
fn has_marks(args: &ExploreArgs) -> bool {
    if args.coverage == CoverageArg::Off {
        return false;
    }
    has_plugins()
        .inspect_err(|why| {
            show::note(&format!("new behaviour is the only guide, not the kernel's blocks: {why}"));
        })
        .is_ok()
}

/// The blocks of an image's kernel.
fn blocks(image: &Image) -> Result<Blocks, Refused> {
    let atlas = atlas(image).map_err(|why| Refused(LAB, why))?;
    Ok(Blocks { kernel: image.release.clone(), atlas: Arc::new(atlas) })
}

fn bench(
    args: &ExploreArgs,
    run: &RunArgs,
    scenarios: &[(PathBuf, Scenario)],
    lab: &Lab,
    images: &Images,
    marks: bool,
    cancel: &Cancel,
) -> Result<Bench, Refused> {
    let labels = |scenario: &Scenario| -> Vec<String> {
        images.of(scenario).into_iter().map(|it| it.label).collect()
    };
    let (_, first) = &scenarios[0];
    let another = scenarios.iter().find(|(_, scenario)| labels(scenario) != labels(first));
    if let Some((file, _)) = another {
        let why =
            "is for another image than the first scenario: explore them apart, or give --image";
        return Err(Refused(USAGE, format!("{} {why}", file.display())));
    }
    let on = images.of(first).into_iter().map(|it| {
        let (image, accel) = (it.image.clone(), it.accel.clone());
        let blocks = marks.then(|| blocks(&image)).transpose()?;
        Ok(On { label: it.label, image, accel, blocks })
    });
    let on = on.collect::<Result<Vec<On>, Refused>>()?;
    let specs = specs(run, scenarios.to_vec(), images);
    if let Some(spec) = specs.iter().find(|spec| !spec.exactness().is_exact()) {
        let why = format!(
            "{} cannot be explored: its runs are {}",
            spec.id.file.display(),
            spec.exactness()
        );
        return Err(Refused(USAGE, why));
    }
    let needs = specs.iter().map(RunSpec::needs).reduce(Needs::max).unwrap_or_default();
    let (jobs, why) =
        most_runs(needs, args.jobs.into()).map_err(|error| Refused(LAB, error.to_string()))?;
    if let Some(why) = why {
        show::note(&format!("{jobs} of {} jobs at a time: {why}", args.jobs));
    }
    Ok(Bench {
        templates: lab.templates().clone(),
        on,
        time: specs[0].time,
        jobs: Jobs::at_a_time(jobs),
        host_timeout: args.host_timeout.0,
        work: run.out.clone(),
        cancel: cancel.clone(),
    })
}

/// Prints what the exploration came to.
fn conclude(args: &ExploreArgs, explored: &Explored) {
    let progress = &explored.progress;
    if args.json {
        let names: Vec<&str> = explored.new.iter().map(|it| it.name.as_str()).collect();
        let stopped = explored.stopped.as_ref().map(ToString::to_string);
        let line = serde_json::json!({
            "kind": "result", "progress": progress, "new": names, "stopped": stopped,
        });
        outln!("{line}");
        return;
    }
    outln!(
        "\n{} stories and {} runs to make them short in {:.0} s ({:.0} a minute, {:.0} s of the guests' time)",
        progress.stories,
        progress.trials,
        progress.seconds,
        progress.a_minute(),
        progress.simulated_s
    );
    if progress.of_blocks > 0 {
        outln!("{} of {} blocks of the kernel executed", progress.blocks, progress.of_blocks);
    }
    outln!(
        "{} new, {} times something known, {} came to no end",
        explored.new.len(),
        progress.known,
        progress.died
    );
    for finding in &explored.new {
        outln!("  {}: {}", finding.name, visible(&finding.title));
    }
}

/// Progress as a line that changes on a terminal, and as a line now and then elsewhere.
struct Line {
    bar: ProgressBar,
    told: std::cell::Cell<f64>,
}

/// How often a line is printed where it cannot change, in seconds.
const NOW_AND_THEN: f64 = 30.0;

impl Line {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        show::spin(&bar);
        Line { bar, told: std::cell::Cell::new(0.0) }
    }

    fn print(&self, text: &str) {
        let text = visible(text);
        self.bar.suspend(|| errln!("{text}"));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Listener for Line {
    fn progress(&self, progress: &Progress) {
        let found: Vec<String> =
            progress.findings.iter().map(|(law, count)| format!("{count} {law}")).collect();
        let found = if found.is_empty() { "nothing yet".to_owned() } else { found.join(", ") };
        let blocks = match progress.of_blocks {
            0 => String::new(),
            all => format!("{} of {all} blocks, ", progress.blocks),
        };
        let text = format!(
            "{:.0} s  {} stories, {:.0} a minute  {blocks}{} behaviours  found: {found}",
            progress.seconds,
            progress.stories,
            progress.a_minute(),
            progress.behaviours
        );
        if !self.bar.is_hidden() {
            self.bar.set_message(text);
        } else if progress.seconds >= self.told.get() + NOW_AND_THEN {
            self.told.set(progress.seconds);
            errln!("{text}");
        }
    }

    fn shortening(&self, breach: &Breach, trials: usize) {
        let text = format!("making it short, {trials} runs: {} ({})", breach.seen, breach.law);
        self.bar.set_message(visible(&text).into_owned());
    }

    fn finding(&self, finding: &Finding, dir: &std::path::Path) {
        let Finding { title, lines, fails, trials, .. } = finding;
        self.print(&format!(
            "found: {title}\n  {} ({lines} lines, fails {fails} of {PROOFS}, after {trials} runs to make it short)",
            dir.join("scenario.toml").display()
        ));
    }

    fn note(&self, text: &str) {
        self.print(&format!("note: {text}"));
    }
}

/// Progress as lines of JSON.
struct Lines;

impl Listener for Lines {
    fn progress(&self, progress: &Progress) {
        outln!("{}", serde_json::json!({ "kind": "progress", "progress": progress }));
    }

    fn shortening(&self, breach: &Breach, trials: usize) {
        outln!(
            "{}",
            serde_json::json!({ "kind": "shortening", "breach": breach, "trials": trials })
        );
    }

    fn finding(&self, finding: &Finding, dir: &std::path::Path) {
        outln!(
            "{}",
            serde_json::json!({ "kind": "finding", "finding": finding, "directory": dir })
        );
    }

    fn note(&self, text: &str) {
        outln!("{}", serde_json::json!({ "kind": "note", "text": text }));
    }
}
