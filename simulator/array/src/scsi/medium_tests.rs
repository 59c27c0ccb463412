//! Tests of reads, writes and other medium accesses.

use crate::{
    Action, ArrayConfig, Command, Completion, Disposition, ServiceResponse, Status, VolumeChange,
    testing::*,
};

const BLOCK: usize = 512;

fn pattern(blocks: usize, seed: u8) -> Vec<u8> {
    (0..blocks * BLOCK).map(|at| (at / 7) as u8 ^ seed).collect()
}

fn unmap_list(ranges: &[(u64, u32)]) -> Vec<u8> {
    let len = (ranges.len() * 16) as u16;
    let mut list = [&(len + 6).to_be_bytes()[..], &len.to_be_bytes(), &[0; 4]].concat();
    for (lba, blocks) in ranges {
        list.extend([&lba.to_be_bytes()[..], &blocks.to_be_bytes(), &[0; 4]].concat());
    }
    list
}

fn unmap(list: &[u8]) -> [u8; 10] {
    let [high, low] = (list.len() as u16).to_be_bytes();
    [0x42, 0, 0, 0, 0, 0, 0, high, low, 0]
}

#[test]
fn every_size_of_read_and_write_reaches_the_same_blocks() {
    let rig = Rig::ready();
    let writes: [(&[u8], u8); 4] = [
        (&[0x0a, 0, 0, 16, 2, 0], 1),
        (&[0x2a, 0x08, 0, 0, 0, 16, 0, 0, 2, 0], 2),
        (&[0xaa, 0, 0, 0, 0, 16, 0, 0, 0, 2, 0, 0], 3),
        (&write(16, 2), 4),
    ];
    let reads: [&[u8]; 4] = [
        &[0x08, 0, 0, 16, 2, 0],
        &[0x28, 0x10, 0, 0, 0, 16, 0, 0, 2, 0],
        &[0xa8, 0, 0, 0, 0, 16, 0, 0, 0, 2, 0, 0],
        &read(16, 2),
    ];
    for (cdb, seed) in writes {
        rig.put(A, LUN0, cdb, &pattern(2, seed));
        for cdb in reads {
            assert_eq!(rig.get(A, LUN0, cdb, 2 * BLOCK), pattern(2, seed));
        }
    }
}

#[test]
fn a_transfer_length_of_0_is_256_blocks_for_the_6_byte_form_and_none_for_the_others() {
    let rig = Rig::ready();
    assert_eq!(rig.get(A, LUN0, &[0x08, 0, 0, 0, 0, 0], 256 * BLOCK).len(), 256 * BLOCK);
    assert_eq!(rig.get(A, LUN0, &[0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0), []);
    assert_eq!(rig.get(A, LUN0, &read(2048, 0), 0), [], "just behind the end is still fine");
}

#[test]
fn every_path_sees_the_same_blocks() {
    let rig = Rig::ready();
    rig.put(A, LUN0, &write(5, 1), &pattern(1, 9));
    let action = Action::SetOwner { lun: LUN0, controller: crate::ControllerId::B };
    rig.array.apply(at(0), action).unwrap();
    assert_eq!(rig.get(B, LUN0, &read(5, 1), BLOCK), pattern(1, 9));
}

#[test]
fn nothing_is_read_or_written_beyond_the_end() {
    let rig = Rig::ready();
    for cdb in [read(2048, 1), read(2047, 2), read(u64::MAX, 1), read(0, 2049), read(2049, 0)] {
        assert_eq!(rig.sense(A, LUN0, &cdb, &[]), "05/21/00");
    }
    let completion = rig.send(A, LUN0, &write(2047, 2), &pattern(2, 1), 0).completion;
    assert_eq!(completion.sense.unwrap().to_string(), "05/21/00");
    assert_eq!(completion.residual as usize, 2 * BLOCK);
    assert_eq!(rig.sense(A, LUN0, &cdb16(0x91, 2049, 0), &[]), "05/21/00");
}

#[test]
fn residuals_count_what_was_offered_and_not_used() {
    let rig = Rig::ready();
    let reply = rig.send(A, LUN0, &read(0, 1), &[], BLOCK + 100);
    assert_eq!((reply.data.len(), reply.completion.residual), (BLOCK, 100));
    let reply = rig.send(A, LUN0, &write(0, 1), &pattern(2, 1), 0);
    assert_eq!(reply.completion, Completion { residual: BLOCK as u32, ..reply.completion });
    assert_eq!(reply.completion.status, Status::Good);
}

#[test]
fn buffers_too_short_for_the_cdb_are_an_overrun_and_nothing_moves() {
    let rig = Rig::ready();
    let reply = rig.send(A, LUN0, &read(0, 2), &[], 2 * BLOCK - 1);
    assert_eq!(reply.completion.response, ServiceResponse::Overrun);
    assert_eq!((reply.data.len(), reply.completion.residual as usize), (0, 2 * BLOCK - 1));
    let reply = rig.send(A, LUN0, &write(0, 2), &pattern(1, 1), 0);
    assert_eq!(reply.completion.response, ServiceResponse::Overrun);
    assert_eq!(rig.get(A, LUN0, &read(0, 1), BLOCK), [0; BLOCK]);
    let reply = rig.send(A, LUN0, &[0x12, 0, 0, 0, 96, 0], &[], 95);
    assert_eq!(reply.completion.response, ServiceResponse::Overrun);
    let reply = rig.send(A, LUN0, &[0x12, 0, 0, 0, 255, 0], &[], 96);
    assert_eq!(reply.completion.response, ServiceResponse::Ok, "what is there fits");
}

#[test]
fn memory_that_is_not_there_is_a_failure() {
    let rig = Rig::ready();
    let mut buffers = Bytes { broken: true, ..Bytes::new(BLOCK, &[]) };
    let (cdb, nexus) = (read(0, 1), A);
    let command = Command { nexus, lun: LUN0, tag: 1, cdb: &cdb };
    let Disposition::Transfer(transfer) = rig.array.submit(at(1), &command, &mut buffers) else {
        panic!("not a transfer")
    };
    let completion = rig.array.transfer(at(1), transfer, &mut buffers);
    assert_eq!(completion.response, ServiceResponse::Failure);
    assert_eq!(completion.residual as usize, BLOCK);
}

#[test]
fn protection_information_is_refused() {
    let rig = Rig::ready();
    for opcode in [0x88, 0x8a, 0x8f, 0x93] {
        let mut cdb = cdb16(opcode, 0, 1);
        cdb[1] = 0x20;
        assert_eq!(rig.sense(A, LUN0, &cdb, &pattern(1, 0)), "05/24/00");
    }
}

#[test]
fn a_read_only_lun_refuses_every_kind_of_write() {
    let ArrayConfig { mut luns, .. } = config();
    luns[0].read_only = true;
    let rig = Rig::new(ArrayConfig { luns, ..config() }).settled();
    let list = unmap_list(&[(0, 1)]);
    assert_eq!(rig.sense(A, LUN0, &write(0, 1), &pattern(1, 1)), "07/27/00");
    assert_eq!(rig.sense(A, LUN0, &cdb16(0x93, 0, 1), &pattern(1, 1)), "07/27/00");
    assert_eq!(rig.sense(A, LUN0, &unmap(&list), &list), "07/27/00");
    assert_eq!(rig.get(A, LUN0, &read(0, 1), BLOCK), [0; BLOCK]);
    rig.get(A, LUN0, &cdb16(0x91, 0, 0), 0);
}

#[test]
fn unmapped_blocks_read_as_zeros() {
    let rig = Rig::ready();
    rig.put(A, LUN0, &write(0, 8), &pattern(8, 1));
    let list = unmap_list(&[(1, 2), (5, 1)]);
    rig.put(A, LUN0, &unmap(&list), &list);
    let mut expected = pattern(8, 1);
    expected[BLOCK..3 * BLOCK].fill(0);
    expected[5 * BLOCK..6 * BLOCK].fill(0);
    assert_eq!(rig.get(A, LUN0, &read(0, 8), 8 * BLOCK), expected);
}

#[test]
fn unmap_checks_its_whole_list_first() {
    let rig = Rig::ready();
    rig.put(A, LUN0, &write(0, 1), &pattern(1, 1));
    for bad in [(2048, 1), (u64::MAX, 1), (0, u32::MAX)] {
        let list = unmap_list(&[(0, 1), bad]);
        assert_eq!(rig.sense(A, LUN0, &unmap(&list), &list), "05/21/00");
    }
    assert_eq!(rig.get(A, LUN0, &read(0, 1), BLOCK), pattern(1, 1));
    assert_eq!(rig.sense(A, LUN0, &unmap(&[0; 7]), &[0; 7]), "05/1a/00");
    let long = unmap_list(&[(0, 1); 256]);
    assert_eq!(rig.sense(A, LUN0, &unmap(&long), &long), "05/26/00");
    rig.put(A, LUN0, &unmap(&[]), &[]);
    // A length field that exceeds the parameter list covers only the descriptors that are there.
    let cut = &unmap_list(&[(0, 1), (1, 1)])[..24];
    rig.put(A, LUN0, &unmap(cut), cut);
    assert_eq!(rig.get(A, LUN0, &read(0, 1), BLOCK), [0; BLOCK]);
}

#[test]
fn write_same_fills_with_a_block_or_with_zeros() {
    let rig = Rig::ready();
    rig.put(A, LUN0, &[0x41, 0, 0, 0, 0, 2, 0, 0, 3, 0], &pattern(1, 1));
    let all = rig.get(A, LUN0, &read(1, 5), 5 * BLOCK);
    assert_eq!(all[BLOCK..4 * BLOCK], pattern(1, 1).repeat(3));
    assert_eq!((&all[..BLOCK], &all[4 * BLOCK..]), (&[0; BLOCK][..], &[0; BLOCK][..]));
    // UNMAP bit with a block of zeros, and with no block (NDOB).
    let mut cdb = cdb16(0x93, 2, 1);
    cdb[1] = 0x08;
    rig.put(A, LUN0, &cdb, &[0; BLOCK]);
    cdb = cdb16(0x93, 3, 1);
    cdb[1] = 0x01;
    rig.put(A, LUN0, &cdb, &[]);
    let all = rig.get(A, LUN0, &read(2, 3), 3 * BLOCK);
    assert_eq!(all, [vec![0; 2 * BLOCK], pattern(1, 1)].concat());
}

#[test]
fn one_command_covers_at_most_what_page_b0_says() {
    let ArrayConfig { mut luns, .. } = config();
    luns[0].bytes = 1 << 40;
    let rig = Rig::new(ArrayConfig { luns, ..config() }).settled();
    rig.put(A, LUN0, &cdb16(0x93, 0, 65_536), &[0; BLOCK]);
    assert_eq!(rig.sense(A, LUN0, &cdb16(0x93, 0, 65_537), &pattern(1, 1)), "05/24/00");
    assert_eq!(rig.sense(A, LUN0, &cdb16(0x93, 0, 0), &pattern(1, 1)), "05/24/00");
    assert_eq!(rig.sense(A, LUN0, &read(0, 65_537), &[]), "05/24/00");
    rig.get(A, LUN0, &cdb16(0x91, 0, 0), 0);
}

#[test]
fn verify_compares_what_it_is_given() {
    let rig = Rig::ready();
    rig.put(A, LUN0, &write(0, 2), &pattern(1, 1).repeat(2));
    let verify = |bytchk: u8| {
        let mut cdb = cdb16(0x8f, 0, 2);
        cdb[1] = bytchk << 1;
        cdb
    };
    rig.put(A, LUN0, &verify(0), &[]);
    rig.put(A, LUN0, &verify(1), &pattern(1, 1).repeat(2));
    rig.put(A, LUN0, &verify(3), &pattern(1, 1));
    for (bytchk, data) in [(1, pattern(2, 1)), (3, pattern(1, 2))] {
        let completion = rig.send(A, LUN0, &verify(bytchk), &data, 0).completion;
        assert_eq!(completion.sense.unwrap().to_string(), "0e/1d/00");
    }
    assert_eq!(rig.sense(A, LUN0, &verify(2), &[]), "05/24/00");
}

#[test]
fn a_lun_that_shrinks_under_a_transfer_refuses_it() {
    let rig = Rig::ready();
    let (cdb, mut buffers) = (read(2000, 1), Bytes::new(BLOCK, &[]));
    let command = Command { nexus: A, lun: LUN0, tag: 1, cdb: &cdb };
    let Disposition::Transfer(transfer) = rig.array.submit(at(1), &command, &mut buffers) else {
        panic!("not a transfer")
    };
    rig.array.apply(at(1), VolumeChange::Resize { lun: LUN0, bytes: 512 << 10 }.into()).unwrap();
    let completion = rig.array.transfer(at(1), transfer, &mut buffers);
    assert_eq!(completion.sense.unwrap().to_string(), "05/21/00");
}
