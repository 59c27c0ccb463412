//! Checks the scenarios against the entries of docs/handlers.md and the rows of docs/library.md.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use sansim_language as lang;

/// The heading in docs/handlers.md of the entries that no scenario covers, each with a reason.
const WITHOUT: &str = "## Without a scenario";

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every scenario file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
    found
}

/// The scenarios that cover each entry (`covers`).
fn covered() -> BTreeMap<String, Vec<String>> {
    let mut covered: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files(&top().join("scenarios")) {
        let scenario = lang::load(&file, &[]).unwrap_or_else(|_| panic!("{}", file.display()));
        for entry in scenario.covers {
            covered.entry(entry).or_default().push(scenario.name.clone());
        }
    }
    covered
}

/// The entries in the tables of a text: `| T1 | ... |`.
fn entries(text: &str) -> BTreeSet<String> {
    let first_cell = |line: &str| Some(line.strip_prefix("| ")?.split_once(" | ")?.0.to_owned());
    let is_entry = |cell: &String| {
        let number = cell.strip_prefix(['T', 'R', 'G']);
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    text.lines().filter_map(first_cell).filter(is_entry).collect()
}

#[test]
fn every_trap_and_report_has_a_scenario_or_a_reason_why_not() {
    let text = fs::read_to_string(top().join("docs/handlers.md")).unwrap();
    let (known, without) = text.split_once(WITHOUT).unwrap();
    let (known, without) = (entries(known), entries(without));
    assert_eq!(known.len(), 46 + 34 + 40);
    let covered = covered();
    let strangers: Vec<_> = covered.iter().filter(|(entry, _)| !known.contains(*entry)).collect();
    assert!(strangers.is_empty(), "not in docs/handlers.md: {strangers:?}");
    let shown = |entry: &&String| covered.contains_key(*entry);
    let missing: Vec<_> = known.difference(&without).filter(|entry| !shown(entry)).collect();
    assert!(missing.is_empty(), "no scenario covers, and no reason is given for: {missing:?}");
    let both: Vec<_> = without.iter().filter(shown).collect();
    assert!(both.is_empty(), "listed as without a scenario, but there is one: {both:?}");
}

#[test]
fn every_scenario_is_on_the_page_that_tells_what_they_come_to() {
    let page = fs::read_to_string(top().join("docs/library.md")).unwrap();
    for file in files(&top().join("scenarios")) {
        let name = file.file_stem().unwrap().to_string_lossy();
        let row = format!("| `{name}`<br>");
        assert!(page.contains(&row), "docs/library.md lacks {name}: see its first lines");
    }
}
