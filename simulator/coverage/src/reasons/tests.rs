use super::*;
use crate::coverage::{ModuleCoverage, Reached};

fn block(function: &str, at: u32, executed: bool) -> BlockCoverage {
    let reached = Reached { scenario: "a.toml".to_owned(), seconds: 1.0 };
    BlockCoverage {
        section: ".text".to_owned(),
        offset: at,
        bytes: 4,
        function: function.to_owned(),
        at,
        calls: if at == 8 { vec!["kfree".to_owned()] } else { Vec::new() },
        asserts: at == 4,
        code: Vec::new(),
        lines: Vec::new(),
        runs: u64::from(executed),
        shortest: executed.then_some(reached),
    }
}

/// A module with one function: of its four blocks one is executed, one is an assertion, one calls kfree.
fn coverage() -> Coverage {
    let blocks = [(0, true), (4, false), (8, false), (12, false)]
        .map(|(at, executed)| block("f", at, executed));
    let module = ModuleCoverage { build_id: None, blocks: blocks.to_vec() };
    let modules = BTreeMap::from([("m".to_owned(), module)]);
    let image = ImageCoverage { kernel: "6.1".to_owned(), runs: 1, lost: 0, modules };
    Coverage { images: BTreeMap::from([("i".to_owned(), image)]) }
}

fn complaints(table: &str) -> Vec<String> {
    Reasons::read(table).unwrap().complaints(&coverage())
}

fn reach(table: &str) -> (usize, f64) {
    let coverage = coverage();
    let reach =
        Reasons::read(table).unwrap().reach("6.1", "m", &coverage.images["i"].modules["m"].blocks);
    (reach.explained, reach.reachable().percent())
}

#[test]
fn the_table_that_comes_along_can_be_read() {
    let own = Reasons::own().unwrap();
    assert!(own.aims.len() >= 5 && !own.reasons.is_empty());
}

#[test]
fn a_reason_takes_blocks_from_those_that_can_be_reached() {
    assert_eq!(reach(""), (0, 25.0));
    assert_eq!(reach("[[reason]]\nwhy = \"w\"\nasserts = true"), (1, 100.0 / 3.0));
    assert_eq!(reach("[[reason]]\nwhy = \"w\"\ncalls = [\"kfree\", \"x\"]"), (1, 100.0 / 3.0));
    assert_eq!(reach("[[reason]]\nwhy = \"w\"\nfunction = \"f\""), (3, 100.0));
    assert_eq!(reach("[[reason]]\nwhy = \"w\"\nfunction = \"f\"\nmodule = \"n\""), (0, 25.0));
    assert_eq!(reach("[[reason]]\nwhy = \"w\"\nfunction = \"f\"\nkernel = \"6.12\""), (0, 25.0));
    assert_eq!(
        reach("[[reason]]\nwhy = \"w\"\nfunction = \"f\"\nkernel = \"6.1\"\nblocks = [4, 12]"),
        (2, 50.0)
    );
}

#[test]
fn an_aim_that_is_not_reached_is_a_complaint() {
    assert_eq!(complaints("[aims]\nm = 25"), Vec::<String>::new());
    let missed = complaints("[aims]\nm = 95");
    assert_eq!(missed, ["i: m: 25.0 % of the reachable blocks were executed; the aim is 95 %"]);
}

#[test]
fn a_reason_that_does_not_hold_any_more_is_a_complaint() {
    let of = |rest: &str| {
        complaints(&format!("[[reason]]\nwhy = \"w\"\nmodule = \"m\"\nkernel = \"6.1\"\n{rest}"))
    };
    assert!(of("function = \"f\"\nblocks = [4]").is_empty());
    let executed = of("function = \"f\"\nblocks = [0]");
    assert_eq!(executed, ["i: m: f+0x0 was executed by a.toml, in spite of the reason \"w\""]);
    assert_eq!(of("function = \"f\"\nblocks = [5]"), ["i: m: f+0x5 has a reason, and is no block"]);
    assert_eq!(of("function = \"g\""), ["i: m: g has a reason, and is not there"]);
}

#[test]
fn a_reason_for_everything_is_refused() {
    for table in [
        "[[reason]]\nwhy = \"w\"",
        "[[reason]]\nwhy = \"w\"\nfunction = \"f\"\nblocks = [4]",
        "[[reason]]\nwhy = \"w\"\nkernel = \"6.1\"\nasserts = true\nblocks = [4]",
        "[[reason]]\nwhy = \"w\"\nfunction = \"f\"\nwho = 1",
    ] {
        assert!(Reasons::read(table).is_err(), "{table}");
    }
}
