//! Tests of the medium accesses that are not reads and writes.

use crate::{ArrayConfig, ServiceResponse, Status, testing::*};

const BLOCK: usize = 512;

fn compare_and_write(lba: u8, blocks: u8) -> [u8; 16] {
    [0x89, 0, 0, 0, 0, 0, 0, 0, 0, lba, 0, 0, 0, blocks, 0, 0]
}

fn lba_status(lba: u64, allocation: u32) -> [u8; 16] {
    let mut cdb = cdb16(0x9e, lba, allocation);
    cdb[1] = 0x12;
    cdb
}

#[test]
fn compare_and_write_writes_only_what_it_found() {
    let rig = Rig::ready();
    let (old, new) = (vec![0; 2 * BLOCK], vec![7; 2 * BLOCK]);
    rig.put(A, LUN0, &compare_and_write(4, 2), &[old.clone(), new.clone()].concat());
    assert_eq!(rig.get(A, LUN0, &read(4, 2), 2 * BLOCK), new);

    let mut expected = new.clone();
    expected[BLOCK + 3] = 8;
    let offered = [expected, vec![9; 2 * BLOCK]].concat();
    let completion = rig.send(A, LUN0, &compare_and_write(4, 2), &offered, 0).completion;
    let sense = completion.sense.unwrap();
    assert_eq!(sense.to_string(), "0e/1d/00");
    assert_eq!(sense.to_fixed()[3..7], (BLOCK as u32 + 3).to_be_bytes(), "where they differ");
    assert_eq!(rig.get(A, LUN0, &read(4, 2), 2 * BLOCK), new, "nothing was written");

    rig.put(A, LUN0, &compare_and_write(4, 0), &[]);
    let completion = rig.send(A, LUN0, &compare_and_write(0, 1), &[0; BLOCK], 0).completion;
    assert_eq!(completion.response, ServiceResponse::Overrun, "half of the data is missing");
}

#[test]
fn orwrite_adds_bits() {
    let rig = Rig::ready();
    rig.put(A, LUN0, &write(3, 1), &[0x50; BLOCK]);
    rig.put(A, LUN0, &cdb16(0x8b, 3, 1), &[0x05; BLOCK]);
    assert_eq!(rig.get(A, LUN0, &read(3, 1), BLOCK), [0x55; BLOCK]);
}

#[test]
fn every_size_of_write_and_verify_writes() {
    let rig = Rig::ready();
    let cdbs: [&[u8]; 3] = [
        &[0x2e, 0x02, 0, 0, 0, 6, 0, 0, 1, 0],
        &[0xae, 0x02, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0],
        &cdb16(0x8e, 6, 1),
    ];
    for (cdb, byte) in cdbs.into_iter().zip(1..) {
        rig.put(A, LUN0, cdb, &[byte; BLOCK]);
        assert_eq!(rig.get(A, LUN0, &read(6, 1), BLOCK), [byte; BLOCK]);
    }
    assert_eq!(rig.sense(A, LUN0, &[0x2e, 0x04, 0, 0, 0, 6, 0, 0, 1, 0], &[]), "05/24/00");
}

#[test]
fn prefetch_is_accepted_up_to_the_end() {
    let rig = Rig::ready();
    rig.good(A, LUN0, &[0x34, 0, 0, 0, 0, 0, 0, 0, 8, 0]);
    rig.good(A, LUN0, &cdb16(0x90, 2040, 0));
    assert_eq!(rig.sense(A, LUN0, &cdb16(0x90, 2040, 9), &[]), "05/21/00");
}

#[test]
fn blocks_of_zeros_are_deallocated_and_others_mapped() {
    let rig = Rig::ready();
    rig.put(A, LUN0, &write(2, 3), &[1; 3 * BLOCK]);
    rig.put(A, LUN0, &write(3, 1), &[0; BLOCK]);
    let descriptor = |lba: u64, blocks: u32, status: u8| {
        [&lba.to_be_bytes()[..], &blocks.to_be_bytes(), &[status, 0, 0, 0]].concat()
    };
    let all = [
        descriptor(0, 2, 1),
        descriptor(2, 1, 0),
        descriptor(3, 1, 1),
        descriptor(4, 1, 0),
        descriptor(5, 2043, 1),
    ];
    let data = rig.get(A, LUN0, &lba_status(0, 255), 255);
    assert_eq!(data, [&[0, 0, 0, 84, 0, 0, 0, 0][..], &all.concat()].concat());
    let data = rig.get(A, LUN0, &lba_status(3, 24), 24);
    assert_eq!(data[..4], [0, 0, 0, 20]);
    assert_eq!(data[8..], all[2], "as much as there is room for");
    assert_eq!(rig.get(A, LUN0, &lba_status(3, 4), 4), [0, 0, 0, 20]);
    assert_eq!(rig.sense(A, LUN0, &lba_status(2048, 255), &[]), "05/21/00");
}

#[test]
fn format_zeroes_the_lun() {
    let rig = Rig::ready();
    for (cdb, list) in [
        ([0x04, 0, 0, 0, 0, 0], &[][..]),
        ([0x04, 0x10, 0, 0, 0, 0], &[0, 0, 0, 0]),
        ([0x04, 0x30, 0, 0, 0, 0], &[0; 8]),
    ] {
        rig.put(A, LUN0, &write(9, 1), &[1; BLOCK]);
        rig.put(A, LUN0, &cdb, list);
        assert_eq!(rig.get(A, LUN0, &read(9, 1), BLOCK), [0; BLOCK]);
    }
    for (flags, list) in
        [(0x10, [1, 0, 0, 0]), (0x10, [0, 8, 0, 0]), (0x10, [0, 0, 0, 4]), (0x80, [0; 4])]
    {
        let sense = rig.sense(A, LUN0, &[0x04, flags, 0, 0, 0, 0], &list);
        assert!(["05/24/00", "05/26/00"].contains(&&*sense), "{sense}");
    }
}

#[test]
fn a_write_protected_lun_refuses_all_that_write() {
    let ArrayConfig { mut luns, .. } = config();
    luns[0].read_only = true;
    let rig = Rig::new(ArrayConfig { luns, ..config() }).settled();
    let cdbs: [&[u8]; 4] =
        [&compare_and_write(0, 1), &cdb16(0x8b, 0, 1), &cdb16(0x8e, 0, 1), &[0x04, 0, 0, 0, 0, 0]];
    for cdb in cdbs {
        let completion = rig.send(A, LUN0, cdb, &[0; 2 * BLOCK], 0).completion;
        assert_eq!(completion.status, Status::CheckCondition);
        assert_eq!(completion.sense.unwrap().to_string(), "07/27/00");
    }
}
