//! The function of each byte of code, and where functions are inlined.

use std::{num::NonZeroU32, ops::Range};

use gimli::{
    AttributeValue, DW_AT_abstract_origin, DW_AT_call_file, DW_AT_call_line, DW_AT_decl_file,
    DW_AT_decl_line, DW_AT_entry_pc, DW_AT_high_pc, DW_AT_low_pc, DW_AT_name, DW_AT_ranges,
    DW_AT_specification, DW_TAG_inlined_subroutine, DW_TAG_subprogram, DebugInfoOffset,
    DebuggingInformationEntry, DwAt, UnitOffset,
};

use super::{
    BadDebug, Reader, Reading, Row, Unit,
    files::{FileId, text},
    sections::place,
};

type Entry<'d> = DebuggingInformationEntry<Reader<'d>>;

/// How often an entry may refer to another one for its name. Real ones do so twice.
const HOPS: usize = 8;

/// The steps that a scope is counted as, since it takes memory.
const SCOPE: usize = 256;

/// A [`Scope`] in [`Scopes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ScopeId(u32);

/// A function where it was compiled: by itself, or inlined into another one.
#[derive(Debug, Clone)]
struct Scope {
    function: Function,
    /// That into which it was inlined.
    outer: Option<ScopeId>,
}

/// A function of the source.
#[derive(Debug, Clone, Default)]
struct Function {
    name: Option<String>,
    file: Option<FileId>,
    /// The line on which it begins, or its declaration does.
    line: Option<NonZeroU32>,
}

/// All functions, wherever they were compiled.
#[derive(Debug, Default)]
pub(super) struct Scopes(Vec<Scope>);

impl Scopes {
    fn add(&mut self, scope: Scope) -> ScopeId {
        self.0.push(scope);
        ScopeId(self.0.len() as u32 - 1)
    }

    /// The function of the source that a line is in, by the innermost one of its code: of that and those around it, the one
    /// that begins before the line, and last. An outer one can be meant, since the compiler moves code, and names the line
    /// of a call for code of what is called.
    pub(super) fn function_in(&self, (file, line): Row, innermost: ScopeId) -> Option<&str> {
        let outer = |it: &&Scope| it.outer.and_then(|outer| self.0.get(outer.0 as usize));
        let innermost = self.0.get(innermost.0 as usize)?;
        let around = std::iter::successors(Some(innermost), outer);
        let of_file = around.filter(|it| it.function.file == Some(file));
        let begun = of_file.filter(|it| it.function.line.is_some_and(|begins| begins <= line));
        let own = begun.max_by_key(|it| it.function.line).unwrap_or(innermost);
        own.function.name.as_deref()
    }
}

/// What an entry says of its function.
enum Link {
    Function(Function),
    /// It is that of an entry of its unit.
    Within(UnitOffset),
    /// It is that of an entry of any unit.
    Elsewhere(DebugInfoOffset),
}

impl<'d> Reading<'_, 'd> {
    /// Marks the code of the functions of a unit: of the inner ones after that of the outer ones.
    pub(super) fn scopes(&mut self, unit: &Unit<'d>) -> Result<(), BadDebug> {
        let mut entries = unit.entries_raw(None)?;
        let mut entry = DebuggingInformationEntry::null();
        // The functions around an entry, with their depths.
        let mut around: Vec<(isize, ScopeId)> = Vec::new();
        while !entries.is_empty() {
            let is_entry = entries.read_entry(&mut entry)?;
            self.fuel.burn(1 + entry.attrs().len())?;
            if !is_entry {
                continue;
            }
            while around.pop_if(|(depth, _)| *depth >= entry.depth()).is_some() {}
            let is_inlined = entry.tag() == DW_TAG_inlined_subroutine;
            if !is_inlined && entry.tag() != DW_TAG_subprogram {
                continue;
            }
            let outer = around.last().map(|(_, scope)| *scope);
            let function = self.function(unit, &entry)?;
            self.fuel.burn(SCOPE + function.name.as_ref().map_or(0, String::len))?;
            let scope = self.scopes.add(Scope { function, outer });
            let addresses = self.addresses(unit, &entry)?;
            if is_inlined {
                self.call(unit, &entry, addresses.first().map(|it| it.start), outer)?;
            }
            for range in addresses {
                self.mark(range, |lines| &mut lines.scopes, Some(scope))?;
            }
            around.push((entry.depth(), scope));
        }
        Ok(())
    }

    /// The function of an entry, or of that which it is an instance of.
    fn function(&mut self, unit: &Unit<'d>, entry: &Entry<'d>) -> Result<Function, BadDebug> {
        let mut link = self.function_or_origin(unit, entry)?;
        let mut elsewhere: Option<Unit<'d>> = None;
        for _ in 0..HOPS {
            let within = match link {
                Link::Function(function) => return Ok(function),
                Link::Within(offset) => offset,
                Link::Elsewhere(offset) => {
                    let Some((unit, offset)) = self.unit_at(offset)? else { break };
                    elsewhere = Some(unit);
                    offset
                }
            };
            let unit = elsewhere.as_ref().unwrap_or(unit);
            link = self.function_or_origin(unit, &unit.entry(within)?)?;
        }
        Ok(Function::default())
    }

    fn function_or_origin(&mut self, unit: &Unit<'d>, entry: &Entry<'d>) -> Result<Link, BadDebug> {
        self.fuel.burn(1 + entry.attrs().len())?;
        let origin = entry.attr_value(DW_AT_abstract_origin);
        match origin.or_else(|| entry.attr_value(DW_AT_specification)) {
            Some(AttributeValue::UnitRef(offset)) => return Ok(Link::Within(offset)),
            Some(AttributeValue::DebugInfoRef(offset)) => return Ok(Link::Elsewhere(offset)),
            _ => {}
        }
        let name = entry.attr_value(DW_AT_name);
        let name = name.and_then(|name| self.dwarf.attr_string(unit, name).ok()).map(text);
        let file = match number_of_file(entry, DW_AT_decl_file) {
            Some(file) => self.file(unit, file)?,
            None => None,
        };
        let line = entry.attr(DW_AT_decl_line).and_then(|attr| attr.udata_value());
        let line = line.and_then(|line| NonZeroU32::new(u32::try_from(line).ok()?));
        Ok(Link::Function(Function { name, file, line }))
    }

    /// The unit that an entry is in, which optimisation at link time lets another one refer to.
    fn unit_at(
        &mut self,
        offset: DebugInfoOffset,
    ) -> Result<Option<(Unit<'d>, UnitOffset)>, BadDebug> {
        let behind = self.headers.partition_point(|(begin, _)| begin.0 <= offset.0);
        let Some(at) = behind.checked_sub(1) else { return Ok(None) };
        let unit = self.unit(at)?;
        Ok(offset.to_unit_offset(&unit.header).map(|offset| (unit, offset)))
    }

    /// The addresses of a function's code.
    fn addresses(
        &mut self,
        unit: &Unit<'d>,
        entry: &Entry<'d>,
    ) -> Result<Vec<Range<u64>>, BadDebug> {
        let mut addresses = Vec::new();
        if let Some(ranges) = entry.attr_value(DW_AT_ranges)
            && let Some(mut ranges) = self.dwarf.attr_ranges(unit, ranges)?
        {
            while let Some(range) = ranges.next()? {
                self.fuel.burn(size_of::<Range<u64>>())?;
                addresses.push(range.begin..range.end);
            }
        } else if let Some(low) = self.address(unit, entry, DW_AT_low_pc)? {
            let high = match entry.attr_value(DW_AT_high_pc) {
                Some(AttributeValue::Udata(length)) => Some(low.saturating_add(length)),
                _ => self.address(unit, entry, DW_AT_high_pc)?,
            };
            addresses.push(low..high.unwrap_or(low));
        }
        Ok(addresses)
    }

    /// Remembers where an inlined function is entered, and the line that calls it.
    fn call(
        &mut self,
        unit: &Unit<'d>,
        entry: &Entry<'d>,
        first: Option<u64>,
        caller: Option<ScopeId>,
    ) -> Result<(), BadDebug> {
        let number = |name| entry.attr(name).and_then(|attr| attr.udata_value());
        let at = self.address(unit, entry, DW_AT_entry_pc)?.or(first);
        let file = number_of_file(entry, DW_AT_call_file);
        let (Some(at), Some(file), Some(line)) = (at, file, number(DW_AT_call_line)) else {
            return Ok(());
        };
        let line = u32::try_from(line).ok().and_then(NonZeroU32::new);
        let Some(row) = self.file(unit, file)?.zip(line) else { return Ok(()) };
        if let Some((section, offsets)) = place(at..at)
            && let Some((_, lines)) = self.code.get_mut(section)
            && offsets.start < lines.rows.len()
        {
            lines.calls.entry(offsets.start as u32).or_default().push((row, caller));
        }
        Ok(())
    }

    fn address(
        &self,
        unit: &Unit<'d>,
        entry: &Entry<'d>,
        name: DwAt,
    ) -> Result<Option<u64>, BadDebug> {
        match entry.attr_value(name) {
            Some(value) => Ok(self.dwarf.attr_address(unit, value)?),
            None => Ok(None),
        }
    }
}

/// A file by its number in the line program of the unit.
fn number_of_file(entry: &Entry<'_>, name: DwAt) -> Option<u64> {
    match entry.attr_value(name)? {
        AttributeValue::FileIndex(file) => Some(file),
        other => other.udata_value(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::debug::files::{Files, Path};

    #[test]
    fn a_line_is_of_the_function_that_begins_before_it() {
        let mut files = Files::default();
        let [own, header] = ["count.c", "count.h"].map(|name| files.id(Path::of("", "", name)));
        let line = |number| NonZeroU32::new(number).unwrap();
        let function = |name: &str, begins| {
            let name = Some(name.to_owned());
            Function { name, file: Some(own), line: Some(line(begins)) }
        };
        let mut scopes = Scopes::default();
        let outer = scopes.add(Scope { function: function("after", 30), outer: None });
        let inlined = Scope { function: function("before", 10), outer: Some(outer) };
        let inlined = scopes.add(inlined);
        let of = |file, number| scopes.function_in((file, line(number)), inlined);
        assert_eq!(of(own, 12), Some("before"));
        // The compiler has moved code of the outer function to that of the inner one.
        assert_eq!(of(own, 34), Some("after"));
        assert_eq!(of(header, 34), Some("before"));
    }
}
