//! `sansim check`: checks scenario files without running them.

use std::path::{Path, PathBuf};

use sansim_language as lang;
use sansim_language::Scenario;
use sansim_suite::find_scenarios;

use crate::{PASS, USAGE, args::CheckArgs, show};

/// Prints every error in the files; returns the exit code.
pub(crate) fn check(args: &CheckArgs) -> u8 {
    let Some(loaded) = load_all(&args.paths, &args.set) else { return USAGE };
    for (file, scenario) in &loaded {
        outln!("{}: {}", file.display(), scenario.title);
    }
    PASS
}

/// Loads every scenario; `None` if any of them has an error. Prints errors and warnings to standard error.
pub(crate) fn load_all(paths: &[PathBuf], set: &[String]) -> Option<Vec<(PathBuf, Scenario)>> {
    let files = match find_scenarios(paths) {
        Ok(files) => files,
        Err((path, error)) => {
            show::error(&format!("{}: {error}", path.display()));
            return None;
        }
    };
    let overrides = overrides(set)?;
    let loaded: Vec<_> = files.iter().map(|file| load(file, &overrides)).collect();
    let whole = loaded.iter().all(|it| it.as_ref().is_some_and(tests_something));
    whole.then(|| files.into_iter().zip(loaded.into_iter().flatten()).collect())
}

/// Whether a verdict on the scenario means something; if not, that is printed.
pub(crate) fn tests_something(scenario: &Scenario) -> bool {
    if !scenario.untested.is_empty() {
        show::diagnostics(&scenario.untested);
    }
    scenario.untested.is_empty()
}

/// The values of `--set`; `None` if one of them is wrong, which is printed.
pub(crate) fn overrides(set: &[String]) -> Option<Vec<lang::Set>> {
    let parsed = set.iter().map(|text| {
        let parsed = text.parse::<lang::Set>();
        parsed.inspect_err(|error| show::error(&format!("--set {text}: {error}"))).ok()
    });
    parsed.collect()
}

/// Loads a scenario; `None` if it has an error. Prints errors and warnings to standard error.
pub(crate) fn load(file: &Path, overrides: &[lang::Set]) -> Option<Scenario> {
    match lang::load(file, overrides) {
        Ok(scenario) => {
            if !scenario.warnings.is_empty() {
                show::diagnostics(&scenario.warnings);
            }
            Some(scenario)
        }
        Err(diagnostics) => {
            show::diagnostics(&diagnostics);
            None
        }
    }
}
