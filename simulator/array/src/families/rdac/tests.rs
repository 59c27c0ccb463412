//! The rdac personality against what the kernel and multipath-tools read and write. Offsets are
//! relative to the whole VPD page or the whole parameter list.

use crate::{
    Action, ArrayConfig, Changed, ControllerConfig, ControllerId, ControllerState, FrameConfig,
    Lun, Nexus, PersonalityConfig, Quiescence, RdacConfig, testing::*,
};

fn rdac(traits: RdacConfig) -> Rig {
    Rig::new(with(FrameConfig { personality: PersonalityConfig::Rdac(traits), ..frame() }))
        .settled()
}

fn page(rig: &Rig, nexus: Nexus, lun: Lun, page: u8) -> Vec<u8> {
    rig.get(nexus, lun, &[0x12, 1, page, 0, 255, 0], 255)
}

/// The MODE SELECT(6) that rdac:rdac_failover_get builds.
fn select6(luns: &[usize]) -> ([u8; 6], Vec<u8>) {
    let mut list = vec![0; 110];
    list[4..6].copy_from_slice(&[0x2c, 0x68]);
    list[39] = 0x02;
    list[42..44].copy_from_slice(&[0x14, 0x02]);
    luns.iter().for_each(|lun| list[44 + lun] = 0x81);
    ([0x15, 0, 0, 0, 0x6e, 0], list)
}

/// The MODE SELECT(10) that rdac:rdac_failover_get builds.
fn select10(luns: &[usize]) -> ([u8; 10], Vec<u8>) {
    let mut list = vec![0; 308];
    list[8..12].copy_from_slice(&[0x6c, 0x01, 0x01, 0x28]);
    list[45] = 0x02;
    list[48..50].copy_from_slice(&[0x14, 0x02]);
    luns.iter().for_each(|lun| list[50 + lun] = 0x81);
    ([0x55, 0, 0, 0, 0, 0, 0, 0x01, 0x34, 0], list)
}

fn owners(rig: &Rig) -> [ControllerId; 2] {
    [LUN0, LUN1].map(|lun| rig.array.owner(lun).unwrap())
}

const BOTH_WITH_A: [ControllerId; 2] = [ControllerId::A; 2];
const BOTH_WITH_B: [ControllerId; 2] = [ControllerId::B; 2];
const AS_CONFIGURED: [ControllerId; 2] = [ControllerId::A, ControllerId::B];

#[test]
fn c2_chooses_the_form_of_mode_select() {
    for max_lun in [255, 31] {
        let rig = rdac(RdacConfig { max_lun, ..RdacConfig::default() });
        let data = page(&rig, A, LUN0, 0xc2);
        assert_eq!((data.len(), &data[..8]), (255, &b"\x00\xc2\x00\xfbswr4"[..]));
        assert_eq!(data[15], max_lun);
    }
}

#[test]
fn c4_tells_the_controllers_apart() {
    let rig = Rig::ready();
    let (a, b) = (page(&rig, A, LUN0, 0xc4), page(&rig, B, LUN0, 0xc4));
    assert_eq!((a.len(), &a[..8]), (32, &b"\x00\xc4\x00\x1csubs"[..]));
    assert_eq!(a[8..24], *b"SANSIM0001      ");
    assert_eq!(a[24..28], *b"0916");
    assert_eq!((a[28..30].to_vec(), b[28..30].to_vec()), (b"01".to_vec(), b"02".to_vec()));
    assert_eq!(a[8..28], b[8..28]);
}

#[test]
fn c8_identifies_volume_and_array() {
    let rig = Rig::ready();
    let data = page(&rig, A, LUN1, 0xc8);
    assert_eq!((data.len(), &data[..8]), (175, &b"\x00\xc8\x00\xabedid"[..]));
    assert_eq!(data[11], 16);
    assert_eq!(data[28], 16, "`volume 1` in UTF-16");
    assert_eq!(data[29..33], *b"\0v\0o");
    assert_eq!(data[89], 16, "more would overrun the kernel's stack");
    assert_eq!((data[106], &data[107..119]), (12, &b"\0s\0a\0n\0s\0i\0m"[..]));
    assert_eq!(data[167..175], [0, 0, 0, 0, 0, 0, 0, 1]);
    let other = page(&rig, B, LUN0, 0xc8);
    assert_eq!(data[90..106], other[90..106], "the same array");
    assert_ne!(data[12..28], other[12..28], "another volume");
    assert_eq!(other[174], 0);
}

#[test]
fn c9_tells_who_owns_the_volume_and_who_should() {
    let rig = Rig::ready();
    let data = page(&rig, A, LUN0, 0xc9);
    assert_eq!((data.len(), &data[..8]), (48, &b"\x00\xc9\x00\x2cvac1"[..]));
    assert_eq!(data[8..14], [0x11, 0x01, 0x00, 0, 0x02, 0], "owned, preferred, optimized");
    assert_eq!(page(&rig, B, LUN0, 0xc9)[8..14], [0x10, 0x02, 0x02, 0, 0x00, 0]);
    // The CDB that the checker and the prioritizer send.
    assert_eq!(rig.get(A, LUN0, &[0x12, 1, 0xc9, 0, 0x30, 0], 48), data);
    assert_eq!(rig.get(A, LUN0, &[0x12, 1, 0xc9, 0, 128, 0], 128), data);
}

#[test]
fn c9_shows_the_modes() {
    let flags = |avt, ioship, access_states| {
        let traits = RdacConfig { avt, ioship, access_states, ..RdacConfig::default() };
        page(&rdac(traits), B, LUN0, 0xc9)[8]
    };
    assert_eq!(flags(false, false, false), 0x00);
    assert_eq!(flags(true, false, false), 0x80);
    assert_eq!(flags(false, true, false), 0x20);
    assert_eq!(flags(true, true, true), 0xb0);
}

#[test]
fn c9_of_a_booting_controller_is_what_the_checker_takes_for_down() {
    let rig = Rig::ready();
    let state = |controller, state| {
        rig.array.apply(at(0), Action::SetController { controller, state }).unwrap();
    };
    state(ControllerId::A, ControllerState::Booting);
    let data = page(&rig, A, LUN0, 0xc9);
    assert_eq!((data[8] & 0x10, data[10], data[12]), (0x10, 0x0f, 0x02));
    assert_eq!(page(&rig, B, LUN0, 0xc9)[12], 0x0f);
    state(ControllerId::A, ControllerState::Failed);
    assert_eq!(page(&rig, B, LUN0, 0xc9)[12], 0x03);
}

#[test]
fn c9_of_a_lun_that_is_not_mapped_says_in_byte_0_that_it_is_gone() {
    let data = Rig::ready().get(A, NO_LUN, &[0x12, 1, 0xc9, 0, 0x30, 0], 48);
    assert_eq!((data[0], data[8] & 0x01), (0x7f, 0));
}

#[test]
fn only_the_owner_serves_the_medium() {
    let rig = Rig::ready();
    for cdb in [read(0, 1), write(0, 1), cdb16(0x91, 0, 0), cdb16(0x93, 0, 1), cdb16(0x8f, 0, 1)] {
        assert_eq!(rig.sense(B, LUN0, &cdb, &[0; 512]), "05/94/01");
    }
    assert_eq!(rig.sense(B, LUN0, &read(u64::MAX, 1), &[]), "05/94/01", "whatever the address");
    rig.get(B, LUN0, &TEST_UNIT_READY, 0);
    assert_eq!(owners(&rig), AS_CONFIGURED);
}

#[test]
fn mode_select_moves_the_marked_luns_to_the_controller_that_gets_it() {
    for short in [true, false] {
        let rig = Rig::ready();
        let select = |nexus, lun, luns: &[usize]| {
            let (cdb6, list6) = select6(luns);
            let (cdb10, list10) = select10(luns);
            if short {
                rig.put(nexus, lun, &cdb6, &list6);
            } else {
                rig.put(nexus, lun, &cdb10, &list10);
            }
        };
        select(B, LUN0, &[0]);
        assert_eq!(owners(&rig), BOTH_WITH_B);
        select(A, LUN1, &[0]);
        assert_eq!(owners(&rig), AS_CONFIGURED, "the addressed LUN is not in the table");
        select(A, LUN0, &[0, 1]);
        assert_eq!(owners(&rig), BOTH_WITH_A);
        let changes = rig.changes().len();
        select(A, LUN0, &[0, 1]);
        assert_eq!(rig.changes().len(), changes, "once more changes nothing");
        select(B, LUN0, &[]);
        assert_eq!(owners(&rig), BOTH_WITH_A, "an empty table moves none");
        assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [0; 512]);
        assert_eq!(rig.sense(B, LUN1, &read(0, 1), &[]), "05/94/01");
    }
}

#[test]
fn a_move_is_reported_with_who_asked_for_it() {
    let rig = Rig::ready();
    let (cdb, list) = select10(&[0]);
    rig.put(B, LUN0, &cdb, &list);
    let (from, to) = (ControllerId::A, ControllerId::B);
    assert_eq!(rig.changes(), [Changed::Owner { lun: LUN0, from, to, by: Some(B) }]);
}

#[test]
fn a_bad_table_or_mode_moves_nothing() {
    let rig = Rig::ready();
    let refused = |at: usize, value: u8| {
        let (cdb, mut list) = select10(&[0]);
        list[at] = value;
        let completion = rig.send(B, LUN0, &cdb, &list, 0).completion;
        let sense = completion.sense.unwrap();
        assert_eq!(sense.to_string(), "05/26/00");
        assert_eq!(sense.to_fixed()[15], 0x80);
        assert_eq!(owners(&rig), AS_CONFIGURED);
        usize::from(u16::from_be_bytes([sense.to_fixed()[16], sense.to_fixed()[17]]))
    };
    assert_eq!(refused(50 + 7, 0x81), 57, "LUN 7 is not mapped");
    assert_eq!(refused(50 + 1, 0x80), 51, "no such entry");
    assert_eq!(refused(45, 0x00), 45, "no such mode");
    assert_eq!(refused(11, 0x27), 10, "the page's length");
    assert_eq!(refused(9, 0x02), 8, "no such subpage");
    assert_eq!(refused(8, 0x2c), 9, "without SPF it is the short page with a wrong length");
    let (_, list) = select10(&[0]);
    let cut = [0x55, 0, 0, 0, 0, 0, 0, 0, 200, 0];
    assert_eq!(rig.sense(B, LUN0, &cut, &list[..200]), "05/1a/00");
}

/// sg_rdac sets PF and fills in the header's length. With the legacy page, it also sends a block
/// descriptor.
#[test]
fn sg_rdac_takes_all_luns_or_one() {
    let rig = Rig::ready();
    let (_, mut list) = select10(&[]);
    list[..2].copy_from_slice(&[0x01, 0x18]);
    list[45] = 0x01;
    rig.put(B, LUN0, &[0x55, 0x10, 0, 0, 0, 0, 0, 0x01, 0x34, 0], &list);
    assert_eq!(owners(&rig), BOTH_WITH_B);
    let (_, list) = select6(&[0]);
    let descriptor = [0, 0, 0, 0, 0, 0, 2, 0];
    let list = [&[0x75, 0, 0, 8][..], &descriptor, &list[4..]].concat();
    rig.put(A, LUN0, &[0x15, 0x10, 0, 0, 118, 0], &list);
    assert_eq!(owners(&rig), AS_CONFIGURED);
}

#[test]
fn the_mode_page_can_be_read_in_both_forms_and_written_back() {
    let rig = Rig::ready();
    let short = rig.get(A, LUN0, &[0x1a, 0, 0x2c, 0, 252, 0], 252);
    assert_eq!((short.len(), short[3]), (4 + 8 + 106, 8));
    let long = rig.get(A, LUN0, &[0x5a, 0x08, 0x2c, 0x01, 0, 0, 0, 4, 0, 0], 1024);
    assert_eq!((long.len(), &long[8..12]), (308, &[0x6c, 1, 1, 0x28][..]));
    assert_eq!(short[12..14], [0x2c, 0x68]);
    for (fields, luns) in [(&short[14..], 32), (&long[12..], 256)] {
        assert_eq!(fields[..16], *b"SANSIM0001A     ");
        assert_eq!(fields[16..32], *b"SANSIM0001B     ");
        assert_eq!(fields[32..38], [1, 2, 1, 2, 0x14, 0]);
        assert_eq!(fields[38..42], [1, 2, 0, 0], "LUN 0 preferred here, LUN 1 there");
        assert!(fields[38 + 2..38 + luns].iter().all(|entry| *entry == 0));
    }
    rig.put(B, LUN0, &[0x55, 0x10, 0, 0, 0, 0, 0, 1, 0x34, 0], &long);
    assert_eq!(owners(&rig), AS_CONFIGURED, "what was read moves nothing");
}

#[test]
fn the_mode_page_tells_of_the_other_controller() {
    let rig = Rig::ready();
    let alternate = |rig: &Rig| rig.get(A, LUN0, &[0x1a, 8, 0x2c, 0, 252, 0], 252)[38..42].to_vec();
    assert_eq!(alternate(&rig), [1, 2, 1, 2]);
    let (controller, state) = (ControllerId::B, ControllerState::Failed);
    rig.array.apply(at(0), Action::SetController { controller, state }).unwrap();
    assert_eq!(alternate(&rig), [1, 2, 1, 4], "held in reset");
    let ArrayConfig { mut luns, .. } = config();
    luns.truncate(1);
    let controllers = vec![ControllerConfig { ports: 1 }];
    let rig = Rig::new(ArrayConfig { luns, ..with(FrameConfig { controllers, ..frame() }) });
    rig.sense(A, LUN0, &TEST_UNIT_READY, &[]);
    assert_eq!(alternate(&rig), [0, 2, 0, 3], "not present");
}

#[test]
fn avt_moves_the_lun_with_the_first_access() {
    let rig = rdac(RdacConfig { avt: true, ..RdacConfig::default() });
    rig.get(B, LUN0, &TEST_UNIT_READY, 0);
    assert_eq!(owners(&rig), AS_CONFIGURED);
    assert_eq!(rig.sense(B, LUN0, &read(u64::MAX, 1), &[]), "05/21/00");
    assert_eq!(owners(&rig), AS_CONFIGURED, "a bad access takes nothing along");
    rig.get(B, LUN0, &read(0, 1), 512);
    assert_eq!(owners(&rig), BOTH_WITH_B);
}

#[test]
fn ioship_serves_the_medium_anywhere() {
    let rig = rdac(RdacConfig { ioship: true, ..RdacConfig::default() });
    rig.get(B, LUN0, &read(0, 1), 512);
    assert_eq!(owners(&rig), AS_CONFIGURED);
}

#[test]
fn each_state_of_a_controller_has_its_answer() {
    use ControllerState::{Booting, Quiescing, Upgrading};
    let answers = |traits, state| {
        let rig = rdac(traits);
        let action = Action::SetController { controller: ControllerId::A, state };
        rig.array.apply(at(0), action).unwrap();
        let (cdb, list) = select10(&[0]);
        let senses = [
            rig.sense(A, LUN0, &TEST_UNIT_READY, &[]),
            rig.sense(A, LUN0, &read(0, 1), &[]),
            rig.sense(A, LUN0, &cdb, &list),
        ];
        assert_eq!(page(&rig, A, LUN0, 0xc9).len(), 48);
        rig.get(B, LUN0, &TEST_UNIT_READY, 0);
        senses
    };
    let quiescing =
        |quiescence| answers(RdacConfig { quiescence, ..RdacConfig::default() }, Quiescing);
    assert_eq!(quiescing(Quiescence::NotReady), ["02/04/a1"; 3]);
    assert_eq!(quiescing(Quiescence::Achieved), ["02/a1/02"; 3]);
    assert_eq!(quiescing(Quiescence::UnitAttention), ["06/8b/02"; 3]);
    assert_eq!(answers(RdacConfig::default(), Booting), ["02/04/01"; 3]);
    assert_eq!(answers(RdacConfig::default(), Upgrading), ["02/04/81"; 3]);
}

#[test]
fn more_than_two_controllers_or_a_lun_beyond_the_table_cannot_be() {
    let refused = |config| crate::Array::new(config, Rig::ready().log).unwrap_err().to_string();
    let controllers = vec![ControllerConfig { ports: 1 }; 3];
    let error = refused(with(FrameConfig { controllers, ..frame() }));
    assert_eq!(error, "rdac needs 1 to 2 controllers, not 3");
    let ArrayConfig { mut luns, .. } = config();
    luns[1].lun = Lun(32);
    let personality = PersonalityConfig::Rdac(RdacConfig { max_lun: 31, ..RdacConfig::default() });
    let error = refused(ArrayConfig { luns, ..with(FrameConfig { personality, ..frame() }) });
    assert_eq!(error, "LUN 32 is out of range: the highest number here is 31");
}
