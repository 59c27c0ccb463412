//! Reports in, scenarios out.

use std::{fs, io::Write, path::PathBuf};

use sansim_language as lang;

use super::*;

mod stories;

fn report(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports")).join(name)
}

fn import(name: &str) -> Imported {
    let gathered = gather(&[report(name)]).unwrap();
    scenario(&gathered, None, &Options::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn load(toml: &str) -> lang::Scenario {
    let scenario =
        lang::load_text("imported", toml, &[]).unwrap_or_else(|why| panic!("{why}\n{toml}"));
    assert!(scenario.untested.is_empty(), "{:?}\n{toml}", scenario.untested);
    scenario
}

fn log(name: &str) -> Text {
    Text { name: name.to_owned(), text: fs::read_to_string(report(name)).unwrap() }
}

#[test]
fn a_sosreport_becomes_the_san_that_it_is_of() {
    let imported = import("rdac");
    let scenario = load(&imported.toml);
    let array = scenario.setup.first_array();
    assert_eq!(array.identity.product.as_str(), "1814      FAStT");
    assert_eq!(array.luns.len(), 2);
    insta::assert_snapshot!("rdac", imported.toml);
}

#[test]
fn outputs_of_an_alua_array_become_its_port_groups() {
    let imported = import("alua");
    load(&imported.toml);
    insta::assert_snapshot!("alua", imported.toml);
}

#[test]
fn nothing_private_is_in_the_scenario_unless_it_is_asked_for() {
    let private = "b9b2b74025fc7218";
    let input = fs::read_to_string(report("rdac/sos_commands/multipath/multipath_-ll")).unwrap();
    assert!(input.contains(private), "the test's own input");
    assert!(!import("rdac").toml.contains(private));
    let gathered = gather(&[report("rdac")]).unwrap();
    let options = Options { keep_identity: true, ..Options::default() };
    assert!(scenario(&gathered, None, &options).unwrap().toml.contains(private));
}

#[test]
fn every_generation_of_multipath_ll_is_read() {
    for name in ["red-hat-4-ll", "red-hat-5-ll", "rdac-v4-ll"] {
        let imported = import(name);
        load(&imported.toml);
        insta::assert_snapshot!(name, imported.toml);
    }
}

#[test]
fn a_log_becomes_steps_rules_and_expectations() {
    let nothing = Gathered::default();
    let imported = scenario(&nothing, Some(&log("failover.log")), &Options::default()).unwrap();
    load(&imported.toml);
    for private in ["SECRETNAME", "dbhost01", "oradata"] {
        assert!(!imported.toml.contains(private), "{private}: {}", imported.toml);
    }
    insta::assert_snapshot!("log", imported.toml);
}

#[test]
fn a_log_that_tells_of_nothing_says_so() {
    let quiet = Text { name: "quiet.log".into(), text: "Nov 30 01:36:10 h kernel: hello\n".into() };
    let error = scenario(&Gathered::default(), Some(&quiet), &Options::default()).unwrap_err();
    assert!(matches!(error, ImportError::NoArray), "{error}");
    let gathered = gather(&[report("rdac")]).unwrap();
    let error = scenario(&gathered, Some(&quiet), &Options::default()).unwrap_err();
    assert!(error.to_string().contains("quiet.log"), "{error}");
}

#[test]
fn a_packed_report_is_read_as_the_directory_is() {
    let dir = tempfile::tempdir().unwrap();
    let whole = import("rdac");
    let tar = {
        let mut tar = tar::Builder::new(Vec::new());
        tar.append_dir_all("sosreport-x", report("rdac")).unwrap();
        tar.into_inner().unwrap()
    };
    let pack_gz = |bytes: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let xz = {
        let mut packed = liblzma::write::XzEncoder::new(Vec::new(), 1);
        packed.write_all(&tar).unwrap();
        packed.finish().unwrap()
    };
    let zstd = zstd::stream::encode_all(&tar[..], 1).unwrap();
    for (name, bytes) in [("plain", tar.clone()), ("gz", pack_gz(&tar)), ("xz", xz), ("zst", zstd)]
    {
        let file = dir.path().join(name);
        fs::write(&file, bytes).unwrap();
        let gathered = gather(&[&file]).unwrap();
        let imported = scenario(&gathered, None, &Options::default()).unwrap();
        let without = |toml: &str| toml.replace("sosreport-x/", "");
        assert_eq!(without(&imported.toml), without(&whole.toml), "{name}");
    }
}

#[test]
fn a_report_without_an_array_says_what_is_read() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("uname"), "Linux host 6.1.0-57-amd64 #1 SMP\n").unwrap();
    let gathered = gather(&[dir.path()]).unwrap();
    let error = scenario(&gathered, None, &Options::default()).unwrap_err();
    assert!(error.to_string().contains("multipath -ll"), "{error}");
}

#[test]
fn any_bytes_are_a_report_or_a_sentence() {
    sansim_fuzz::fuzz("imports", |bytes| {
        let text = |name: &str| Text {
            name: name.to_owned(),
            text: String::from_utf8_lossy(bytes).into_owned(),
        };
        let mut gathered = Gathered::default();
        gathered.texts.push(text("multipath_-ll"));
        for options in [Options::default(), Options { keep_identity: true, luns: 2 }] {
            for log in [None, Some(text("messages"))] {
                // What is written is a scenario, or the language's own refusal is passed on: never a panic.
                match scenario(&gathered, log.as_ref(), &options) {
                    Ok(imported) => drop(load_or_idle(&imported.toml)),
                    Err(ImportError::NoScenario(why)) => panic!("{why}"),
                    Err(_) => {}
                }
            }
        }
        gather::tests::any_archive(bytes);
    });
}

fn load_or_idle(toml: &str) -> lang::Scenario {
    lang::load_text("imported", toml, &[]).unwrap_or_else(|why| panic!("{why}\n{toml}"))
}
