use sansim_marks::{Mark, Marks};

use super::*;
use crate::{
    atlas::Atlas,
    build_id::BuildId,
    coverage::{Coverage, Run},
    debug::{LineTable, tests::COUNT},
    lines,
    page::page,
    table::tables,
};

/// The text of the fixture, as it is before it is linked.
fn text() -> Vec<u8> {
    let code = crate::code::Code::read(COUNT).unwrap();
    code.sections.into_iter().find(|it| it.name == ".text").unwrap().bytes
}

/// A run of `count` whose number is never negative and never large, and that has executed all else of it, and the first
/// block of `after`.
fn run(coverage: &mut Coverage, image: &str, scenario: &str) {
    let text = text();
    let pieces = [
        (0, 0x10),
        (0x10, 0x1e),
        (0x1e, 0x22),
        (0x22, 0x2c),
        (0x2c, 0x34),
        (0x58, 0x63),
        (0xc0, 0xcb),
    ];
    let mark = |(from, end): (usize, usize)| Mark {
        address: 0xffff_ffff_c012_3000 + from as u64,
        bytes: text[from..end].to_vec(),
    };
    let marks: Marks = pieces.map(mark).iter().cloned().collect();
    let atlas = Atlas::read([("count".to_owned(), COUNT.to_vec())]).unwrap();
    let reached = Reached { scenario: scenario.to_owned(), seconds: 1.0 };
    coverage.add(&atlas, &Run { image, kernel: "6.1", reached, marks: &marks });
}

fn with_lines() -> Coverage {
    let mut coverage = Coverage::default();
    run(&mut coverage, "one", "<a>.toml");
    let module = coverage.images.get_mut("one").unwrap().modules.get_mut("count").unwrap();
    module.tell_lines(&LineTable::read(COUNT).unwrap());
    coverage
}

fn module(coverage: &Coverage) -> &ModuleCoverage {
    &coverage.images["one"].modules["count"]
}

/// The reason why a number is never large.
fn reasons() -> Reasons {
    Reasons::read("[[reason]]\nwhy = \"numbers are small\"\ncalls = [\"complain\"]\n").unwrap()
}

#[test]
fn a_line_is_executed_where_any_of_its_blocks_is() {
    let (coverage, reasons) = (with_lines(), reasons());
    let lines = module(&coverage).lines();
    let standing = |file: &str, number: u32| {
        let line = lines.iter().find(|it| it.at.file == file && it.at.line.get() == number);
        line.unwrap().standing(&reasons, "6.1", "count")
    };
    assert_eq!(standing("count.c", 20), Standing::Executed);
    // `checked` is part of `twice`, too, which was not executed.
    assert_eq!(standing("count.c", 14), Standing::Partly);
    assert_eq!(standing("count.c", 15), Standing::Unreachable("numbers are small"));
    assert_eq!(standing("count.c", 29), Standing::Open);
    assert_eq!(standing("count.h", 5), Standing::Open);
    let reach = module(&coverage).line_reach(&reasons, "6.1", "count");
    assert_eq!(reach.count, Count { executed: 9, all: 17 });
    assert_eq!((reach.partly, reach.explained), (2, 1));
    assert_eq!(own_files([module(&coverage)]), BTreeSet::from(["count.c"]));
}

#[test]
fn lines_are_written_and_read_and_kept_when_runs_are_joined() {
    let coverage = with_lines();
    let written = lines::write(&coverage);
    assert_eq!(lines::read(&written).unwrap(), coverage);
    let line = written.lines().find(|it| it.contains(r#""kind":"line""#)).unwrap();
    assert_eq!(
        line,
        r#"{"kind":"line","image":"one","module":"count","file":"count.c","line":14,"function":"checked","executed":2,"blocks":3,"shortest":{"scenario":"<a>.toml","seconds":1.0}}"#
    );
    let mut without = Coverage::default();
    run(&mut without, "one", "b.toml");
    run(&mut without, "two", "b.toml");
    assert!(lines::write(&without).contains(r#""build_id":"c11e"#));
    for (mut first, second) in [(without.clone(), coverage.clone()), (coverage.clone(), without)] {
        first.join(second).unwrap();
        assert!(module(&first).has_lines() && !first.images["two"].modules["count"].has_lines());
        assert_eq!(module(&first).blocks[0].runs, 2);
    }
    let mut other = coverage.clone();
    let modules = &mut other.images.get_mut("one").unwrap().modules;
    modules.get_mut("count").unwrap().build_id = BuildId::try_from("ab".to_owned()).ok();
    assert!(other.join(coverage).unwrap_err().contains("two builds of count"));
}

#[test]
fn what_was_written_before_there_were_lines_is_read() {
    let written = lines::write(&with_lines());
    let old: Vec<String> = written
        .lines()
        .filter(|line| !line.contains(r#""kind":"line""#))
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            let keys = line.as_object_mut().unwrap();
            keys.remove("lines");
            keys.remove("build_id");
            line.to_string()
        })
        .collect();
    let read = lines::read(&old.join("\n")).unwrap();
    assert_eq!(module(&read).build_id, None);
    assert!(
        !module(&read).has_lines()
            && module(&read).blocks.len() == module(&with_lines()).blocks.len()
    );
}

#[test]
fn the_page_shows_the_source_and_escapes_it() {
    let coverage = with_lines();
    let source = include_str!("../debug/fixture/count.c");
    let mut texts = Texts::default();
    texts.add("one", "count.c", source.replace("int sum = 0", "int sum = '<'"));
    let shown = page(&coverage, &reasons(), &texts);
    for part in [
        "while (times-- &gt; 0)",
        "int sum = '&lt;'",
        "&lt;a&gt;.toml, 1.0 s",
        "numbers are small",
        "count.c:14 (checked)",
        "9 of 17 lines",
        "not executed: twice+",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("<a>") && !shown.contains("<script"));
    // Without the text, or with that of another kernel, there are the numbers.
    texts.add("one", "count.c", "/* short */".to_owned());
    for texts in [texts, Texts::default()] {
        let shown = page(&coverage, &reasons(), &texts);
        assert!(shown.contains(r#"<span class="n">14</span>"#) && !shown.contains("while"));
    }
}

#[test]
fn the_second_table_is_of_lines() {
    let both = tables(&with_lines(), &reasons());
    assert!(both.ends_with("| one | count | 17 | 9 | 52.9 % | 2 | 1 | 56.2 % |\n"), "{both}");
    let mut without = Coverage::default();
    run(&mut without, "one", "a.toml");
    assert!(!tables(&without, &reasons()).contains("partly"));
}

#[test]
fn lines_in_words_name_each_function_once() {
    let coverage = with_lines();
    let block = module(&coverage).blocks.iter().find(|block| block.offset == 0x10).unwrap();
    assert_eq!(places(&block.lines), "count.c:24 (count); count.c:14 (checked)");
}
