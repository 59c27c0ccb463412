//! `sansim compare`: two runs, or two suites, side by side.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use sansim_report::{
    compare::{Comparison, page},
    past::Past,
};

use crate::{DIFFERS, LAB, PASS, USAGE, args::CompareArgs, show};

/// Prints the comparison; returns the exit code.
pub(crate) fn compare(args: &CompareArgs) -> u8 {
    let compared = match is_run(&args.a) || is_run(&args.b) {
        true => pair(&args.a, &args.b).map(|one| vec![one]),
        false => suites(&args.a, &args.b),
    };
    let compared = match compared {
        Ok(compared) => compared,
        Err(why) => {
            show::error(&why);
            return USAGE;
        }
    };
    if let Some(file) = &args.html
        && let Err(error) = fs::write(file, page(&compared))
    {
        show::error(&format!("cannot write {}: {error}", file.display()));
        return LAB;
    }
    match (&compared[..], args.json) {
        ([one], true) => print_json(one),
        (all, true) => print_json(&all),
        ([one], false) => out!("{one}"),
        (all, false) => tell(all),
    }
    if compared.iter().any(Comparison::differs) { DIFFERS } else { PASS }
}

fn print_json(value: &impl serde::Serialize) {
    outln!("{}", serde_json::to_string_pretty(value).expect("a comparison is plain data"));
}

fn is_run(dir: &Path) -> bool {
    dir.join("summary.json").is_file()
}

fn pair(a: &Path, b: &Path) -> Result<Comparison, String> {
    let read = |dir: &Path| Past::read(dir).map_err(|error| error.to_string());
    Ok(Comparison::of(&read(a)?, &read(b)?))
}

/// The stories that both suites have, by name.
fn suites(a: &Path, b: &Path) -> Result<Vec<Comparison>, String> {
    let (of_a, mut of_b) = (stories(a)?, stories(b)?);
    let mut compared = Vec::new();
    for (story, run) in of_a {
        match of_b.remove(&story) {
            Some(other) => compared.push(pair(&run, &other)?),
            None => errln!("{story} is only in {}", a.display()),
        }
    }
    of_b.keys().for_each(|story| errln!("{story} is only in {}", b.display()));
    match compared.is_empty() {
        true => Err(format!("{} and {} have no story in common", a.display(), b.display())),
        false => Ok(compared),
    }
}

/// The latest run of each story in a directory, by the story's name.
fn stories(dir: &Path) -> Result<BTreeMap<String, PathBuf>, String> {
    let cannot = |error| format!("cannot read {}: {error}", dir.display());
    let entries = fs::read_dir(dir).map_err(cannot)?;
    let is_link = |path: &PathBuf| path.is_symlink();
    // Their names begin with the time.
    let mut runs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    runs.retain(|path| !is_link(path) && is_run(path));
    runs.sort();
    let mut stories = BTreeMap::new();
    for run in runs {
        let text = fs::read_to_string(run.join("summary.json")).map_err(cannot)?;
        let summary: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", run.display()))?;
        if let Some(scenario) = summary.get("scenario").and_then(|it| it.as_str()) {
            stories.insert(scenario.to_owned(), run);
        }
    }
    match stories.is_empty() {
        true => Err(format!("{}: neither a run nor a directory with runs", dir.display())),
        false => Ok(stories),
    }
}

/// A line for each story, and what differs first in each that differs.
fn tell(all: &[Comparison]) {
    let longest = all.iter().map(|it| it.story.len()).max().unwrap_or_default();
    for comparison in all {
        let [a, b] = comparison.verdicts();
        let star = if comparison.differs() { "*" } else { " " };
        outln!("{star} {:<longest$}  {a:<8} {b}", comparison.story);
        let first = comparison.first_difference.iter().zip(["A", "B"]);
        for (it, name) in first.filter_map(|(side, name)| Some((side.first()?, name))) {
            outln!("    {name} {:>9.3}s  {}", it.t, it.text);
        }
    }
    let differ = all.iter().filter(|it| it.differs()).count();
    outln!("{differ} of {} stories differ; `sansim compare` of two runs tells more", all.len());
}
