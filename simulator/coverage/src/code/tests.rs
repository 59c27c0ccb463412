//! A made-up module, with each kind of thing that matters to its code.

use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope,
    elf::{R_X86_64_PC32, R_X86_64_PLT32},
    write::{Object, Relocation, SectionId, StandardSection, Symbol, SymbolId, SymbolSection},
};
use proptest::prelude::*;

use super::*;

/// `first`: a call of ftrace's, a jump label, a conditional jump over a warning, a return by a thunk.
/// `second`: a call of something external, and a return. Between them is padding.
pub(crate) const TEXT: &[u8] = &[
    0xe8, 0, 0, 0, 0, // 0: call __fentry__
    0x0f, 0x1f, 0x44, 0, 0, // 5: nop, a jump label that leads to 0x15
    0x48, 0x85, 0xff, // 0xa: test %rdi,%rdi
    0x74, 0x02, // 0xd: je 0x11
    0x0f, 0x0b, // 0xf: ud2
    0xb8, 0x7b, 0, 0, 0, // 0x11: mov $0x7b,%eax
    0xe9, 0, 0, 0, 0, // 0x16: jmp __x86_return_thunk
    0xcc, 0xcc, 0xcc, 0xcc, 0xcc, // 0x1b: padding
    0xe8, 0, 0, 0, 0, // 0x20: call kfree
    0x31, 0xc0, // 0x25: xor %eax,%eax
    0xeb, 0x00, // 0x27: jmp 0x29
    0xc3, // 0x29: ret
];
/// An initial function: it returns 0.
pub(crate) const INIT: &[u8] = &[0x48, 0x31, 0xc0, 0x48, 0x83, 0xc4, 0x08, 0x5b, 0x5d, 0xc3];

struct Maker {
    object: Object<'static>,
}

impl Maker {
    fn symbol(
        &mut self,
        name: &str,
        section: SymbolSection,
        value: u64,
        size: u64,
        kind: SymbolKind,
    ) -> SymbolId {
        self.object.add_symbol(Symbol {
            name: name.into(),
            value,
            size,
            kind,
            scope: SymbolScope::Linkage,
            weak: false,
            section,
            flags: SymbolFlags::None,
        })
    }

    fn refer(
        &mut self,
        section: SectionId,
        offset: u64,
        symbol: SymbolId,
        addend: i64,
        call: bool,
    ) {
        let r_type = if call { R_X86_64_PLT32 } else { R_X86_64_PC32 };
        let flags = RelocationFlags::Elf { r_type };
        self.object.add_relocation(section, Relocation { offset, symbol, addend, flags }).unwrap();
    }
}

/// The module's file.
pub(crate) fn module() -> Vec<u8> {
    let object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let mut maker = Maker { object };
    let text = maker.object.section_id(StandardSection::Text);
    maker.object.append_section_data(text, TEXT, 16);
    let init = maker.object.add_section(Vec::new(), b".init.text".to_vec(), SectionKind::Text);
    maker.object.append_section_data(init, INIT, 1);
    for (name, section, value, size) in
        [("first", text, 0, 0x1b), ("second", text, 0x20, 0xa), ("init_module", init, 0, 10)]
    {
        maker.symbol(name, SymbolSection::Section(section), value, size, SymbolKind::Text);
    }
    for (name, offset) in [("__fentry__", 1), ("__x86_return_thunk", 0x17), ("kfree", 0x21)] {
        let symbol = maker.symbol(name, SymbolSection::Undefined, 0, 0, SymbolKind::Unknown);
        maker.refer(text, offset, symbol, -4, true);
    }
    let jump_table =
        maker.object.add_section(Vec::new(), b"__jump_table".to_vec(), SectionKind::Data);
    maker.object.append_section_data(jump_table, &[0; 16], 8);
    let code = maker.object.section_symbol(text);
    maker.refer(jump_table, 0, code, 5, false);
    maker.refer(jump_table, 4, code, 0x16, false);
    maker.object.write().unwrap()
}

#[test]
fn what_the_kernel_writes_is_told_from_what_stays() {
    let code = Code::read(&module()).unwrap();
    let [text, init] = &code.sections[..] else { panic!("{code:?}") };
    assert_eq!((text.name.as_str(), init.name.as_str()), (".text", ".init.text"));
    let changed: Vec<usize> = (0..text.bytes.len()).filter(|at| !text.stable[*at]).collect();
    // The call and the nop in front, the return's thunk and the padding behind it, the call of kfree.
    let expected: Vec<usize> = (0..0xa).chain(0x16..0x25).collect();
    assert_eq!(changed, expected);
    assert!(init.stable.iter().all(|stable| *stable));
}

#[test]
fn names_are_where_they_are_referred_to() {
    let code = Code::read(&module()).unwrap();
    let refers: Vec<(u32, &str)> =
        code.sections[0].refers.iter().map(|(at, name)| (*at, name.as_str())).collect();
    assert_eq!(refers, [(0, "__fentry__"), (0x16, "__x86_return_thunk"), (0x20, "kfree")]);
    assert_eq!(code.sections[0].jump_labels, [5]);
    assert_eq!(code.sections[0].entries, [0x16]);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(at in 0usize..2000, bytes in proptest::collection::vec(any::<u8>(), 1..40)) {
        let mut file = module();
        let length = file.len();
        for (offset, byte) in bytes.into_iter().enumerate() {
            file[(at + offset) % length] = byte;
        }
        if let Ok(code) = Code::read(&file) {
            crate::block::blocks(&code);
        }
    }
}
