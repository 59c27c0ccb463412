//! The sections of a debug file, with their relocations carried out.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use gimli::{EndianSlice, LittleEndian, SectionId};
use object::{
    File, Object, ObjectSection, ObjectSymbol, RelocationKind, RelocationTarget, SectionFlags,
    SectionIndex, elf::SHF_EXECINSTR,
};

use super::{BadDebug, CodeLines, Dwarf, SectionLines};

/// Most bytes of debug information, unpacked. The largest module that is looked at has 1 MiB.
pub(super) const MOST: u64 = 256 << 20;
/// Most bytes of code.
const MOST_CODE: u64 = 16 << 20;

/// The address of the first section with code, and how far it is from one to the next.
const APART: u64 = 1 << 32;

/// Where addresses lie: the index of a section with code, and offsets in it, which may be beyond its end. `None` if the
/// first is in no section.
pub(super) fn place(addresses: Range<u64>) -> Option<(usize, Range<usize>)> {
    let section = usize::try_from((addresses.start / APART).checked_sub(1)?).ok()?;
    let length = addresses.end.saturating_sub(addresses.start) as usize;
    let from = (addresses.start % APART) as usize;
    Some((section, from..from.saturating_add(length)))
}

/// Those of a section's bytes that there are.
pub(super) fn within<T>(bytes: &mut [T], offsets: Range<usize>) -> &mut [T] {
    let end = offsets.end.min(bytes.len());
    bytes.get_mut(offsets.start..end).unwrap_or_default()
}

/// The sections that are used.
pub(super) struct Sections<'d> {
    debug: HashMap<&'static str, Cow<'d, [u8]>>,
    /// Names and sizes of those with code; each has the address of its number.
    code: Vec<(String, usize)>,
}

impl<'d> Sections<'d> {
    pub(super) fn read(elf: &'d [u8]) -> Result<Sections<'d>, BadDebug> {
        let file = File::parse(elf)?;
        let (mut room, mut room_for_code) = (MOST, MOST_CODE);
        let (mut code, mut addresses) = (Vec::new(), HashMap::new());
        for section in file.sections().filter(is_code) {
            take(&mut room_for_code, section.size())?;
            code.push((section.name()?.to_owned(), section.size() as usize));
            addresses.insert(section.index(), code.len() as u64 * APART);
        }
        let mut debug = HashMap::new();
        for id in USED {
            let Some(section) = file.section_by_name(id.name()) else { continue };
            take(&mut room, section.compressed_data()?.uncompressed_size)?;
            let bytes = section.uncompressed_data()?;
            debug.insert(id.name(), relocated(&file, &section, bytes, &addresses));
        }
        match debug.contains_key(SectionId::DebugInfo.name()) {
            true => Ok(Sections { debug, code }),
            false => Err(BadDebug::Missing),
        }
    }

    pub(super) fn dwarf(&self) -> Dwarf<'_> {
        let section = |id: SectionId| -> Result<_, gimli::Error> {
            let bytes = self.debug.get(id.name()).map_or(&[][..], |bytes| bytes);
            Ok(EndianSlice::new(bytes, LittleEndian))
        };
        Dwarf::load(section).unwrap_or_default()
    }

    /// The sections with code, of which nothing is known yet.
    pub(super) fn code(&self) -> CodeLines {
        let empty = |(name, size): &(String, usize)| {
            let (rows, scopes) = (vec![None; *size], vec![None; *size]);
            (name.clone(), SectionLines { rows, scopes, ..SectionLines::default() })
        };
        self.code.iter().map(empty).collect()
    }
}

fn take(room: &mut u64, bytes: u64) -> Result<(), BadDebug> {
    *room = room.checked_sub(bytes).ok_or(BadDebug::TooLarge)?;
    Ok(())
}

/// The sections from which lines and functions can be read.
const USED: [SectionId; 10] = [
    SectionId::DebugInfo,
    SectionId::DebugAbbrev,
    SectionId::DebugLine,
    SectionId::DebugStr,
    SectionId::DebugLineStr,
    SectionId::DebugRanges,
    SectionId::DebugRngLists,
    SectionId::DebugAddr,
    SectionId::DebugStrOffsets,
    SectionId::DebugTypes,
];

/// Whether a section has code. In a file that was split off, it has the size of its code, and no contents.
fn is_code<'d>(section: &impl ObjectSection<'d>) -> bool {
    let executable = match section.flags() {
        SectionFlags::Elf { sh_flags, .. } => sh_flags.contains(SHF_EXECINSTR),
        _ => false,
    };
    executable && section.size() > 0
}

/// Carries out the relocations of a section.
fn relocated<'d>(
    file: &File<'d>,
    section: &impl ObjectSection<'d>,
    bytes: Cow<'d, [u8]>,
    addresses: &HashMap<SectionIndex, u64>,
) -> Cow<'d, [u8]> {
    let mut bytes = bytes;
    for (offset, relocation) in section.relocations() {
        let RelocationTarget::Symbol(symbol) = relocation.target() else { continue };
        let Ok(symbol) = file.symbol_by_index(symbol) else { continue };
        if relocation.kind() != RelocationKind::Absolute {
            continue;
        }
        let own = symbol.section_index().and_then(|index| addresses.get(&index)).copied();
        let value = symbol.address().wrapping_add_signed(relocation.addend());
        let value = value.wrapping_add(own.unwrap_or(0)).to_le_bytes();
        let width = usize::from(relocation.size() / 8).min(value.len());
        if let Some(from) = usize::try_from(offset).ok()
            && let Some(end) = from.checked_add(width)
            && bytes.len() >= end
        {
            bytes.to_mut()[from..end].copy_from_slice(&value[..width]);
        }
    }
    bytes
}
