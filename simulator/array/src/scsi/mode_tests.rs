//! Tests of MODE SENSE and MODE SELECT. The tests of the rdac page are elsewhere.

use crate::{FrameConfig, Status, testing::*};

fn sense6(page: u8, subpage: u8) -> [u8; 6] {
    [0x1a, 0x08, page, subpage, 255, 0]
}

/// A MODE SELECT(6) parameter list with these pages and no block descriptor.
fn list6(pages: &[u8]) -> Vec<u8> {
    [&[0; 4], pages].concat()
}

fn select6(list: &[u8]) -> [u8; 6] {
    [0x15, 0x10, 0, 0, list.len() as u8, 0]
}

#[test]
fn what_sd_asks_for_at_probe() {
    let rig = Rig::ready();
    // Write protection, read from the header alone. A block descriptor would follow.
    assert_eq!(rig.get(A, LUN0, &[0x1a, 0, 0x3f, 0, 4, 0], 4), [161, 0, 0x10, 8]);
    let data = rig.get(A, LUN0, &[0x1a, 0, 8, 0, 255, 0], 255);
    assert_eq!(data[..12], [31, 0, 0x10, 8, 0, 0, 8, 0, 0, 0, 2, 0]);
    assert_eq!(data[12..15], [0x08, 18, 0x04], "write cache enabled");
}

#[test]
fn the_rdac_checker_reads_and_sets_task_aborted_status() {
    let rig = Rig::ready();
    let ask = |control: u8| [0x5a, 0x08, 0x0a | control, 0, 0, 0, 0, 0, 20, 0];
    let current = rig.get(A, LUN0, &ask(0), 20);
    assert_eq!(current, [0, 18, 0, 0x10, 0, 0, 0, 0, 0x8a, 10, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0]);
    let changeable = rig.get(A, LUN0, &ask(0x40), 20);
    assert_eq!(changeable[10..], [0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0], "only TAS");
    // The checker sends back what it read, PS and length included, with SP set and PF clear.
    let mut list = current.clone();
    list[13] |= 0x40;
    rig.put(A, LUN0, &[0x55, 0x01, 0, 0, 0, 0, 0, 0, 20, 0], &list);
    assert_eq!(rig.get(A, LUN0, &ask(0), 20)[13], 0x40);
    assert_eq!(rig.get(A, LUN0, &ask(0xc0), 20)[13], 0x40, "saved");
    assert_eq!(rig.get(A, LUN0, &ask(0x80), 20)[13], 0, "default");
    assert_eq!(rig.get(B, LUN0, &ask(0), 20)[13], 0, "each nexus has its own");
}

#[test]
fn all_pages_come_in_order_and_subpages_only_when_asked_for() {
    let rig = Rig::ready();
    let codes = |data: &[u8], header: usize| {
        let (mut at, mut codes) = (header, Vec::new());
        while at < data.len() {
            let subpaged = data[at] & 0x40 != 0;
            codes.push((data[at] & 0x3f, if subpaged { data[at + 1] } else { 0 }));
            at += if subpaged {
                4 + usize::from(u16::from_be_bytes([data[at + 2], data[at + 3]]))
            } else {
                2 + usize::from(data[at + 1])
            };
        }
        assert_eq!(at, data.len());
        codes
    };
    let plain = [(8, 0), (0x0a, 0), (0x1c, 0), (0x2c, 0)];
    assert_eq!(codes(&rig.get(A, LUN0, &sense6(0x3f, 0), 255), 4), plain);
    let all = rig.get(A, LUN0, &[0x5a, 0x08, 0x3f, 0xff, 0, 0, 0, 4, 0, 0], 1024);
    assert_eq!(codes(&all, 8), [&plain[..], &[(0x2c, 1)]].concat());
    assert_eq!(rig.sense(A, LUN0, &sense6(0x3f, 0xff), &[]), "05/24/00", "too long for (6)");
}

#[test]
fn the_long_block_descriptor_has_room_for_large_luns() {
    let data = Rig::ready().get(A, LUN1, &[0x5a, 0x10, 0x1c, 0, 0, 0, 0, 1, 0, 0], 256);
    assert_eq!(data[..8], [0, 34, 0, 0x10, 1, 0, 0, 16]);
    assert_eq!(data[8..24], [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16, 0]);
    assert_eq!(data[24..27], [0x1c, 10, 0x08]);
}

#[test]
fn unknown_pages_and_saved_values_that_are_not_there_are_refused() {
    let rig = Rig::ready();
    assert_eq!(rig.sense(A, LUN0, &sense6(0x01, 0), &[]), "05/24/00");
    assert_eq!(rig.sense(A, LUN0, &sense6(0x08, 1), &[]), "05/24/00");
    assert_eq!(rig.sense(A, LUN0, &sense6(0xc8, 0), &[]), "05/39/00");
}

#[test]
fn write_protection_shows() {
    let rig = Rig::ready();
    let action = crate::VolumeChange::SetReadOnly { lun: LUN0, read_only: true }.into();
    rig.array.apply(at(0), action).unwrap();
    let rig = rig.settled();
    assert_eq!(rig.get(A, LUN0, &[0x1a, 0x08, 0x3f, 0, 4, 0], 4)[2], 0x90);
}

#[test]
fn select_takes_what_is_so_and_refuses_what_cannot_be_changed() {
    let rig = Rig::ready();
    let caching = rig.get(A, LUN0, &sense6(8, 0), 255)[4..].to_vec();
    rig.put(A, LUN0, &select6(&list6(&caching)), &list6(&caching));
    let mut off = caching.clone();
    off[2] = 0;
    let list = list6(&off);
    let completion = rig.send(A, LUN0, &select6(&list), &list, 0).completion;
    let sense = completion.sense.unwrap();
    assert_eq!(sense.to_string(), "05/26/00");
    assert_eq!(sense.to_fixed()[15..], [0x80, 0, 6], "it points at the byte");
}

#[test]
fn select_with_nothing_in_it_is_fine() {
    let rig = Rig::ready();
    rig.put(A, LUN0, &select6(&[]), &[]);
    rig.put(A, LUN0, &select6(&[0; 4]), &[0; 4]);
    rig.put(A, LUN0, &[0x55, 0x10, 0, 0, 0, 0, 0, 0, 8, 0], &[0; 8]);
}

#[test]
fn bad_lists_are_refused_for_what_they_are() {
    let rig = Rig::ready();
    let select = |list: &[u8]| rig.sense(A, LUN0, &select6(list), list);
    let page = [&[0x0a, 10, 0, 0x10][..], &[0; 8]].concat();
    assert_eq!(select(&[0; 3]), "05/1a/00", "half a header");
    assert_eq!(select(&[0, 0, 0, 8, 0, 0, 0, 0]), "05/1a/00", "half a block descriptor");
    assert_eq!(select(&list6(&page[..11])), "05/1a/00", "a page cut off");
    assert_eq!(select(&list6(&page[..1])), "05/1a/00", "half a page header");
    assert_eq!(select(&list6(&[0x01, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])), "05/26/00", "unknown");
    assert_eq!(select(&list6(&[0x0a, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])), "05/26/00", "length");
    assert_eq!(select(&[0, 0, 0, 4, 0, 0, 0, 0]), "05/26/00", "block descriptor of 4 bytes");
    assert_eq!(select(&[0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 16, 0]), "05/26/00", "another block length");
    assert_eq!(select(&[0, 0, 0, 8, 0, 0, 1, 0, 0, 0, 2, 0]), "05/26/00", "another size");
}

#[test]
fn a_bad_page_keeps_a_good_one_before_it_from_taking_effect() {
    let rig = Rig::ready();
    let good = [&[0x0a, 10, 0, 0x10, 0, 0x40][..], &[0; 6]].concat();
    let list = list6(&[&good[..], &[0x01, 0]].concat());
    assert_eq!(rig.sense(A, LUN0, &select6(&list), &list), "05/26/00");
    assert_eq!(rig.get(A, LUN0, &sense6(0x0a, 0), 255)[9], 0);
}

#[test]
fn a_list_that_the_initiator_does_not_have_is_an_overrun() {
    let completion = Rig::ready().send(A, LUN0, &select6(&[0; 16]), &[0; 8], 0).completion;
    assert_eq!(completion.response, crate::ServiceResponse::Overrun);
    assert_eq!((completion.status, completion.residual), (Status::Good, 8));
}

#[test]
fn a_captured_page_87_can_have_the_control_page_shared() {
    let page = |policy| crate::CapturedPage {
        page: crate::InquiryPage::Vpd(0x87),
        to: crate::NexusPattern::ALL,
        lun: None,
        bytes: vec![0, 0x87, 0, 8, 0x0a, 0, policy, 0, 0x3f, 0xff, 3, 0],
        frozen: false,
    };
    let tas = [0x0a, 10, 0, 0x10, 0, 0x40, 0, 0, 0, 0, 0, 0];
    for (policy, told, other) in [(0, "06/2a/01", 0x40), (3, "GOOD", 0)] {
        let config = with(FrameConfig { captured: vec![page(policy)], ..frame() });
        let rig = Rig::new(config).settled();
        let list = list6(&tas);
        rig.put(A, LUN0, &select6(&list), &list);
        assert_eq!(rig.answer_at(at(1), B, LUN0, &TEST_UNIT_READY), told);
        assert_eq!(rig.get(B, LUN0, &sense6(0x0a, 0), 255)[9], other);
        rig.good(A, LUN0, &TEST_UNIT_READY);
        let third = crate::Nexus { port: "A1".parse().unwrap(), ..A };
        while rig.answer_at(at(1), third, LUN0, &TEST_UNIT_READY) != "GOOD" {}
        assert_eq!(rig.get(third, LUN0, &sense6(0x0a, 0), 255)[9], other);
    }
}
