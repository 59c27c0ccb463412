//! `sansim run`: runs scenarios and reports their verdicts.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use sansim_lab::{
    Accel, AccelChoice, LabError, Needs, TimeMode, WorkDir, keeps_exact_time, most_runs,
    own_cpu_time,
};
use sansim_language::Scenario;
use sansim_report::repeat::Repeat;
use sansim_report::totals::Totals;
use sansim_report::verdict::{Summary, Verdict};
use sansim_report::{junit::junit, library::library, matrix::Matrix};
use sansim_run::{Repetition, RunError, RunId, RunSpec, Until};
use sansim_suite::{Lab, Played, SuiteOptions, run_suite};
use tokio_util::sync::CancellationToken as Cancel;

use crate::{
    FAILED, INTERRUPTED, LAB, PASS, USAGE,
    args::{AccelArg, RunArgs, TimeArg},
    bisect::bisect,
    check::load_all,
    hold::Holding,
    images::Images,
    show::{self, Style},
    stop,
};

/// The exit code is that of the worst verdict, or 1 if runs that must be identical differ.
pub(crate) async fn run(args: RunArgs) -> u8 {
    let began = Instant::now();
    let cancel = stop::on_signals();
    let Some(scenarios) = load_all(&args.paths, &args.set) else { return USAGE };
    WorkDir::sweep();
    let (lab, images) = match ready(&args, &scenarios, &cancel).await {
        Ok(ready) => ready,
        Err(code) => return code,
    };
    let mut specs = specs(&args, scenarios, &images);
    let until = if args.hold_on_fail { Some(Until::Failure) } else { args.hold_at.clone() };
    if let Err(problem) = hold(&mut specs, until.as_ref()) {
        show::error(&problem);
        return USAGE;
    }
    let timelines = args.verbose || specs.len() == 1;
    let style = Style { json: args.json, timelines, timings: args.timings };
    let sink = match until {
        // The lab's own lines are mixed in.
        Some(_) => {
            let inner = if args.json { show::sink(style) } else { show::plain(style) };
            Arc::new(Holding::new(inner, specs[0].clone(), cancel.clone()))
        }
        None => show::sink(style),
    };
    if args.bisect {
        return match bisect(specs, &lab, sink, &cancel).await {
            Ok(summaries) => conclude_bisection(&args, &summaries),
            Err(RunError::Interrupted) => INTERRUPTED,
            Err(error) => {
                show::error(&error.to_string());
                LAB
            }
        };
    }
    let jobs = match jobs(&args, &specs) {
        Ok(jobs) => jobs,
        Err(error) => {
            show::error(&error.to_string());
            return LAB;
        }
    };
    let options = SuiteOptions { jobs, fail_fast: args.fail_fast };
    let played = run_suite(specs, options, &lab, sink, &cancel).await;
    conclude(&args, played, began)
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
            | LabError::BadParts { .. }
            | LabError::AnotherStory { .. }
            | LabError::SkipNeedsTcg
            | LabError::SkipNeedsOneProcessor
            | LabError::SkipNeedsNewerQemu { .. }
    )
}

/// Gets everything ready for the runs: a place for their directories, the lab, the images. What goes wrong
/// is printed.
///
/// # Errors
/// The exit code.
pub(crate) async fn ready(
    args: &RunArgs,
    scenarios: &[(PathBuf, Scenario)],
    cancel: &Cancel,
) -> Result<(Lab, Images), u8> {
    let fail = |code: u8, why: &str| {
        show::error(why);
        code
    };
    writable(&args.out).map_err(|why| fail(USAGE, &why))?;
    let prepared = tokio::select! {
        () = cancel.cancelled() => return Err(fail(INTERRUPTED, "interrupted")),
        prepared = prepare(args, scenarios) => prepared,
    };
    prepared.map_err(|error| fail(if is_usage(&error) { USAGE } else { LAB }, &error.to_string()))
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
        (AccelArg::Kvm, _) => AccelChoice::Kvm,
        // --time skip implies --accel tcg.
        (AccelArg::Tcg, _) | (AccelArg::Auto, Some(TimeArg::Skip)) => AccelChoice::Tcg,
        (AccelArg::Auto, _) => AccelChoice::Auto,
    };
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
        let seed = args.seed.or(scenario.seed).unwrap_or_else(|| rand::random::<u32>().into());
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
                from: None,
            };
            specs.extend(repetitions(first, args.repeat));
        }
    }
    let alone = args.jobs == 1 || specs.len() == 1;
    specs.iter_mut().for_each(|spec| spec.alone = alone);
    specs
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

/// Totals, the JUnit report, and the exit code.
fn conclude(args: &RunArgs, played: Played, began: Instant) -> u8 {
    let Played { results, repeats } = played;
    let unfinished =
        |result: &&Option<_>| matches!(result, None | Some(Err(RunError::Interrupted)));
    let not_run = results.iter().filter(unfinished).count();
    let mut summaries = Vec::new();
    let mut code = repeats.iter().map(Repeat::exit_code).fold(PASS, worse);
    for result in results.into_iter().flatten() {
        match result {
            Ok(summary) => {
                code = worse(code, summary.verdict.exit_code());
                summaries.push(summary);
            }
            Err(RunError::Interrupted) => code = worse(code, INTERRUPTED),
            Err(RunError::TakenOver) if args.hold_on_fail => code = worse(code, FAILED),
            Err(RunError::TakenOver) => {}
            Err(error) => {
                show::error(&error.to_string());
                code = worse(code, LAB);
            }
        }
    }
    if let Err(problem) = write_reports(args, &summaries) {
        show::error(&problem);
        code = worse(code, LAB);
    }
    let wall_s = began.elapsed().as_secs_f64();
    let verdicts: Vec<Verdict> = summaries.iter().map(|summary| summary.verdict).collect();
    if !args.json && verdicts.len() + not_run > 1 {
        show::print_totals(&verdicts, not_run, wall_s);
    }
    if let Some(matrix) = Matrix::of(&summaries)
        && !args.json
    {
        show::print_matrix(&matrix);
    }
    if args.timings && summaries.len() > 1 {
        let totals = Totals::of(&summaries, wall_s, own_cpu_time().as_secs_f64());
        show::print_timings(&totals, args.json);
    }
    if code == INTERRUPTED {
        show::error("interrupted; nothing is left running");
    }
    code
}

/// The reports and exit code of a bisection. Verdicts are expected to differ: only a failed lab counts.
fn conclude_bisection(args: &RunArgs, summaries: &[Summary]) -> u8 {
    if let Err(problem) = write_reports(args, summaries) {
        show::error(&problem);
        return LAB;
    }
    let failed = summaries.iter().any(|summary| summary.verdict == Verdict::Error);
    if failed { LAB } else { PASS }
}

/// Writes the files of `--junit`, `--table` and `--matrix`.
fn write_reports(args: &RunArgs, summaries: &[Summary]) -> Result<(), String> {
    let write = |path: &Path, text: io::Result<String>| {
        let written = text.and_then(|text| std::fs::write(path, text));
        written.map_err(|error| format!("cannot write {}: {error}", path.display()))
    };
    if let Some(path) = &args.junit {
        write(path, junit(summaries).to_string().map_err(io::Error::other))?;
    }
    if let Some(path) = &args.table {
        write(path, Ok(library(summaries)))?;
    }
    if let (Some(path), Some(matrix)) = (&args.matrix, Matrix::of(summaries)) {
        write(path, Ok(matrix.markdown()))?;
    }
    Ok(())
}

/// The codes are in order: an interrupt outranks a failed lab, which outranks a failed expectation.
fn worse(a: u8, b: u8) -> u8 {
    a.max(b)
}
