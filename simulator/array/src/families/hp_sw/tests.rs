use super::*;
use crate::{
    ControllerId, PersonalityConfig,
    families::start_stop::tests::{START, owners, rig},
    testing::*,
};

fn hp_sw(whole_controller: bool) -> Rig {
    rig(PersonalityConfig::HpSw(HpSwConfig { whole_controller, ..HpSwConfig::default() }))
}

#[test]
fn the_kernel_knows_it_by_vendor_and_product() {
    let inquiry = hp_sw(true).get(B, LUN0, &[0x12, 0, 0, 0, 36, 0], 36);
    assert_eq!(inquiry[8..28], *b"COMPAQ  MSA1000 VOLU");
}

#[test]
fn a_start_moves_every_lun_of_the_other_controller() {
    let rig = hp_sw(true);
    rig.good(B, LUN0, &START);
    assert_eq!(owners(&rig), [Some(ControllerId::B); 2]);
}

#[test]
fn a_lun_can_move_alone() {
    let rig = hp_sw(false);
    rig.good(B, LUN1, &START);
    assert_eq!(owners(&rig), [Some(ControllerId::A), Some(ControllerId::B)]);
}
