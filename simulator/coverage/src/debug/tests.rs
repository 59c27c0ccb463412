//! Debug information that a compiler has written: `fixture`.

use object::{
    Architecture, BinaryFormat, Endianness, SectionKind,
    write::{Object, StandardSegment},
};

use super::*;
use crate::{build_id::BuildId, code};

/// DWARF 5.
pub(crate) const COUNT: &[u8] = include_bytes!("fixture/count.o");

/// The same code with other debug information.
const OTHERS: [(&str, &[u8]); 4] = [
    ("DWARF 4", include_bytes!("fixture/count-4.o")),
    ("packed by zlib", include_bytes!("fixture/count-zlib.o")),
    ("packed by zstd", include_bytes!("fixture/count-zstd.o")),
    ("split off", include_bytes!("fixture/count.debug")),
];

fn lines(table: &LineTable, section: &str, from: u32, end: u32) -> Vec<String> {
    let lines = table.lines(section, from, end - from, "");
    lines.iter().map(|it| format!("{}:{} {}", it.file, it.line, it.function)).collect()
}

/// As `objdump -dl` shows them, and with the calls of what was inlined.
#[test]
fn the_lines_of_code_are_those_that_the_compiler_names() {
    for (name, elf) in OTHERS.iter().chain(&[("DWARF 5", COUNT)]) {
        let table = LineTable::read(elf).unwrap();
        let text = |from, end| lines(&table, ".text", from, end);
        let entry = ["count.c:20 count", "count.c:23 count", "count.c:21 count"];
        assert_eq!(text(0, 0x10), entry, "{name}");
        // `checked` is entered on the line 24 of `count`, and `half` on its own line 16.
        assert_eq!(text(0x10, 0x1e), ["count.c:24 count", "count.c:14 checked"], "{name}");
        let inner = [
            "count.c:16 checked",
            "count.h:4 half",
            "count.h:6 half",
            "count.c:24 count",
            "count.c:23 count",
        ];
        assert_eq!(text(0x1e, 0x2c), inner, "{name}");
        assert_eq!(text(0x38, 0x41), ["count.h:5 half"], "{name}");
        // The other place into which `checked` was inlined.
        assert_eq!(text(0xa8, 0xb1), ["count.c:15 checked", "count.h:4 half"], "{name}");
        // A block of `after` is entered behind the code of `checked`, whose calls are not meant.
        assert_eq!(text(0xcf, 0xd6), ["count.c:39 after", "count.h:6 half"], "{name}");
        assert!(text(0xc0, 0x10c).contains(&"count.c:41 after".to_owned()), "{name}");
        // Both sections begin at the address 0.
        assert_eq!(lines(&table, ".init.text", 0, 5), ["count.c:48 begin"], "{name}");
        assert!(lines(&table, ".exit.text", 0, 5).is_empty() && text(0x115, u32::MAX).len() == 1);
    }
}

#[test]
fn what_was_split_off_has_the_build_id_of_what_it_is_from() {
    let split: &[u8] = include_bytes!("fixture/count.debug");
    assert!(BuildId::of(COUNT).is_some());
    assert_eq!(BuildId::of(COUNT), BuildId::of(split));
    assert_eq!(BuildId::of(include_bytes!("fixture/count-4.o")), None);
    for wrong in ["", "AB", "0x12", &"a".repeat(129)] {
        assert!(BuildId::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}

#[test]
fn a_file_without_debug_information_says_so() {
    assert!(matches!(LineTable::read(&code::tests::module()), Err(BadDebug::Missing)));
    assert!(matches!(LineTable::read(b"no ELF file"), Err(BadDebug::Elf(_))));
    let mut damaged = COUNT.to_vec();
    let abbreviations = damaged.windows(3).position(|it| it == [10, 0x11, 1]).unwrap();
    damaged[abbreviations] = 0x7f;
    let why = LineTable::read(&damaged).unwrap_err().to_string();
    assert!(why.starts_with("its debug information is damaged: "), "{why}");
}

fn with_sections(sections: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut elf = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    for (name, bytes) in sections {
        let segment = elf.segment_name(StandardSegment::Debug).to_vec();
        let section = elf.add_section(segment, name.as_bytes().to_vec(), SectionKind::Debug);
        elf.append_section_data(section, bytes, 1);
    }
    elf.write().unwrap()
}

/// A hundred units of which each may have any part of the same 8 MB of lines: reading them all would take minutes.
#[test]
fn work_without_end_is_refused() {
    // DWARF 4: length, version, offset of the abbreviations, size of an address; an entry, which has no attributes.
    let unit = [8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 1];
    let read = |units| {
        LineTable::read(&with_sections(&[
            (".debug_info", unit.repeat(units)),
            (".debug_abbrev", vec![1, 0x11, 0, 0, 0, 0]),
            (".debug_line", vec![0; 8 << 20]),
        ]))
    };
    assert!(read(10).is_ok());
    assert!(matches!(read(100), Err(BadDebug::TooMuch)));
}

/// Any bytes are a table, or an error; and what a table names can be shown.
fn any_bytes_are_lines_or_an_error(bytes: &[u8]) {
    let Ok(table) = LineTable::read(bytes) else { return };
    for (section, of_section) in &table.sections {
        for line in table.lines(section, 0, of_section.rows.len() as u32, "f") {
            assert!(!line.file.starts_with('/') && !line.file.split('/').any(|it| it == ".."));
            assert!(!line.file.contains(char::is_control), "{:?}", line.file);
            assert!(!line.function.contains(char::is_control), "{:?}", line.function);
        }
    }
}

#[test]
fn no_bytes_make_it_panic() {
    sansim_fuzz::fuzz("dwarf", any_bytes_are_lines_or_an_error);
}

#[test]
fn a_file_that_ends_anywhere_is_an_error_or_has_lines() {
    for (_, elf) in OTHERS {
        (0..elf.len()).step_by(7).for_each(|end| any_bytes_are_lines_or_an_error(&elf[..end]));
    }
}
