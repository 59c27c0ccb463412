//! `sansim run --coverage` and `sansim coverage`.

use std::fs;

use serde_json::Value;

use crate::{
    guest::STORY,
    place::{Place, text},
};

/// The blocks of a function that were executed, and all of them.
fn blocks(lines: &str, module: &str, function: &str) -> (usize, usize) {
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let own: Vec<Value> = lines
        .filter(|it| it["kind"] == "block" && it["module"] == module && it["function"] == function)
        .collect();
    (own.iter().filter(|block| block["runs"].as_u64() > Some(0)).count(), own.len())
}

#[test]
fn what_a_story_executes_is_known_and_the_story_stays_the_same() {
    let place = Place::new();
    let file = place.scenario(STORY);
    let tell = |options: &[&str]| {
        let output = place
            .run(&file)
            .args(["--time", "skip", "--seed", "7"])
            .args(options)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        fs::read(place.out().join("latest/events.ndjson")).unwrap()
    };
    let dir = place.path().join("coverage");
    let option = format!("--coverage={}", dir.display());
    let plain = tell(&[]);
    // From the boot, from a template or where the story starts: all that was executed is counted.
    let mut seen = Vec::new();
    let again = [option.as_str()];
    for options in [&[option.as_str(), "--cold"][..], &again, &again] {
        assert!(tell(options) == plain, "the story with {options:?} is another one");
        seen.push(fs::read_to_string(dir.join("coverage.ndjson")).unwrap());
    }
    let [cold, first, again] = &seen[..] else { panic!() };
    assert!(
        first == again && cold == first,
        "what was executed depends on where the guest came from"
    );

    // The module was loaded, a handler was attached to each disk, and nothing was unloaded.
    let (executed, all) = blocks(cold, "scsi_dh_rdac", "rdac_bus_attach");
    assert!(executed > 0 && executed < all, "{executed} of {all}");
    assert!(blocks(cold, "scsi_dh_rdac", "rdac_init").0 > 0);
    assert!(blocks(cold, "dm_multipath", "multipath_ctr").0 > 0);
    assert!(
        blocks(cold, "dm_multipath", "dm_multipath_init").0 > 0,
        "it ran before the template was saved"
    );
    assert_eq!(blocks(cold, "scsi_dh_rdac", "rdac_exit"), (0, 1));
    assert_eq!(blocks(cold, "scsi_dh_emc", "clariion_bus_attach").0, 0, "not loaded");
    assert!(fs::read_to_string(dir.join("index.html")).unwrap().contains("rdac_bus_attach"));

    // The story alone reaches no aim.
    let output = place.sansim().arg("coverage").arg("--check").args([&dir, &dir]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(
        text(&output).contains("scsi_dh_emc: 0.0 % of the reachable blocks"),
        "{}",
        text(&output)
    );
}

#[test]
fn coverage_needs_tcg() {
    let place = Place::new();
    let file = place.scenario(STORY);
    let output = place.run(&file).args(["--accel", "kvm", "--coverage"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(
        text(&output).contains("executed code can be marked under TCG only"),
        "{}",
        text(&output)
    );
}

#[test]
fn what_is_no_coverage_is_refused() {
    let place = Place::new();
    let dir = place.path().join("coverage");
    let read = |options: &[&str]| {
        let output = place.sansim().arg("coverage").arg(&dir).args(options).output().unwrap();
        (output.status.code(), text(&output))
    };
    let (code, said) = read(&[]);
    assert!(code == Some(2) && said.contains("cannot read"), "{said}");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("coverage.ndjson"), "{}\n").unwrap();
    let (code, said) = read(&[]);
    assert!(code == Some(2) && said.contains("line 1: missing field `kind`"), "{said}");
    fs::write(dir.join("coverage.ndjson"), "").unwrap();
    fs::write(dir.join("reasons"), "[[reason]]\nwhy = \"w\"\n").unwrap();
    let (code, said) = read(&["--reasons", &dir.join("reasons").display().to_string()]);
    assert!(code == Some(2) && said.contains("must name what it is about"), "{said}");
}
