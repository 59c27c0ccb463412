//! The function of each byte of code, and where functions are inlined.

use std::{collections::HashMap, num::NonZeroU32};

use gimli::{
    AttributeValue, DW_AT_abstract_origin, DW_AT_call_file, DW_AT_call_line, DW_AT_entry_pc,
    DW_AT_high_pc, DW_AT_low_pc, DW_AT_name, DW_AT_ranges, DW_AT_specification,
    DW_TAG_inlined_subroutine, DW_TAG_subprogram, DebugInfoOffset, DebuggingInformationEntry,
    UnitOffset,
};

use super::{
    BadDebug, Reader, Reading, Unit,
    files::text,
    sections::{place, within},
};

type Entry<'d> = DebuggingInformationEntry<Reader<'d>>;

/// How often an entry may refer to another one for its name. Real ones do so twice.
const HOPS: usize = 8;

/// A function's name in [`Functions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FunctionId(u32);

impl FunctionId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The names of functions.
#[derive(Debug, Default)]
pub(super) struct Functions {
    names: Vec<String>,
    by_name: HashMap<String, FunctionId>,
}

impl Functions {
    pub(super) fn names(self) -> Vec<String> {
        self.names
    }

    fn id(&mut self, name: String) -> FunctionId {
        *self.by_name.entry(name).or_insert_with_key(|name| {
            self.names.push(name.clone());
            FunctionId(self.names.len() as u32 - 1)
        })
    }
}

/// What an entry says of its name.
enum Link {
    Name(Option<String>),
    /// It has that of an entry of its unit.
    Within(UnitOffset),
    /// It has that of an entry of any unit.
    Elsewhere(DebugInfoOffset),
}

/// A function whose entries are being read.
struct Scope {
    depth: isize,
    function: Option<FunctionId>,
}

impl<'d> Reading<'_, 'd> {
    /// Marks the code of the functions of a unit: of the inner ones after that of the outer ones.
    pub(super) fn scopes(&mut self, unit: &Unit<'d>) -> Result<(), BadDebug> {
        let mut entries = unit.entries_raw(None)?;
        let mut entry = DebuggingInformationEntry::null();
        let mut around: Vec<Scope> = Vec::new();
        while !entries.is_empty() {
            let is_entry = entries.read_entry(&mut entry)?;
            self.fuel.burn(1 + entry.attrs().len())?;
            let is_inlined = entry.tag() == DW_TAG_inlined_subroutine;
            if !is_entry || !(is_inlined || entry.tag() == DW_TAG_subprogram) {
                continue;
            }
            while around.pop_if(|it| it.depth >= entry.depth()).is_some() {}
            let function = self.name(unit, &entry)?.map(|name| self.functions.id(name));
            let first = self.mark_function(unit, &entry, function)?;
            if is_inlined {
                let caller = around.last().and_then(|it| it.function);
                self.call(unit, &entry, first, caller)?;
            }
            around.push(Scope { depth: entry.depth(), function });
        }
        Ok(())
    }

    /// The name of an entry, or of that which it is an instance of.
    fn name(&mut self, unit: &Unit<'d>, entry: &Entry<'d>) -> Result<Option<String>, BadDebug> {
        let mut link = self.name_or_origin(unit, entry)?;
        let mut elsewhere: Option<Unit<'d>> = None;
        for _ in 0..HOPS {
            let within = match link {
                Link::Name(name) => return Ok(name),
                Link::Within(offset) => offset,
                Link::Elsewhere(offset) => {
                    let Some((unit, offset)) = self.unit_at(offset)? else { return Ok(None) };
                    elsewhere = Some(unit);
                    offset
                }
            };
            let unit = elsewhere.as_ref().unwrap_or(unit);
            link = self.name_or_origin(unit, &unit.entry(within)?)?;
        }
        Ok(None)
    }

    fn name_or_origin(&mut self, unit: &Unit<'d>, entry: &Entry<'d>) -> Result<Link, BadDebug> {
        self.fuel.burn(1 + entry.attrs().len())?;
        if let Some(name) = entry.attr_value(DW_AT_name) {
            return Ok(Link::Name(self.dwarf.attr_string(unit, name).ok().map(text)));
        }
        let origin = entry.attr_value(DW_AT_abstract_origin);
        Ok(match origin.or_else(|| entry.attr_value(DW_AT_specification)) {
            Some(AttributeValue::UnitRef(offset)) => Link::Within(offset),
            Some(AttributeValue::DebugInfoRef(offset)) => Link::Elsewhere(offset),
            _ => Link::Name(None),
        })
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

    /// Marks the code of a function. Returns the first address of it.
    fn mark_function(
        &mut self,
        unit: &Unit<'d>,
        entry: &Entry<'d>,
        function: Option<FunctionId>,
    ) -> Result<Option<u64>, BadDebug> {
        let mut first = None;
        let mut mark = |reading: &mut Self, begin: u64, end: u64| -> Result<(), BadDebug> {
            first.get_or_insert(begin);
            let Some((section, offsets)) = place(begin..end) else { return Ok(()) };
            let Some((_, lines)) = reading.code.get_mut(section) else { return Ok(()) };
            let own = within(&mut lines.functions, offsets);
            reading.fuel.burn(1 + own.len())?;
            own.fill(function);
            Ok(())
        };
        if let Some(ranges) = entry.attr_value(DW_AT_ranges)
            && let Some(mut ranges) = self.dwarf.attr_ranges(unit, ranges)?
        {
            while let Some(range) = ranges.next()? {
                self.fuel.burn(1)?;
                mark(self, range.begin, range.end)?;
            }
        } else if let Some(low) = self.address(unit, entry, DW_AT_low_pc)? {
            let high = match entry.attr_value(DW_AT_high_pc) {
                Some(AttributeValue::Udata(length)) => Some(low.saturating_add(length)),
                Some(_) => self.address(unit, entry, DW_AT_high_pc)?,
                None => None,
            };
            mark(self, low, high.unwrap_or(low))?;
        }
        Ok(first)
    }

    /// Remembers where an inlined function is entered, and the line that calls it.
    fn call(
        &mut self,
        unit: &Unit<'d>,
        entry: &Entry<'d>,
        first: Option<u64>,
        caller: Option<FunctionId>,
    ) -> Result<(), BadDebug> {
        let number = |name| entry.attr(name).and_then(|attr| attr.udata_value());
        let at = self.address(unit, entry, DW_AT_entry_pc)?.or(first);
        let file = entry.attr_value(DW_AT_call_file).and_then(|file| match file {
            AttributeValue::FileIndex(file) => Some(file),
            other => other.udata_value(),
        });
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
        name: gimli::DwAt,
    ) -> Result<Option<u64>, BadDebug> {
        match entry.attr_value(name) {
            Some(value) => Ok(self.dwarf.attr_address(unit, value)?),
            None => Ok(None),
        }
    }
}
