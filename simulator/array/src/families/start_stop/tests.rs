//! Tests for every family whose LUNs are moved by START STOP UNIT.

use std::time::Duration;

use crate::{
    ControllerId, FrameConfig, HpSwConfig, HwHandlerConfig, PersonalityConfig, testing::*,
};

pub(in crate::families) const START: [u8; 6] = [0x1b, 0, 0, 0, 1, 0];
pub(in crate::families) const READ: [u8; 10] = [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0];
const STOP: [u8; 6] = [0x1b, 0, 0, 0, 0, 0];

/// An array in which controller A owns both LUNs.
pub(in crate::families) fn rig(personality: PersonalityConfig) -> Rig {
    let identity = personality.identity();
    let mut config = with(FrameConfig { personality, identity, ..frame() });
    config.luns[1].owner = ControllerId::A;
    Rig::new(config).settled()
}

pub(in crate::families) fn owners(rig: &Rig) -> [Option<ControllerId>; 2] {
    [LUN0, LUN1].map(|lun| rig.array.owner(lun))
}

/// A family, the sense of its passive path, and the owner of LUN 1 after a START of LUN 0 through
/// B.
type Family = (PersonalityConfig, &'static str, ControllerId);

/// The families, with this switch-over time.
fn families(switch_over: Duration) -> [Family; 3] {
    let hp_sw =
        |whole_controller| PersonalityConfig::HpSw(HpSwConfig { switch_over, whole_controller });
    let hw_handler = PersonalityConfig::HwHandler(HwHandlerConfig { switch_over });
    [
        (hp_sw(true), "02/04/02", ControllerId::B),
        (hp_sw(false), "02/04/02", ControllerId::A),
        (hw_handler, "02/04/0b", ControllerId::A),
    ]
}

#[test]
fn the_passive_controller_is_seen_but_not_ready() {
    for (family, passive, _) in families(Duration::ZERO) {
        let rig = rig(family);
        assert_eq!(rig.get(B, LUN0, &[0x12, 1, 0x80, 0, 255, 0], 255)[1], 0x80);
        assert_eq!(rig.get(B, LUN0, &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], 8)[..4], [0, 0, 7, 255]);
        assert_eq!(rig.sense(B, LUN0, &TEST_UNIT_READY, &[]), passive);
        assert_eq!(rig.sense(B, LUN0, &READ, &[]), passive);
        assert_eq!(rig.get(A, LUN0, &READ, 512).len(), 512);
    }
}

#[test]
fn a_start_moves_the_lun_whatever_immed_says() {
    for start in [START, [0x1b, 1, 0, 0, 1, 0]] {
        for (family, passive, _) in families(Duration::ZERO) {
            let rig = rig(family);
            rig.good(B, LUN1, &start);
            assert_eq!(rig.array.owner(LUN1), Some(ControllerId::B));
            rig.good(B, LUN1, &TEST_UNIT_READY);
            assert_eq!(rig.sense(A, LUN1, &TEST_UNIT_READY, &[]), passive);
            assert_eq!(rig.sense(A, LUN1, &READ, &[]), passive);
        }
    }
}

#[test]
fn a_start_of_what_is_active_and_a_stop_move_nothing() {
    for (family, ..) in families(Duration::ZERO) {
        let rig = rig(family);
        rig.good(A, LUN0, &START);
        rig.good(B, LUN0, &STOP);
        assert_eq!(rig.sense(B, LUN0, &[0x1b, 0, 0, 0, 0x11, 0], &[]), "05/24/00");
        assert_eq!(owners(&rig), [Some(ControllerId::A); 2]);
    }
}

#[test]
fn a_switch_over_that_takes_its_time_is_not_ready_until_it_is_over() {
    for (family, _, other) in families(Duration::from_secs(3)) {
        let rig = rig(family);
        assert_eq!(rig.answer_at(at(10), B, LUN0, &START), "02/04/03");
        assert_eq!(rig.answer_at(at(3009), B, LUN0, &START), "02/04/03");
        assert_eq!(owners(&rig), [Some(ControllerId::A); 2]);
        assert_eq!(rig.answer_at(at(3010), B, LUN0, &START), "GOOD");
        assert_eq!(owners(&rig), [Some(ControllerId::B), Some(other)]);
    }
}
