//! A module's file: its sections with code, and what else of it matters to its code.

use std::collections::{BTreeMap, HashMap};

use iced_x86::{Code as Opcode, Decoder, DecoderOptions, FlowControl, Instruction};
use object::{
    File, Object, ObjectSection, ObjectSymbol, RelocationKind, RelocationTarget, SectionIndex,
    SectionKind, SymbolKind,
};

use crate::build_id::BuildId;

/// Sections that list places in the code which the kernel may write to, when it loads the module or later:
/// alternatives, jump labels, calls of ftrace, returns and indirect calls under mitigations
/// (arch/x86/kernel/alternative.c, arch/x86/kernel/module.c). Without a leading dot or underscores.
const PATCHED: [&str; 12] = [
    "altinstructions",
    "call_sites",
    "cfi_sites",
    "ibt_endbr_seal",
    "jump_table",
    "mcount_loc",
    "parainstructions",
    "patchable_function_entries",
    "retpoline_sites",
    "return_sites",
    "smp_locks",
    "static_call_sites",
];
/// Most bytes of code in a module. The largest module of multipathing has 30 KiB.
const MOST_CODE: usize = 16 << 20;

/// How many bytes of a text are shown.
const LONGEST_TEXT: usize = 60;

/// Why a file is no module whose code can be read.
#[derive(Debug, thiserror::Error)]
pub enum BadModule {
    /// It is no ELF file for x86-64, or a damaged one.
    #[error("{0}")]
    Elf(#[from] object::Error),
    /// It has too much code.
    #[error("it has more than {} MiB of code", MOST_CODE >> 20)]
    TooLarge,
}

/// The code of a module.
#[derive(Debug)]
pub struct Code {
    /// Which build of the module it is; `None` if the file does not say.
    pub build_id: Option<BuildId>,
    /// The sections with instructions, in the order of the file.
    pub sections: Vec<Section>,
}

/// A section with instructions.
#[derive(Debug)]
pub struct Section {
    /// Its name: `.text`.
    pub name: String,
    /// The alignment of its first byte.
    pub align: u64,
    /// Its contents in the file.
    pub bytes: Vec<u8>,
    /// For each byte, whether it is the same in a guest's memory. Others are written when the module is loaded.
    pub stable: Vec<bool>,
    /// Its instructions, in order. Where bytes make no instruction, the next one follows a byte later.
    pub instructions: Vec<Instruction>,
    /// The names of external symbols and of symbols in other sections, by the offset of the instruction that refers
    /// to them.
    pub refers: BTreeMap<u32, String>,
    /// Functions by the offset of their first instruction.
    pub functions: BTreeMap<u32, String>,
    /// Offsets that something else than a branch leads to: entries of tables, of jump labels, of the exception table.
    pub entries: Vec<u32>,
    /// Instructions that the kernel may turn into a jump: jump labels.
    pub jump_labels: Vec<u32>,
}

/// Where something lies: the index of a section in [`Code::sections`], and an offset in it.
type Place = (usize, u32);

impl Code {
    /// Reads a module's file.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(elf: &[u8]) -> Result<Code, BadModule> {
        let file = File::parse(elf)?;
        let mut code = Code { build_id: BuildId::of_file(&file), sections: Vec::new() };
        let mut indexes = HashMap::new();
        for section in file.sections().filter(has_code) {
            let bytes = section.data()?.to_vec();
            let so_far: usize = code.sections.iter().map(|section| section.bytes.len()).sum();
            if so_far + bytes.len() > MOST_CODE {
                return Err(BadModule::TooLarge);
            }
            indexes.insert(section.index(), code.sections.len());
            code.sections.push(Section::new(section.name()?, section.align(), bytes));
        }
        let reader = Reader { file: &file, indexes };
        reader.functions(&mut code);
        for section in file.sections() {
            reader.relocations(&section, &mut code)?;
        }
        Ok(code)
    }
}

fn has_code<'f>(section: &impl ObjectSection<'f>) -> bool {
    section.kind() == SectionKind::Text && section.size() > 0
}

impl Section {
    /// A section without relocations.
    fn new(name: &str, align: u64, bytes: Vec<u8>) -> Section {
        let instructions: Vec<_> =
            Decoder::new(64, &bytes, DecoderOptions::NONE).into_iter().collect();
        let mut section = Section {
            name: name.to_owned(),
            align: align.max(1),
            stable: vec![true; bytes.len()],
            bytes,
            instructions,
            refers: BTreeMap::new(),
            functions: BTreeMap::new(),
            entries: Vec::new(),
            jump_labels: Vec::new(),
        };
        for at in 0..section.instructions.len() {
            let instruction = section.instructions[at];
            if is_rewritten(&instruction) {
                section.unstable(instruction.ip() as u32, instruction.len());
            }
        }
        section
    }

    /// The instruction that has the byte at an offset.
    fn instruction_at(&self, offset: u32) -> Option<&Instruction> {
        let after = self.instructions.partition_point(|it| it.ip() <= u64::from(offset));
        let found = self.instructions.get(after.checked_sub(1)?)?;
        (u64::from(offset) < found.next_ip()).then_some(found)
    }

    fn unstable(&mut self, offset: u32, length: usize) {
        let from = offset as usize;
        let end = from.saturating_add(length).min(self.stable.len());
        if let Some(bytes) = self.stable.get_mut(from..end) {
            bytes.fill(false);
        }
    }

    /// The whole instruction at an offset may be written to.
    fn patched(&mut self, offset: u32) {
        if let Some(instruction) = self.instruction_at(offset).copied() {
            self.unstable(instruction.ip() as u32, instruction.len());
        }
    }

    /// The kernel fills in an address at an offset, of so many bytes. Calls and jumps may become others altogether.
    fn relocated(&mut self, offset: u32, bytes: usize, name: String) {
        self.unstable(offset, bytes);
        let Some(instruction) = self.instruction_at(offset).copied() else { return };
        self.refers.insert(instruction.ip() as u32, name);
        if instruction.flow_control() != FlowControl::Next {
            self.unstable(instruction.ip() as u32, instruction.len());
        }
    }
}

/// Whether the kernel may write an instruction of this kind without listing its place: padding, and landing pads of
/// indirect branches, which are sealed.
fn is_rewritten(instruction: &Instruction) -> bool {
    is_padding(instruction) || instruction.code() == Opcode::Endbr64
}

/// Whether an instruction only fills a gap.
pub(crate) fn is_padding(instruction: &Instruction) -> bool {
    matches!(
        instruction.code(),
        Opcode::Int3
            | Opcode::Nopd
            | Opcode::Nopw
            | Opcode::Nopq
            | Opcode::Nop_rm16
            | Opcode::Nop_rm32
            | Opcode::Nop_rm64
    )
}

struct Reader<'f, 'd> {
    file: &'f File<'d>,
    indexes: HashMap<SectionIndex, usize>,
}

impl Reader<'_, '_> {
    fn functions(&self, code: &mut Code) {
        for symbol in self.file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text) {
            let Some(at) = symbol.section_index().and_then(|index| self.indexes.get(&index)) else {
                continue;
            };
            let (Ok(name), Ok(offset)) = (symbol.name(), u32::try_from(symbol.address())) else {
                continue;
            };
            // Padding before a function has a symbol of its own.
            if symbol.size() == 0 || name.starts_with("__pfx_") {
                continue;
            }
            code.sections[*at].functions.entry(offset).or_insert_with(|| name.to_owned());
        }
    }

    fn relocations<'s>(
        &self,
        section: &impl ObjectSection<'s>,
        code: &mut Code,
    ) -> Result<(), BadModule> {
        let own = self.indexes.get(&section.index()).copied();
        let name = section.name().unwrap_or_default().trim_start_matches(['.', '_']);
        for (offset, relocation) in section.relocations() {
            let RelocationTarget::Symbol(symbol) = relocation.target() else { continue };
            let symbol = self.file.symbol_by_index(symbol)?;
            let place = self.place(&symbol, relocation.addend());
            match (own, u32::try_from(offset)) {
                (Some(own), Ok(offset)) => {
                    let bytes = usize::from(relocation.size() / 8).max(4);
                    // One that is relative is so to its end.
                    let end = if relocation.kind() == RelocationKind::Absolute { 0 } else { 4 };
                    let behind = relocation.addend().saturating_add(end);
                    let to = self.text_of(&symbol, behind).unwrap_or_else(|| self.name_of(&symbol));
                    code.sections[own].relocated(offset, bytes, to);
                    // What the code takes the address of may be jumped to.
                    if let Some((section, target)) = self.place(&symbol, behind) {
                        code.sections[section].entries.push(target);
                    }
                }
                _ => {
                    if let Some(place) = place {
                        refer(code, name, offset, place);
                    }
                }
            }
        }
        Ok(())
    }

    /// The text that an instruction refers to, so many bytes behind a symbol: the beginning of its first line.
    fn text_of<'s>(&self, symbol: &impl ObjectSymbol<'s>, behind: i64) -> Option<String> {
        let section = self.file.section_by_index(symbol.section_index()?).ok()?;
        section.name().ok().filter(|name| name.starts_with(".rodata.str"))?;
        let from = usize::try_from(symbol.address().checked_add_signed(behind)?).ok()?;
        let text =
            section.data().ok()?.get(from..)?.split(|byte| matches!(byte, 0 | b'\n')).next()?;
        // Levels of printk begin with a control character (include/linux/kern_levels.h).
        let text = match text {
            [1, _, text @ ..] => text,
            text => text,
        };
        let text = String::from_utf8_lossy(text.get(..LONGEST_TEXT).unwrap_or(text)).into_owned();
        Some(format!("{text:?}"))
    }

    fn name_of<'s>(&self, symbol: &impl ObjectSymbol<'s>) -> String {
        let section =
            || symbol.section_index().and_then(|index| self.file.section_by_index(index).ok());
        match symbol.name() {
            Ok(name) if !name.is_empty() => name.to_owned(),
            _ => section().and_then(|it| it.name().map(str::to_owned).ok()).unwrap_or_default(),
        }
    }

    /// Where a symbol of the module's own code lies, and so many bytes behind it.
    fn place<'s>(&self, symbol: &impl ObjectSymbol<'s>, behind: i64) -> Option<Place> {
        let at = *self.indexes.get(&symbol.section_index()?)?;
        let offset = symbol.address().checked_add_signed(behind)?;
        Some((at, u32::try_from(offset).ok()?))
    }
}

/// A table of the module's, in the section `name`, refers to a place in its code from `offset`.
fn refer(code: &mut Code, name: &str, offset: u64, (section, target): Place) {
    let section = &mut code.sections[section];
    if PATCHED.contains(&name) {
        section.patched(target);
    }
    match name {
        // struct jump_entry: code, target, key; the first two are of 4 bytes each.
        "jump_table" if offset.is_multiple_of(16) => section.jump_labels.push(target),
        "jump_table" => section.entries.push(target),
        // struct exception_table_entry: insn, fixup, type, of 4 bytes each.
        "ex_table" if offset % 12 == 4 => section.entries.push(target),
        _ if name.starts_with("rodata") || name.starts_with("data") => section.entries.push(target),
        _ => {}
    }
}

#[cfg(test)]
pub(crate) mod tests;
