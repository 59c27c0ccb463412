use super::*;
use crate::code;

const BASE: u64 = 0xffff_ffff_c012_3000;
const INITIAL: u64 = 0xffff_ffff_c0aa_a000;

fn code() -> Code {
    Code::read(&code::tests::module()).unwrap()
}

/// The text as the kernel has it in memory: calls filled in, the return's thunk replaced by a return.
fn loaded() -> Vec<u8> {
    let mut text = code::tests::TEXT.to_vec();
    text[..5].copy_from_slice(&[0x0f, 0x1f, 0x44, 0, 0]);
    text[0x16..0x1b].copy_from_slice(&[0xc3, 0xcc, 0xcc, 0xcc, 0xcc]);
    text[0x21..0x25].copy_from_slice(&[0x12, 0x34, 0x56, 0x78]);
    text
}

fn mark(base: u64, from: usize, end: usize) -> Mark {
    Mark { address: base + from as u64, bytes: loaded()[from..end].to_vec() }
}

fn executed(marks: impl IntoIterator<Item = Mark>) -> Option<Executed> {
    place(&[&code()], &marks.into_iter().collect()).remove(0)
}

/// Bytes of the first section.
fn text(executed: &Executed) -> Vec<usize> {
    (0..executed[0].len()).filter(|at| executed[0][*at]).collect()
}

#[test]
fn a_module_is_found_wherever_it_lies() {
    let marks = |base| [mark(base, 0, 0xf), mark(base, 0x11, 0x17), mark(base, 0x25, 0x29)];
    let all = executed(marks(BASE)).unwrap();
    assert_eq!(text(&all), (0..0xf).chain(0x11..0x17).chain(0x25..0x29).collect::<Vec<_>>());
    // It was unloaded, and loaded elsewhere.
    let twice = executed(
        marks(BASE)
            .into_iter()
            .chain([mark(BASE + 0x5000, 0, 0xf), mark(BASE + 0x5000, 0xf, 0x17)]),
    );
    assert_eq!(text(&twice.unwrap()), (0..0x17).chain(0x25..0x29).collect::<Vec<_>>());
}

#[test]
fn code_that_is_another_or_lies_elsewhere_in_a_page_is_not_taken_for_it() {
    let other = Mark { address: BASE, bytes: vec![0x90; 30] };
    assert!(executed([other]).is_none());
    let shifted = |mark: Mark| Mark { address: mark.address + 8, ..mark };
    assert!(executed([shifted(mark(BASE, 0, 0xf)), shifted(mark(BASE, 0x11, 0x17))]).is_none());
    assert!(executed([]).is_none());
}

#[test]
fn a_place_is_believed_only_if_enough_agrees() {
    assert!(executed([mark(BASE, 0xd, 0xf)]).is_none(), "two bytes are anywhere");
}

#[test]
fn initial_code_is_the_modules_only_if_its_other_code_is_there() {
    let initial = || Mark { address: INITIAL, bytes: code::tests::INIT.to_vec() };
    assert!(executed([initial()]).is_none());
    let all = executed([initial(), mark(BASE, 0, 0xf), mark(BASE, 0x11, 0x17)]).unwrap();
    assert!(all[1].iter().all(|executed| *executed));
}

#[test]
fn of_two_modules_at_one_place_each_mark_is_the_better_ones() {
    // The other has another constant; the rest is the same.
    let (one, mut other) = (code(), code());
    other.sections[0].bytes[0x12] = 0x7c;
    let marks: Marks = [mark(BASE, 0xa, 0xf), mark(BASE, 0x11, 0x17), mark(BASE, 0x25, 0x29)]
        .into_iter()
        .collect();
    let both = place(&[&one, &other], &marks);
    assert!(both[0].is_some());
    assert!(both[1].as_ref().is_none_or(|executed| text(executed).is_empty()), "{:?}", both[1]);
}

#[test]
fn initial_code_of_two_modules_may_have_been_at_one_place() {
    // What is alike in both is either's; the rest tells that both were there.
    let (one, mut other) = (code(), code());
    other.sections[0].bytes[0x12] = 0x7c;
    other.sections[1].bytes[6] = 0x10;
    let changed = |mut mark: Mark, at: usize, byte| {
        mark.bytes[at] = byte;
        mark
    };
    let whole = || Mark { address: INITIAL, bytes: code::tests::INIT.to_vec() };
    let elsewhere = BASE + 0x8000;
    let marks: Marks = [
        mark(BASE, 0xa, 0xf),
        mark(BASE, 0x11, 0x17),
        mark(elsewhere, 0xa, 0xf),
        changed(mark(elsewhere, 0x11, 0x17), 1, 0x7c),
        whole(),
        changed(whole(), 6, 0x10),
    ]
    .into_iter()
    .collect();
    for executed in place(&[&one, &other], &marks) {
        assert!(executed.unwrap()[1].iter().all(|executed| *executed));
    }
}
