use super::*;
use crate::{
    Action, ControllerId, ControllerState, PersonalityConfig,
    families::start_stop::tests::{START, owners, rig},
    testing::*,
};

fn hw_handler() -> Rig {
    rig(PersonalityConfig::HwHandler(HwHandlerConfig::default()))
}

#[test]
fn nothing_that_the_kernel_knows_identifies_it() {
    let inquiry = hw_handler().get(B, LUN0, &[0x12, 0, 0, 0, 36, 0], 36);
    assert_eq!((&inquiry[8..26], inquiry[5] & 0x30), (&b"SANSIM  HW_HANDLER"[..], 0));
}

#[test]
fn a_start_moves_one_lun() {
    let rig = hw_handler();
    rig.good(B, LUN1, &START);
    assert_eq!(owners(&rig), [Some(ControllerId::A), Some(ControllerId::B)]);
}

#[test]
fn each_state_of_a_controller_has_its_own_refusal() {
    let rig = hw_handler();
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
