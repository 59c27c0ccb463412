//! From tables as written to the plan: fills in defaults, resolves names, and finds what is wrong
//! beyond the form of the tables.

mod array;
mod captured;
mod change;
mod context;
mod effect;
mod expect;
mod fault;
mod guest;
mod impossible;
mod manager;
mod personality;
mod shape;
mod step;
mod workload;

use std::{path::Path, time::Duration};

use context::Checker;

use super::{
    Diagnostic, Diagnostics,
    file::{File, Name},
    plan::{Ending, Scenario},
    source::Sources,
    value::TimeSpan,
};

const DEFAULT_LIMIT: Duration = Duration::from_secs(120);
const DEFAULT_SETTLE: Duration = Duration::from_millis(500);
const DEFAULT_COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_TITLE: usize = 200;

/// Checks a file and says what it means.
pub(super) fn check(name: &str, file: &File, sources: &Sources) -> Result<Scenario, Diagnostics> {
    let mut checker = Checker::new(sources);
    let title = title(file, &mut checker);
    let (limit, ending) = times(file, &mut checker);
    let Some(array) = &file.array else {
        checker.report(
            &(0..0),
            Diagnostic::error("`array` is missing")
                .help("write [array] with a personality and at least one LUN"),
        );
        return Err(checker.into_diagnostics());
    };
    let array = array::resolve(name, array, &mut checker);
    checker.know_array(&array);
    let guest = guest::resolve(name, &file.guest, &array.personality, &mut checker);
    let hbas = array::resolve_hbas(&file.hba, &array, guest.cpus, &mut checker);
    checker.know_hbas(&hbas);
    checker.know_names(file);
    let workload = workload::resolve(&file.workload, &array, &mut checker);
    checker.know_workload(workload.as_ref());
    let faults = fault::resolve(&file.fault, &array.personality, &mut checker);
    let steps = step::resolve(&file.step, &mut checker);
    let expectations = expect::resolve(&file.expect, &mut checker);
    let command_timeout =
        checker.span_or(file.hba.command_timeout.as_ref(), DEFAULT_COMMAND_TIMEOUT);

    let diagnostics = checker.into_diagnostics();
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    Ok(Scenario {
        name: stem.unwrap_or_else(|| name.to_owned()),
        title,
        description: file.description.clone().unwrap_or_default(),
        cites: file.cites.clone(),
        covers: file.covers.clone(),
        seed: file.seed.as_ref().map(|seed| seed.value),
        limit,
        ending,
        guest,
        array,
        hbas,
        command_timeout,
        workload,
        faults,
        steps,
        expectations,
        warnings: diagnostics,
    })
}

fn title(file: &File, checker: &mut Checker<'_>) -> String {
    let Some(title) = &file.title else {
        let help = "write title = \"…\", one line that says what the scenario shows";
        checker.report(&(0..0), Diagnostic::error("`title` is missing").help(help));
        return String::new();
    };
    if title.trim().is_empty() || title.contains('\n') || title.chars().count() > MAX_TITLE {
        let problem = format!("a title is one line of 1 to {MAX_TITLE} characters");
        checker.report(&title.span, Diagnostic::error(problem));
    }
    title.trim().to_owned()
}

fn times(file: &File, checker: &mut Checker<'_>) -> (Duration, Ending) {
    let limit = checker.span_or(file.limit.as_ref(), DEFAULT_LIMIT);
    let positive = |name: &Name<TimeSpan>, checker: &mut Checker<'_>| {
        if name.0.0.is_zero() {
            checker.report(&name.span, Diagnostic::error("a story takes some time"));
        }
    };
    if let Some(limit) = &file.limit {
        positive(limit, checker);
    }
    let ending = match (&file.run_for, &file.settle) {
        (Some(run_for), settle) => {
            positive(run_for, checker);
            if let Some(settle) = settle {
                let problem = "`settle` does not go with `run_for`";
                let help = "the story ends exactly after `run_for`";
                checker.report(&settle.span, Diagnostic::error(problem).help(help));
            }
            if run_for.0.0 > limit {
                let problem = format!("the story may last {} at most", TimeSpan(limit));
                let help = "raise `limit`";
                checker.report(&run_for.span, Diagnostic::error(problem).help(help));
            }
            Ending::After(run_for.0.0)
        }
        (None, settle) => Ending::Settled(checker.span_or(settle.as_ref(), DEFAULT_SETTLE)),
    };
    checker.know_times(limit, ending);
    (limit, ending)
}
