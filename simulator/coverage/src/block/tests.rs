use super::*;
use crate::{code, listing::listing};

fn code() -> Code {
    Code::read(&code::tests::module()).unwrap()
}

#[test]
fn blocks_begin_where_control_can_come_from_elsewhere() {
    let blocks = blocks(&code());
    let seen: Vec<(usize, u32, u32, &str, u32)> = blocks
        .iter()
        .map(|it| (it.section, it.start, it.end, it.function.as_str(), it.at))
        .collect();
    let expected = [
        (0, 0x0, 0xa, "first", 0x0),    // up to the jump label
        (0, 0xa, 0xf, "first", 0xa),    // behind it, up to the conditional jump
        (0, 0xf, 0x11, "first", 0xf),   // the warning
        (0, 0x11, 0x16, "first", 0x11), // where the conditional jump leads to
        (0, 0x16, 0x1b, "first", 0x16), // where the jump label leads to
        (0, 0x20, 0x29, "second", 0x0), // a call does not end a block; the padding before it is none
        (0, 0x29, 0x2a, "second", 0x9), // where the jump leads to
        (1, 0x0, 0xa, "init_module", 0x0),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn what_a_block_calls_and_whether_it_is_an_assertion_is_known() {
    let blocks = blocks(&code());
    let calls: Vec<&[String]> = blocks.iter().map(|block| &block.calls[..]).collect();
    assert_eq!(calls[0], ["__fentry__"]);
    assert_eq!(calls[4], ["__x86_return_thunk"]);
    assert_eq!(calls[5], ["kfree"]);
    let asserts: Vec<bool> = blocks.iter().map(|block| block.asserts).collect();
    assert_eq!(asserts.iter().filter(|it| **it).count(), 1);
    assert!(asserts[2]);
}

#[test]
fn a_listing_has_the_names() {
    let code = code();
    let blocks = blocks(&code);
    assert_eq!(listing(&code, &blocks[1]), ["test %rdi,%rdi", "je first+0x11"]);
    assert_eq!(listing(&code, &blocks[5]), ["call kfree", "xor %eax,%eax", "jmp second+0x9"]);
}
