use std::time::Duration;

use super::*;
use crate::{ControllerId, PersonalityConfig, testing::*};

const START: [u8; 6] = [0x1b, 0, 0, 0, 1, 0];
const READ: [u8; 10] = [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0];

/// Both LUNs are with A.
fn rig(hp_sw: HpSwConfig) -> Rig {
    let personality = PersonalityConfig::HpSw(hp_sw);
    let identity = personality.identity();
    let mut config = ArrayConfig { personality, identity, ..config() };
    config.luns[1].owner = ControllerId::A;
    Rig::new(config).settled()
}

fn owners(rig: &Rig) -> [Option<ControllerId>; 2] {
    [LUN0, LUN1].map(|lun| rig.array.owner(lun))
}

#[test]
fn the_passive_controller_is_seen_but_not_ready() {
    let rig = rig(HpSwConfig::default());
    assert_eq!(rig.get(B, LUN0, &[0x12, 0, 0, 0, 36, 0], 36)[8..28], *b"COMPAQ  MSA1000 VOLU");
    assert_eq!(rig.get(B, LUN0, &[0x12, 1, 0x80, 0, 255, 0], 255)[1], 0x80);
    assert_eq!(rig.get(B, LUN0, &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], 8)[..4], [0, 0, 7, 255]);
    assert_eq!(rig.sense(B, LUN0, &TEST_UNIT_READY, &[]), "02/04/02");
    assert_eq!(rig.sense(B, LUN0, &READ, &[]), "02/04/02");
    assert_eq!(rig.get(A, LUN0, &READ, 512).len(), 512);
}

#[test]
fn a_start_moves_every_lun_of_the_other_controller() {
    for start in [START, [0x1b, 1, 0, 0, 1, 0]] {
        let rig = rig(HpSwConfig::default());
        rig.good(B, LUN0, &start);
        assert_eq!(owners(&rig), [Some(ControllerId::B); 2]);
        rig.good(B, LUN1, &TEST_UNIT_READY);
        assert_eq!(rig.sense(A, LUN1, &TEST_UNIT_READY, &[]), "02/04/02");
    }
}

#[test]
fn a_start_of_what_is_active_and_a_stop_move_nothing() {
    let rig = rig(HpSwConfig::default());
    rig.good(A, LUN0, &START);
    rig.good(B, LUN0, &[0x1b, 0, 0, 0, 0, 0]);
    assert_eq!(rig.sense(B, LUN0, &[0x1b, 0, 0, 0, 0x11, 0], &[]), "05/24/00");
    assert_eq!(owners(&rig), [Some(ControllerId::A); 2]);
}

#[test]
fn a_lun_can_move_alone() {
    let rig = rig(HpSwConfig { whole_controller: false, ..HpSwConfig::default() });
    rig.good(B, LUN1, &START);
    assert_eq!(owners(&rig), [Some(ControllerId::A), Some(ControllerId::B)]);
}

#[test]
fn a_switch_over_that_takes_its_time_is_not_ready_until_it_is_over() {
    let switch_over = Duration::from_secs(3);
    let rig = rig(HpSwConfig { switch_over, ..HpSwConfig::default() });
    assert_eq!(rig.answer_at(at(10), B, LUN0, &START), "02/04/03");
    assert_eq!(rig.answer_at(at(3009), B, LUN0, &START), "02/04/03");
    assert_eq!(owners(&rig), [Some(ControllerId::A); 2]);
    assert_eq!(rig.answer_at(at(3010), B, LUN0, &START), "GOOD");
    assert_eq!(owners(&rig), [Some(ControllerId::B); 2]);
}
