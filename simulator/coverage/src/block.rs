//! Basic blocks.
//!
//! A block begins
//!
//! - at the first instruction of a section and of a function;
//! - where a direct jump leads to, conditional or not;
//! - behind a jump, a return, an indirect jump, and `ud2`, by which the kernel raises a warning or a bug;
//! - behind a jump label (a `nop` that the kernel turns into a jump), and where it leads to;
//! - where the exception table, or a table of addresses (of functions, of a `switch`), leads to.
//!
//! It does not end at a call, since a call returns. Blocks of nothing but padding (`nop` and `int3` between
//! functions) are not counted: they are never executed.

use std::collections::BTreeSet;

use iced_x86::{Code as Opcode, FlowControl, Instruction};

use crate::code::{Code, Section, is_padding};

/// Code that is not executed where it is: the kernel copies it over other code.
const ALTERNATIVES: &str = ".altinstr_replacement";

/// A basic block of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The index of its section in [`Code::sections`].
    pub section: usize,
    /// Offset of its first byte in the section.
    pub start: u32,
    /// Offset behind its last byte.
    pub end: u32,
    /// The function that it is part of.
    pub function: String,
    /// Its offset in the function.
    pub at: u32,
    /// The functions that it calls or jumps to by name.
    pub calls: Vec<String>,
    /// Whether it raises a warning or a bug of the kernel's (`ud2`).
    pub asserts: bool,
}

/// All blocks of a module, by section and offset.
pub fn blocks(code: &Code) -> Vec<Block> {
    let sections = code.sections.iter().enumerate().filter(|(_, it)| it.name != ALTERNATIVES);
    sections.flat_map(|(index, section)| of_section(index, section)).collect()
}

fn of_section(index: usize, section: &Section) -> Vec<Block> {
    let leaders = leaders(section);
    let mut blocks = Vec::new();
    let mut rest = &section.instructions[..];
    while let [first, others @ ..] = rest {
        let more = others.iter().take_while(|it| !leaders.contains(&(it.ip() as u32))).count();
        let (own, behind) = rest.split_at(1 + more);
        rest = behind;
        if !own.iter().all(is_padding) {
            blocks.push(block(index, section, first, own));
        }
    }
    blocks
}

fn block(index: usize, section: &Section, first: &Instruction, own: &[Instruction]) -> Block {
    let start = first.ip() as u32;
    let end = own.last().map_or(start, |last| last.next_ip() as u32);
    let function = section.functions.range(..=start).next_back();
    let (begin, function) = function.map_or((0, section.name.as_str()), |(at, name)| (*at, name));
    let calls = own.iter().filter(|it| it.flow_control() != FlowControl::Next);
    let calls = calls.filter_map(|it| section.refers.get(&(it.ip() as u32)).cloned()).collect();
    let asserts = own.iter().any(|it| it.code() == Opcode::Ud2);
    Block {
        section: index,
        start,
        end,
        function: function.to_owned(),
        at: start - begin,
        calls,
        asserts,
    }
}

/// The offsets of first instructions of blocks.
fn leaders(section: &Section) -> BTreeSet<u32> {
    let mut leaders: BTreeSet<u32> = section.functions.keys().copied().collect();
    leaders.extend(&section.entries);
    for instruction in &section.instructions {
        let offset = instruction.ip() as u32;
        if ends_block(instruction) || section.jump_labels.contains(&offset) {
            leaders.insert(instruction.next_ip() as u32);
        }
        // What has a relocation leads elsewhere.
        if !section.refers.contains_key(&offset)
            && matches!(
                instruction.flow_control(),
                FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch
            )
        {
            leaders.insert(instruction.near_branch_target() as u32);
        }
    }
    leaders
}

fn ends_block(instruction: &Instruction) -> bool {
    match instruction.flow_control() {
        FlowControl::Next | FlowControl::Call | FlowControl::IndirectCall => false,
        // `int3` is padding.
        FlowControl::Interrupt => !is_padding(instruction),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
