use std::time::Duration;

use super::*;
use crate::{Action, ControllerId, PersonalityConfig, testing::*};

const START: [u8; 6] = [0x1b, 0, 0, 0, 1, 0];
const READ: [u8; 10] = [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0];

/// Both LUNs are with A.
fn rig(hw_handler: HwHandlerConfig) -> Rig {
    let personality = PersonalityConfig::HwHandler(hw_handler);
    let identity = personality.identity();
    let mut config = ArrayConfig { personality, identity, ..config() };
    config.luns[1].owner = ControllerId::A;
    Rig::new(config).settled()
}

fn owners(rig: &Rig) -> [Option<ControllerId>; 2] {
    [LUN0, LUN1].map(|lun| rig.array.owner(lun))
}

#[test]
fn nothing_that_the_kernel_knows_identifies_it() {
    let rig = rig(HwHandlerConfig::default());
    let inquiry = rig.get(B, LUN0, &[0x12, 0, 0, 0, 36, 0], 36);
    assert_eq!((&inquiry[8..26], inquiry[5] & 0x30), (&b"SANSIM  HW_HANDLER"[..], 0));
}

#[test]
fn the_passive_controller_is_seen_but_on_standby() {
    let rig = rig(HwHandlerConfig::default());
    assert_eq!(rig.get(B, LUN0, &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], 8)[..4], [0, 0, 7, 255]);
    assert_eq!(rig.sense(B, LUN0, &TEST_UNIT_READY, &[]), "02/04/0b");
    assert_eq!(rig.sense(B, LUN0, &READ, &[]), "02/04/0b");
    assert_eq!(rig.get(A, LUN0, &READ, 512).len(), 512);
}

#[test]
fn a_start_moves_one_lun_and_a_stop_none() {
    let rig = rig(HwHandlerConfig::default());
    rig.good(B, LUN0, &[0x1b, 0, 0, 0, 0, 0]);
    assert_eq!(rig.sense(B, LUN0, &[0x1b, 0, 0, 0, 0x11, 0], &[]), "05/24/00");
    assert_eq!(owners(&rig), [Some(ControllerId::A); 2]);
    rig.good(B, LUN1, &START);
    assert_eq!(owners(&rig), [Some(ControllerId::A), Some(ControllerId::B)]);
    rig.good(B, LUN1, &START);
    assert_eq!(rig.sense(A, LUN1, &READ, &[]), "02/04/0b");
}

#[test]
fn a_switch_over_that_takes_its_time_is_not_ready_until_it_is_over() {
    let rig = rig(HwHandlerConfig { switch_over: Duration::from_secs(3) });
    assert_eq!(rig.answer_at(at(10), B, LUN0, &START), "02/04/03");
    assert_eq!(rig.answer_at(at(3009), B, LUN0, &START), "02/04/03");
    assert_eq!(owners(&rig), [Some(ControllerId::A); 2]);
    assert_eq!(rig.answer_at(at(3010), B, LUN0, &START), "GOOD");
    assert_eq!(owners(&rig), [Some(ControllerId::B), Some(ControllerId::A)]);
}

#[test]
fn each_state_of_a_controller_has_its_own_refusal() {
    let rig = rig(HwHandlerConfig::default());
    for (state, sense) in [
        (ControllerState::Booting, "02/04/01"),
        (ControllerState::Quiescing, "02/04/03"),
        (ControllerState::Upgrading, "02/04/22"),
    ] {
        rig.array
            .apply(at(1), Action::SetController { controller: ControllerId::B, state })
            .unwrap();
        assert_eq!(rig.sense(B, LUN0, &START, &[]), sense);
        assert_eq!(rig.sense(B, LUN0, &TEST_UNIT_READY, &[]), sense);
        assert_eq!(rig.get(B, LUN0, &[0x12, 0, 0, 0, 36, 0], 36).len(), 36);
    }
    assert_eq!(owners(&rig), [Some(ControllerId::A); 2]);
}
