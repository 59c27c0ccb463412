//! The disassembly of a block, as `objdump -dr` would show it.

use iced_x86::{Formatter, GasFormatter, Instruction, SymbolResolver, SymbolResult};

use crate::{
    block::Block,
    code::{Code, Section},
};

/// The instructions of a block, a line each.
pub(crate) fn listing(code: &Code, block: &Block) -> Vec<String> {
    let section = &code.sections[block.section];
    let mut formatter = GasFormatter::with_options(Some(Box::new(Names::of(section))), None);
    formatter.options_mut().set_uppercase_hex(false);
    let from = section.instructions.partition_point(|it| it.ip() < u64::from(block.start));
    let own = section.instructions[from..].iter().take_while(|it| it.ip() < u64::from(block.end));
    own.map(|instruction| {
        let mut line = String::new();
        formatter.format(instruction, &mut line);
        // Branches show the name themselves.
        match section.refers.get(&(instruction.ip() as u32)) {
            Some(name) if !line.contains(name.as_str()) => format!("{line}  # {name}"),
            _ => line,
        }
    })
    .collect()
}

/// The names of a section's functions, and of what its instructions refer to.
struct Names {
    functions: Vec<(u32, String)>,
    refers: Vec<(u32, String)>,
}

impl Names {
    fn of(section: &Section) -> Names {
        let pairs = |map: &std::collections::BTreeMap<u32, String>| {
            map.iter().map(|(at, name)| (*at, name.clone())).collect()
        };
        Names { functions: pairs(&section.functions), refers: pairs(&section.refers) }
    }
}

impl SymbolResolver for Names {
    fn symbol(
        &mut self,
        instruction: &Instruction,
        _operand: u32,
        _instruction_operand: Option<u32>,
        address: u64,
        _address_size: u32,
    ) -> Option<SymbolResult<'_>> {
        if !instruction.is_call_near()
            && !instruction.is_jmp_short_or_near()
            && !instruction.is_jcc_short_or_near()
        {
            return None;
        }
        let offset = instruction.ip() as u32;
        if let Ok(at) = self.refers.binary_search_by_key(&offset, |(at, _)| *at) {
            return Some(SymbolResult::with_str(address, &self.refers[at].1));
        }
        let target = u32::try_from(address).ok()?;
        let behind = self.functions.partition_point(|(at, _)| *at <= target);
        let (begin, name) = self.functions.get(behind.checked_sub(1)?)?;
        let text =
            if *begin == target { name.clone() } else { format!("{name}+{:#x}", target - begin) };
        Some(SymbolResult::with_string(address, text))
    }
}
