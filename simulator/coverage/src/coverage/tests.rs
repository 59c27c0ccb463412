use sansim_marks::Mark;

use super::*;
use crate::{
    atlas::Atlas, code, lines, page::page, reasons::Reasons, source::Texts, table::tables,
};

const BASE: u64 = 0xffff_ffff_c012_3000;

fn atlas() -> Atlas {
    Atlas::read([("first_module".to_owned(), code::tests::module())]).unwrap()
}

/// A run that executes these bytes of the text.
fn add(
    coverage: &mut Coverage,
    image: &str,
    scenario: &str,
    seconds: f64,
    ranges: &[(usize, usize)],
) {
    let mark = |(from, end): &(usize, usize)| Mark {
        address: BASE + *from as u64,
        bytes: code::tests::TEXT[*from..*end].to_vec(),
    };
    let marks: Marks = ranges.iter().map(mark).collect();
    let reached = Reached { scenario: scenario.to_owned(), seconds };
    coverage.add(&atlas(), &Run { image, kernel: "6.1", reached, marks: &marks });
}

fn blocks(coverage: &Coverage) -> &[BlockCoverage] {
    &coverage.images["one"].modules["first_module"].blocks
}

/// Two runs, of which the second is shorter and executes less.
fn two() -> Coverage {
    let mut coverage = Coverage::default();
    add(&mut coverage, "one", "long.toml", 9.0, &[(0, 0xf), (0x11, 0x1b), (0x25, 0x29)]);
    add(
        &mut coverage,
        "one",
        "short.toml",
        2.0,
        &[(0, 0xf), (0x25, 0x29), (0xf, 0x11), (0x29, 0x2a)],
    );
    coverage
}

#[test]
fn a_block_is_executed_when_its_first_instruction_is_and_counts_once() {
    // The second piece begins in the middle of a block, as where QEMU cuts it in two.
    let mut coverage = Coverage::default();
    add(
        &mut coverage,
        "one",
        "a.toml",
        1.0,
        &[(0, 0xa), (0xa, 0xd), (0xd, 0xf), (0x11, 0x1b), (0x25, 0x29)],
    );
    let executed: Vec<u32> =
        blocks(&coverage).iter().filter(|block| block.runs > 0).map(|block| block.offset).collect();
    // 0x25 is the middle of the block at 0x20, whose first instruction was not seen.
    assert_eq!(executed, [0x0, 0xa, 0x11, 0x16]);
    assert_eq!(Count::of(blocks(&coverage)), Count { executed: 4, all: 8 });
}

#[test]
fn the_shortest_scenario_is_named() {
    let coverage = two();
    let named: Vec<(u64, Option<&str>)> = blocks(&coverage)
        .iter()
        .map(|block| (block.runs, block.shortest.as_ref().map(|it| it.scenario.as_str())))
        .collect();
    let (long, short) = (Some("long.toml"), Some("short.toml"));
    let expected = [
        (2, short),
        (2, short),
        (1, short),
        (1, long),
        (1, long),
        (0, None),
        (1, short),
        (0, None),
    ];
    assert_eq!(named, expected);
}

#[test]
fn runs_of_two_suites_give_what_one_suite_gives() {
    let mut both = two();
    let mut more = Coverage::default();
    add(&mut more, "one", "a.toml", 2.0, &[(0, 0xf), (0x11, 0x1b), (0x25, 0x29)]);
    add(&mut more, "two", "a.toml", 2.0, &[(0, 0xf), (0x11, 0x1b), (0x25, 0x29)]);
    let mut whole = two();
    add(&mut whole, "one", "a.toml", 2.0, &[(0, 0xf), (0x11, 0x1b), (0x25, 0x29)]);
    add(&mut whole, "two", "a.toml", 2.0, &[(0, 0xf), (0x11, 0x1b), (0x25, 0x29)]);
    both.join(more).unwrap();
    assert_eq!(both, whole);
}

#[test]
fn coverage_of_another_kernel_is_not_joined() {
    let mut other = two();
    other.images.get_mut("one").unwrap().kernel = "6.12".to_owned();
    assert_eq!(two().join(other).unwrap_err(), "the image one: its coverage is of two kernels");
    let mut other = two();
    other.images.get_mut("one").unwrap().modules.get_mut("first_module").unwrap().blocks.pop();
    assert!(two().join(other).unwrap_err().contains("two builds of first_module"));
}

#[test]
fn what_is_written_is_read_again() {
    let coverage = two();
    let text = lines::write(&coverage);
    assert_eq!(lines::read(&text).unwrap(), coverage);
    let first = text.lines().next().unwrap();
    assert_eq!(first, r#"{"kind":"image","image":"one","kernel":"6.1","runs":2,"lost":0}"#);
    assert!(lines::read(&text.replace("\"offset\"", "\"offs\"")).unwrap_err().starts_with("line "));
    assert!(lines::read(&format!("{first}\n{first}")).unwrap_err().contains("twice"));
    let orphan = text.lines().last().unwrap();
    assert!(lines::read(orphan).unwrap_err().contains("not there before its modules"));
}

#[test]
fn the_page_shows_every_block_and_the_scenario_that_reaches_it() {
    let page = page(&two(), &Reasons::default(), &Texts::default());
    for part in
        ["call kfree", "short.toml, 2.0 s; 2 runs", "long.toml, 9.0 s", "init_module", "6 of 8"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert_eq!(page.matches("done block").count() + page.matches("block done").count(), 6);
}

#[test]
fn the_table_has_a_line_a_module() {
    let reasons = "[[reason]]\nwhy = \"w\"\nfunction = \"init_module\"\n";
    let table = tables(&two(), &Reasons::read(reasons).unwrap());
    assert!(table.ends_with("| one | first_module | 8 | 6 | 75.0 % | 1 | 85.7 % |\n"), "{table}");
}
