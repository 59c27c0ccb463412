//! The debug information of a module: which lines of source its code is from.
//!
//! | module | contents |
//! |---|---|
//! | `sections` | the sections of the file, with their relocations carried out |
//! | `rows` | the line of each byte of code |
//! | `scopes` | the function of each byte, and where functions are inlined |
//! | `files` | the names of source files in their tree |
//! | `fuel` | an end of the work, whatever the file says |
//!
//! A module is linked when it is loaded, so each of its sections begins at the address 0. To tell them apart, each
//! section with code gets an address of its own here, which relocations then bring into the debug information.
//!
//! A debug file is other people's. What is wrong with it is an error, and what it makes us do has an end.

mod files;
mod fuel;
mod rows;
mod scopes;
mod sections;

use std::{
    collections::{BTreeMap, HashSet},
    num::NonZeroU32,
    ops::Range,
};

use gimli::{DebugInfoOffset, EndianSlice, LittleEndian, Section as _, UnitHeader};
use serde::{Deserialize, Serialize};

use self::{
    files::{FileId, Files},
    fuel::Fuel,
    scopes::{ScopeId, Scopes},
    sections::{Sections, place, within},
};
/// Why a file's debug information cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadDebug {
    /// It is no ELF file, or a damaged one.
    #[error("{0}")]
    Elf(#[from] object::Error),
    /// Its debug information is damaged.
    #[error("its debug information is damaged: {0}")]
    Dwarf(#[from] gimli::Error),
    /// It has no debug information.
    #[error("it has no debug information")]
    Missing,
    /// It has sections that are too large.
    #[error("it has too much code, or more than {} MiB of debug information", sections::MOST >> 20)]
    TooLarge,
    /// Its debug information makes too much work.
    #[error("its debug information is beyond all measure for a module")]
    TooMuch,
}

type Reader<'d> = EndianSlice<'d, LittleEndian>;
type Dwarf<'d> = gimli::Dwarf<Reader<'d>>;
type Unit<'d> = gimli::Unit<Reader<'d>>;

/// A line of source, and the function that it is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLine {
    /// The file, from the top of the kernel's tree: `drivers/md/dm-mpath.c`.
    pub file: String,
    /// Its number, from 1.
    pub line: NonZeroU32,
    /// The function of the source. Another one than that of the block, if it was inlined there.
    pub function: String,
}

/// The lines of source of a module's code.
#[derive(Debug)]
pub struct LineTable {
    /// By the section's name.
    sections: BTreeMap<String, SectionLines>,
    /// Names of source files.
    files: Vec<String>,
    scopes: Scopes,
}

/// Most bytes of a piece of code. No block of a module is nearly as long.
const LONGEST: u32 = 1 << 16;

/// A line of source, without its function.
type Row = (FileId, NonZeroU32);

/// What is known of each byte of a section with code.
#[derive(Debug, Default)]
struct SectionLines {
    rows: Vec<Option<Row>>,
    /// The innermost function: that which was inlined, where one was.
    scopes: Vec<Option<ScopeId>>,
    /// Where an inlined function is entered: the line of its call, in the function that calls it. Outer ones first.
    calls: BTreeMap<u32, Vec<(Row, Option<ScopeId>)>>,
}

impl LineTable {
    /// Reads the debug information (DWARF 2 to 5) of a module: its own file, or one that was split off it.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(elf: &[u8]) -> Result<LineTable, BadDebug> {
        let sections = Sections::read(elf)?;
        let dwarf = sections.dwarf();
        let mut reading = Reading {
            dwarf: &dwarf,
            headers: Vec::new(),
            fuel: Fuel::default(),
            files: Files::default(),
            scopes: Scopes::default(),
            code: sections.code(),
        };
        reading.units()?;
        let Reading { files, scopes, code, .. } = reading;
        let sections = code.into_iter().collect();
        Ok(LineTable { sections, files: files.names(), scopes })
    }

    /// The lines of a piece of code, in the order of its instructions, each once. `function` is the name of the function
    /// if the debug information has none.
    ///
    /// The line of the call of an inlined function is where that is entered.
    pub fn lines(&self, section: &str, offset: u32, bytes: u32, function: &str) -> Vec<SourceLine> {
        let Some(section) = self.sections.get(section) else { return Vec::new() };
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        let end = offset.saturating_add(bytes.min(LONGEST)).min(section.rows.len() as u32);
        for at in offset..end {
            let calls = section.calls.get(&at).into_iter().flatten().copied();
            let own = section.rows[at as usize].map(|row| (row, section.scopes[at as usize]));
            found.extend(calls.chain(own).filter(|(row, _)| seen.insert(*row)));
        }
        let line = |(row, own): (Row, Option<ScopeId>)| SourceLine {
            file: self.files.get(row.0.index()).cloned().unwrap_or_default(),
            line: row.1,
            function: own
                .and_then(|own| self.scopes.function_in(row, own))
                .unwrap_or(function)
                .to_owned(),
        };
        found.into_iter().map(line).collect()
    }
}

/// A section with code: its name, and what is known of its bytes so far.
type CodeLines = Vec<(String, SectionLines)>;

/// What the reading of a file has, and has found.
struct Reading<'r, 'd> {
    dwarf: &'r Dwarf<'d>,
    /// The headers of all units, in their order.
    headers: Vec<(DebugInfoOffset, UnitHeader<Reader<'d>>)>,
    fuel: Fuel,
    files: Files,
    scopes: Scopes,
    code: CodeLines,
}

impl<'d> Reading<'_, 'd> {
    fn units(&mut self) -> Result<(), BadDebug> {
        let mut headers = self.dwarf.units();
        while let Some(header) = headers.next()? {
            self.fuel.burn(1)?;
            if let Some(offset) = header.debug_info_offset() {
                self.headers.push((offset, header));
            }
        }
        for at in 0..self.headers.len() {
            let unit = self.unit(at)?;
            self.rows(&unit)?;
            self.scopes(&unit)?;
        }
        Ok(())
    }

    /// Says something of the code at these addresses.
    fn mark<T: Clone>(
        &mut self,
        addresses: Range<u64>,
        of: fn(&mut SectionLines) -> &mut [T],
        what: T,
    ) -> Result<(), BadDebug> {
        let Some((section, offsets)) = place(addresses) else { return Ok(()) };
        let Some((_, lines)) = self.code.get_mut(section) else { return Ok(()) };
        let own = within(of(lines), offsets);
        self.fuel.burn(own.len())?;
        own.fill(what);
        Ok(())
    }

    /// Reads the abbreviations and the list of files of a unit. Several may use the same.
    fn unit(&mut self, at: usize) -> Result<Unit<'d>, BadDebug> {
        let Dwarf { debug_abbrev, debug_line, .. } = self.dwarf;
        self.fuel.burn(debug_abbrev.reader().len() + debug_line.reader().len())?;
        Ok(self.dwarf.unit(self.headers[at].1)?)
    }
}

#[cfg(test)]
pub(crate) mod tests;
