//! `sansim run`: runs scenarios and reports their verdicts.

mod conclusion;
mod reports;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use conclusion::{conclude, conclude_bisection, conclude_unready};
use sansim_lab::{
    Accel, AccelChoice, LabError, Needs, TimeMode, WorkDir, has_plugins, keeps_exact_time,
    most_runs,
};
use sansim_language::Scenario;
use sansim_run::{Repetition, RunId, RunSpec, Sink, Until};
use sansim_suite::{Lab, SuiteOptions, run_suite};
use tokio_util::sync::CancellationToken as Cancel;

use crate::{
    INTERRUPTED, LAB, USAGE,
    args::{AccelArg, RunArgs, TimeArg},
    bisect::bisect,
    check::load_all,
    coverage::Covering,
    hold::Holding,
    images::Images,
    show::{self, Style},
    stop,
};

/// The exit code is that of the worst verdict, or 1 if runs that must be identical differ.
pub(crate) async fn run(args: RunArgs) -> u8 {
    let began = Instant::now();
    let cancel = stop::on_signals();
    if args.coverage.is_none() && !args.source.is_empty() {
        show::error("--debug and --source are for --coverage");
        return USAGE;
    }
    let Some(scenarios) = load_all(&args.paths, &args.set) else { return USAGE };
    // A report may be meant for the directory of the runs, which is made by this.
    if let Err(problem) = writable(&args.out).and_then(|()| reports::check(&args)) {
        show::error(&problem);
        return USAGE;
    }
    WorkDir::sweep();
    let (lab, images) = match ready(&args, &scenarios, &cancel).await {
        Ok(ready) => ready,
        Err(unready) => return conclude_unready(&args, &scenarios, &unready),
    };
    let mut specs = specs(&args, scenarios, &images);
    let until = if args.hold_on_fail { Some(Until::Failure) } else { args.hold_at.clone() };
    if let Err(problem) = hold(&mut specs, until.as_ref()) {
        show::error(&problem);
        return USAGE;
    }
    let timelines = args.verbose || specs.len() == 1;
    let style = Style { json: args.json, timelines, timings: args.timings };
    let covering = args.coverage.as_deref().map(|dir| {
        let covering = Covering::new(dir, style, &specs).map_err(|problem| (LAB, problem))?;
        covering.with_lines(&args.source).map_err(|problem| (USAGE, problem))
    });
    let covering = match covering {
        None => None,
        Some(Ok(covering)) => Some(Arc::new(covering)),
        Some(Err((code, problem))) => {
            show::error(&problem);
            return code;
        }
    };
    let sink = match until {
        // The lab's own lines are mixed in.
        Some(_) => {
            let inner = if args.json { show::sink(style) } else { show::plain(style) };
            Arc::new(Holding::new(inner, specs[0].clone(), cancel.clone()))
        }
        None => match &covering {
            Some(covering) => Arc::clone(covering) as Arc<dyn Sink>,
            None => show::sink(style),
        },
    };
    if args.bisect {
        let bisected = bisect(specs, &lab, sink, &cancel).await;
        return conclude_bisection(&args, bisected, &cancel);
    }
    let jobs = match jobs(&args, &specs) {
        Ok(jobs) => jobs,
        Err(error) => {
            show::error(&error.to_string());
            return LAB;
        }
    };
    let options = SuiteOptions { jobs, fail_fast: args.fail_fast };
    let asked: Vec<RunId> = specs.iter().map(|spec| spec.id.clone()).collect();
    let played = run_suite(specs, options, &lab, sink, &cancel).await;
    let code = conclude(&args, &asked, played, began, &cancel);
    match covering.map_or(Ok(()), |covering| covering.write(args.json)) {
        Ok(()) => code,
        Err(problem) => {
            show::error(&problem);
            code.max(LAB)
        }
    }
}

/// How many runs go on at the same time: as many as the user wants and the host has room for.
fn jobs(args: &RunArgs, specs: &[RunSpec]) -> Result<usize, LabError> {
    let needs = specs.iter().map(RunSpec::needs).reduce(Needs::max).unwrap_or_default();
    let wanted = usize::from(args.jobs).clamp(1, specs.len().max(1));
    let (jobs, why) = most_runs(needs, wanted)?;
    if let Some(why) = why {
        show::note(&format!("{jobs} of {wanted} jobs at a time: {why}"));
    }
    Ok(jobs)
}

/// Sets the moment at which the only run becomes a live lab.
fn hold(specs: &mut [RunSpec], until: Option<&Until>) -> Result<(), String> {
    let Some(until) = until else { return Ok(()) };
    let [spec] = specs else {
        return Err(format!("--hold-on-fail and --hold-at are for one run, not {}", specs.len()));
    };
    spec.until = Some(until.clone());
    spec.host_timeout = None;
    until.problem(&spec.scenario).map_or(Ok(()), Err)
}

/// Whether the user's input is wrong (exit code 2), not the lab (3).
pub(crate) fn is_usage(error: &LabError) -> bool {
    matches!(
        error,
        LabError::UnknownImage { .. }
            | LabError::NoPackage { .. }
            | LabError::BadParts { .. }
            | LabError::AnotherStory { .. }
            | LabError::MarksNeedTcg
            | LabError::SkipNeedsTcg
            | LabError::SkipNeedsOneProcessor
            | LabError::SkipNeedsNewerQemu { .. }
    )
}

/// Gets everything ready for the runs: a place for their directories, the lab, the images. What goes wrong
/// is printed.
///
/// # Errors
/// The exit code, and why.
pub(crate) async fn ready(
    args: &RunArgs,
    scenarios: &[(PathBuf, Scenario)],
    cancel: &Cancel,
) -> Result<(Lab, Images), Unready> {
    writable(&args.out).map_err(|why| Unready::new(USAGE, why))?;
    let prepared = tokio::select! {
        () = cancel.cancelled() => return Err(Unready::new(INTERRUPTED, "interrupted".to_owned())),
        prepared = prepare(args, scenarios) => prepared,
    };
    prepared.map_err(|error| {
        Unready::new(if is_usage(&error) { USAGE } else { LAB }, error.to_string())
    })
}

/// The lab or an image is not ready.
pub(crate) struct Unready {
    /// The exit code.
    pub(crate) code: u8,
    why: String,
}

impl Unready {
    /// Tells the user why.
    fn new(code: u8, why: String) -> Unready {
        show::error(&why);
        Unready { code, why }
    }
}

/// Checks that run directories can be created, before anything that takes long.
///
/// # Errors
/// Why not, and what to do.
pub(crate) fn writable(out: &Path) -> Result<(), String> {
    let file = std::fs::create_dir_all(out).and_then(|()| tempfile::tempfile_in(out));
    file.map(drop).map_err(|error| {
        let out = out.display();
        format!("cannot write to {out}: {error} (choose another directory with --out DIR)")
    })
}

/// Opens the lab and builds every image needed.
pub(crate) async fn prepare(
    args: &RunArgs,
    scenarios: &[(PathBuf, Scenario)],
) -> Result<(Lab, Images), LabError> {
    let choice = match (args.accel, args.time) {
        (AccelArg::Kvm, Some(TimeArg::Skip)) => return Err(LabError::SkipNeedsTcg),
        (AccelArg::Kvm, _) if args.coverage.is_some() => return Err(LabError::MarksNeedTcg),
        (AccelArg::Kvm, _) => AccelChoice::Kvm,
        // --time skip and --coverage imply --accel tcg.
        (AccelArg::Auto, _) if args.coverage.is_some() => AccelChoice::Tcg,
        (AccelArg::Tcg, _) | (AccelArg::Auto, Some(TimeArg::Skip)) => AccelChoice::Tcg,
        (AccelArg::Auto, _) => AccelChoice::Auto,
    };
    if args.coverage.is_some() {
        has_plugins()?;
    }
    let several = |(_, scenario): &(_, Scenario)| scenario.setup.guest.cpus > 1;
    if args.time == Some(TimeArg::Skip) && scenarios.iter().any(several) {
        return Err(LabError::SkipNeedsOneProcessor);
    }
    if args.time != Some(TimeArg::Real)
        && let Err(error @ LabError::SkipNeedsNewerQemu { .. }) = keeps_exact_time()
    {
        if args.time == Some(TimeArg::Skip) {
            return Err(error);
        }
        show::error(&format!("the runs are in real time, and not exact: {error}"));
    }
    let lab = Lab::open(choice)?;
    let images =
        Images::prepare(args, scenarios.iter().map(|(_, scenario)| scenario), &lab).await?;
    Ok((lab, images))
}

fn time_mode(args: &RunArgs, accel: Accel, scenario: &Scenario) -> TimeMode {
    match (args.time, accel) {
        (Some(TimeArg::Real), _) | (None, Accel::Kvm) => TimeMode::Real,
        (None, Accel::Tcg) if scenario.setup.guest.cpus > 1 || keeps_exact_time().is_err() => {
            TimeMode::Real
        }
        (Some(TimeArg::Skip), _) | (None, Accel::Tcg) => TimeMode::Skip,
    }
}

pub(crate) fn specs(
    args: &RunArgs,
    scenarios: Vec<(PathBuf, Scenario)>,
    images: &Images,
) -> Vec<RunSpec> {
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let mut specs = Vec::new();
    for (file, scenario) in scenarios {
        let seed = args.seed.or(scenario.seed).unwrap_or_else(fresh_seed);
        for chosen in images.of(&scenario) {
            let first = RunSpec {
                id: RunId {
                    index: specs.len(),
                    name: scenario.name.clone(),
                    file: file.clone(),
                    image: chosen.label,
                    among_images: images.are_several(),
                    repetition: None,
                },
                scenario: scenario.clone(),
                image: chosen.image.clone(),
                accel: chosen.accel.clone(),
                time: time_mode(args, chosen.accel.accel, &scenario),
                seed,
                cold: args.cold,
                out: args.out.clone(),
                stamp: stamp.clone(),
                repeat: repeat(args, &file, &chosen.name, seed),
                alone: false,
                host_timeout: Some(args.host_timeout.0),
                until: None,
                write_down: false,
                marks: args.coverage.is_some(),
                capture: args.capture.map(Into::into),
                from: None,
            };
            specs.extend(repetitions(first, args.repeat));
        }
    }
    let alone = args.jobs == 1 || specs.len() == 1;
    specs.iter_mut().for_each(|spec| spec.alone = alone);
    specs
}

/// A seed that nobody has chosen. The standard library's source needs no file in /dev, which a container may
/// lack.
fn fresh_seed() -> u64 {
    u64::from(RandomState::new().build_hasher().finish() as u32)
}

/// `of` copies of a run, numbered.
fn repetitions(first: RunSpec, of: u32) -> impl Iterator<Item = RunSpec> {
    (1..=of).map(move |number| {
        let mut spec = first.clone();
        let group = first.id.index;
        spec.id.index = group + number as usize - 1;
        spec.id.repetition = (of > 1).then_some(Repetition { group, number, of });
        spec
    })
}

/// The command line that repeats a single run.
fn repeat(args: &RunArgs, file: &Path, image: &str, seed: u64) -> String {
    let mut words = vec!["sansim".to_owned(), "run".to_owned(), file.display().to_string()];
    words.extend(["--seed".to_owned(), seed.to_string()]);
    if !args.image.is_empty() {
        words.extend(["--image".to_owned(), image.to_owned()]);
    }
    words.extend(args.own.words());
    for set in &args.set {
        words.extend(["--set".to_owned(), set.clone()]);
    }
    match args.time {
        Some(TimeArg::Real) => words.extend(["--time".to_owned(), "real".to_owned()]),
        Some(TimeArg::Skip) => words.extend(["--time".to_owned(), "skip".to_owned()]),
        None => {}
    }
    if args.cold {
        words.push("--cold".to_owned());
    }
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}
