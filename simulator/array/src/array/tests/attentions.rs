//! Unit attentions, as each nexus receives them.

use super::*;
use crate::{Action, ControllerId, ControllerState, NexusPattern, Ports, Sense};

fn tell(rig: &Rig, nexus: Option<Nexus>, lun: Option<Lun>, sense: &str) {
    let sense = sense.parse().unwrap();
    rig.array.apply(at(0), Action::UnitAttention { to: pattern(nexus), lun, sense }).unwrap();
}

fn pattern(nexus: Option<Nexus>) -> NexusPattern {
    nexus.map_or(NexusPattern::ALL, NexusPattern::from)
}

/// The sense data that TEST UNIT READY reports, until no unit attention is left.
fn heard(rig: &Rig, nexus: Nexus, lun: Lun) -> Vec<String> {
    let tur = || rig.send(nexus, lun, &TEST_UNIT_READY, &[], 0).completion.sense;
    std::iter::from_fn(tur).map(|sense| sense.to_string()).collect()
}

#[test]
fn every_nexus_hears_of_power_on_once_on_each_lun() {
    let rig = Rig::new(config());
    for nexus in [A, B, nexus(0, ControllerId::B)] {
        for lun in [LUN0, LUN1] {
            assert_eq!(heard(&rig, nexus, lun), ["06/29/00"]);
        }
    }
}

#[test]
fn one_is_reported_in_place_of_the_command() {
    let rig = Rig::ready();
    tell(&rig, Some(A), Some(LUN0), "06/2a/01");
    assert_eq!(rig.sense(A, LUN0, &write(0, 1), &[1; 512]), "06/2a/01");
    assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [0; 512]);
    assert_eq!(heard(&rig, B, LUN0), [""; 0]);
    assert_eq!(heard(&rig, A, LUN1), [""; 0]);
}

#[test]
fn one_for_everybody_reaches_everybody_once() {
    let rig = Rig::ready();
    tell(&rig, None, None, "06/3f/03");
    for (nexus, lun) in [(A, LUN0), (A, LUN1), (B, LUN0), (B, LUN1)] {
        assert_eq!(heard(&rig, nexus, lun), ["06/3f/03"]);
    }
}

#[test]
fn a_nexus_that_was_never_seen_hears_of_power_on_first() {
    let rig = Rig::new(config());
    tell(&rig, Some(A), Some(LUN0), "06/3f/03");
    assert_eq!(heard(&rig, A, LUN0), ["06/29/00", "06/3f/03"]);
}

#[test]
fn report_luns_takes_the_news_of_luns_and_no_other() {
    let rig = Rig::ready();
    tell(&rig, Some(A), None, "06/3f/0e");
    tell(&rig, Some(A), Some(LUN1), "06/2a/01");
    rig.get(A, LUN0, &[0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], 256);
    assert_eq!(heard(&rig, A, LUN0), [""; 0]);
    assert_eq!(heard(&rig, A, LUN1), ["06/2a/01"]);
}

#[test]
fn a_controller_that_was_off_says_so_to_those_who_use_it() {
    let rig = Rig::ready();
    let set = |state| {
        let action = Action::SetController { controller: ControllerId::A, state };
        rig.array.apply(at(0), action).unwrap();
    };
    set(ControllerState::Quiescing);
    set(ControllerState::Online);
    assert_eq!(heard(&rig, A, LUN0), [""; 0], "quiescing is not off");
    set(ControllerState::Failed);
    set(ControllerState::Booting);
    assert_eq!(rig.sense(A, LUN0, &TEST_UNIT_READY, &[]), "06/29/00");
    assert_eq!(rig.sense(A, LUN0, &TEST_UNIT_READY, &[]), "02/04/01");
    set(ControllerState::Online);
    assert_eq!(heard(&rig, A, LUN0), [""; 0], "once");
    set(ControllerState::Upgrading);
    set(ControllerState::Online);
    assert_eq!(heard(&rig, A, LUN0), ["06/29/00"]);
    assert_eq!(heard(&rig, B, LUN0), [""; 0]);
}

#[test]
fn a_controller_that_was_off_has_lost_what_was_not_saved() {
    let rig = Rig::ready();
    let tas = |nexus| rig.get(nexus, LUN0, &[0x1a, 8, 0x0a, 0, 16, 0], 16)[9];
    let list = [0, 0, 0, 0, 0x0a, 10, 0, 0x10, 0, 0x40, 0, 0, 0, 0, 0, 0];
    for nexus in [A, B] {
        rig.put(nexus, LUN0, &[0x15, 0x10, 0, 0, 16, 0], &list);
    }
    for state in [ControllerState::Failed, ControllerState::Online] {
        let action = Action::SetController { controller: ControllerId::A, state };
        rig.array.apply(at(0), action).unwrap();
    }
    assert_eq!(heard(&rig, A, LUN0), ["06/29/00"]);
    assert_eq!((tas(A), tas(B)), (0, 0x40));
}

#[test]
fn only_sense_key_6_is_one() {
    let rig = Rig::ready();
    let action = |nexus, lun, sense| Action::UnitAttention { to: pattern(nexus), lun, sense };
    let refused = |action| rig.array.apply(at(0), action).unwrap_err().to_string();
    let words = "02/04/01 is not a unit attention: its sense key must be 06";
    assert_eq!(refused(action(None, None, Sense::BECOMING_READY)), words);
    assert_eq!(refused(action(None, Some(NO_LUN), Sense::POWER_ON)), "the array has no LUN 7");
    let stranger = nexus(0, "C".parse().unwrap());
    assert_eq!(
        refused(action(Some(stranger), None, Sense::POWER_ON)),
        "the array has no controller C"
    );
}

#[test]
fn one_can_be_for_a_controller_or_for_an_hba() {
    let rig = Rig::ready();
    let tell = |to| {
        let action = Action::UnitAttention { to, lun: Some(LUN0), sense: Sense::CAPACITY_CHANGED };
        rig.array.apply(at(0), action).unwrap();
    };
    tell(NexusPattern { hba: None, ports: Ports::Of(ControllerId::B) });
    assert_eq!((heard(&rig, A, LUN0), heard(&rig, B, LUN0)), (vec![], vec!["06/2a/09".into()]));
    tell(NexusPattern { hba: Some(A.hba), ports: Ports::All });
    assert_eq!((heard(&rig, A, LUN0), heard(&rig, B, LUN0)), (vec!["06/2a/09".into()], vec![]));
}
