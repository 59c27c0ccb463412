//! The crates import each other only downwards, as in docs/architecture.md.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::Command,
};

use serde_json::Value;

/// A crate, and the crates of this workspace that it may import: only crates before it in the table.
struct Floor {
    name: &'static str,
    imports: &'static [&'static str],
    /// Crates that only its tests may import.
    in_tests: &'static [&'static str],
}

const fn floor(
    name: &'static str,
    imports: &'static [&'static str],
    in_tests: &'static [&'static str],
) -> Floor {
    Floor { name, imports, in_tests }
}

/// All crates, from the bottom layer to the top.
const HOUSE: [Floor; 19] = [
    floor("sansim-fuzz", &[], &[]),
    floor("sansim-time", &[], &[]),
    floor("sansim-protocol", &[], &[]),
    floor("sansim-agent", &["sansim-protocol"], &[]),
    floor("sansim-array", &["sansim-time"], &["sansim-fuzz"]),
    floor("sansim-hba", &["sansim-time", "sansim-array"], &["sansim-fuzz"]),
    floor("sansim-capture", &["sansim-time", "sansim-array"], &[]),
    floor("sansim-marks", &[], &[]),
    floor(
        "sansim-lab",
        &["sansim-time", "sansim-protocol", "sansim-marks"],
        &["sansim-array", "sansim-fuzz", "sansim-hba"],
    ),
    floor(
        "sansim-stage",
        &["sansim-time", "sansim-protocol", "sansim-array", "sansim-hba", "sansim-lab"],
        &[],
    ),
    floor(
        "sansim-language",
        &["sansim-protocol", "sansim-array", "sansim-stage"],
        &["sansim-fuzz", "sansim-time"],
    ),
    floor("sansim-import", &["sansim-language"], &["sansim-fuzz"]),
    floor(
        "sansim-report",
        &["sansim-protocol", "sansim-array", "sansim-lab", "sansim-stage"],
        &["sansim-time"],
    ),
    floor("sansim-coverage", &["sansim-marks"], &["sansim-fuzz"]),
    floor(
        "sansim-run",
        &[
            "sansim-time",
            "sansim-protocol",
            "sansim-array",
            "sansim-capture",
            "sansim-lab",
            "sansim-stage",
            "sansim-language",
            "sansim-report",
        ],
        &[],
    ),
    floor(
        "sansim-live",
        &[
            "sansim-time",
            "sansim-protocol",
            "sansim-array",
            "sansim-capture",
            "sansim-lab",
            "sansim-stage",
            "sansim-language",
            "sansim-report",
            "sansim-run",
        ],
        &[],
    ),
    floor(
        "sansim-explore",
        &[
            "sansim-array",
            "sansim-coverage",
            "sansim-lab",
            "sansim-stage",
            "sansim-language",
            "sansim-report",
            "sansim-run",
        ],
        &[],
    ),
    floor("sansim-suite", &["sansim-lab", "sansim-language", "sansim-report", "sansim-run"], &[]),
    floor(
        "sansim",
        &[
            "sansim-coverage",
            "sansim-explore",
            "sansim-import",
            "sansim-lab",
            "sansim-stage",
            "sansim-language",
            "sansim-report",
            "sansim-run",
            "sansim-live",
            "sansim-suite",
        ],
        &[],
    ),
];

/// Pure crates: no waiting for anything, no virtio.
const PURE: [&str; 2] = ["sansim-time", "sansim-array"];

/// Prefixes of external crates that a pure crate must not import, not even in tests.
const IMPURE: [&str; 5] = ["tokio", "virtio-", "vhost", "vm-memory", "vmm-"];

/// The dependencies in a crate's manifest.
#[derive(Debug, Default)]
struct Imports {
    always: BTreeSet<String>,
    in_tests: BTreeSet<String>,
}

/// The crates of the workspace, from `cargo metadata`.
fn workspace() -> BTreeMap<String, Imports> {
    let cargo = env::var_os("CARGO").expect("cargo runs the tests");
    let mut metadata = Command::new(cargo);
    metadata.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]);
    metadata.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    let output = metadata.output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages.iter().map(|package| (text(&package["name"]), imports(package))).collect()
}

fn imports(package: &Value) -> Imports {
    let mut imports = Imports::default();
    for dependency in package["dependencies"].as_array().expect("dependencies") {
        let for_tests = dependency["kind"] == "dev";
        let list = if for_tests { &mut imports.in_tests } else { &mut imports.always };
        list.insert(text(&dependency["name"]));
    }
    imports
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

#[test]
fn crates_import_downwards_only() {
    let workspace = workspace();
    let mut wrong = Vec::new();
    for (name, imports) in &workspace {
        let Some(floor) = HOUSE.iter().find(|floor| floor.name == name) else {
            wrong.push(format!(
                "{name} is new: add it to HOUSE in simulator/cli/tests/house.rs, before the crates that \
                 import it, with those that it may import; and say in docs/architecture.md what it is"
            ));
            continue;
        };
        let ours = |list: &BTreeSet<String>| -> Vec<String> {
            list.iter().filter(|it| workspace.contains_key(*it)).cloned().collect()
        };
        let allowed = |it: &String| floor.imports.contains(&it.as_str());
        let in_tests = |it: &String| allowed(it) || floor.in_tests.contains(&it.as_str());
        for import in ours(&imports.always).iter().filter(|it| !allowed(it)) {
            wrong.push(format!("{name} must not import {import}"));
        }
        for import in ours(&imports.in_tests).iter().filter(|it| !in_tests(it)) {
            wrong.push(format!("{name} must not import {import}, not even in tests"));
        }
    }
    assert!(wrong.is_empty(), "see docs/architecture.md:\n{}", wrong.join("\n"));
}

#[test]
fn every_crate_of_the_house_is_there_and_stands_on_those_before_it() {
    let workspace = workspace();
    for (index, floor) in HOUSE.iter().enumerate() {
        assert!(workspace.contains_key(floor.name), "there is no {}: remove it", floor.name);
        for import in floor.imports.iter().chain(floor.in_tests) {
            let before = HOUSE[..index].iter().any(|other| other.name == *import);
            assert!(before, "{} cannot stand on {import}", floor.name);
        }
    }
}

#[test]
fn the_array_is_pure() {
    let workspace = workspace();
    for name in PURE {
        let imports = &workspace[name];
        let all = imports.always.union(&imports.in_tests);
        let impure: Vec<_> =
            all.filter(|import| IMPURE.iter().any(|start| import.starts_with(start))).collect();
        assert!(impure.is_empty(), "{name} is pure, and must not import {impure:?}");
    }
}
