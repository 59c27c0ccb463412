//! Ownership changes without a request from a host, and split ownership.

use std::{num::NonZeroU32, time::Duration};

use super::*;
use crate::{
    Action, AluaConfig, Apart, Changed, ControllerId, ControllerState, EmcConfig, FrameConfig,
    HpSwConfig, OwnershipPolicy, PersonalityConfig, VolumeChange,
};

const READ: [u8; 10] = [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0];

fn rig(personality: PersonalityConfig, ownership: OwnershipPolicy) -> Rig {
    let identity = personality.identity();
    Rig::new(with(FrameConfig { personality, identity, ownership, ..frame() })).settled()
}

fn alua(ownership: OwnershipPolicy) -> Rig {
    rig(PersonalityConfig::Alua(AluaConfig::default()), ownership)
}

fn set(rig: &Rig, millis: u64, controller: ControllerId, state: ControllerState) {
    rig.array.apply(at(millis), Action::SetController { controller, state }).unwrap();
}

/// The owners of LUNs 0 and 1 at this time in milliseconds.
fn owners(rig: &Rig, millis: u64) -> String {
    rig.array.notices(at(millis), A.hba);
    [LUN0, LUN1].map(|lun| rig.array.owner(lun).unwrap().to_string()).concat()
}

#[test]
fn by_default_a_dead_controller_keeps_its_luns() {
    let rig = alua(OwnershipPolicy::default());
    set(&rig, 0, ControllerId::A, ControllerState::Failed);
    assert_eq!((rig.array.next_event(), &*owners(&rig, 1_000_000)), (None, "AB"));
}

#[test]
fn a_controller_that_stays_away_loses_its_luns_and_one_that_comes_back_does_not() {
    let takeover = Some(Duration::from_secs(5));
    let rig = alua(OwnershipPolicy { takeover, ..OwnershipPolicy::default() });
    set(&rig, 0, ControllerId::A, ControllerState::Booting);
    set(&rig, 4_000, ControllerId::A, ControllerState::Online);
    assert_eq!(owners(&rig, 10_000), "AB");
    set(&rig, 10_000, ControllerId::A, ControllerState::Failed);
    set(&rig, 13_000, ControllerId::A, ControllerState::Booting);
    assert_eq!(owners(&rig, 14_999), "AB");
    assert_eq!(owners(&rig, 15_000), "BB", "whatever state it is in by then");
    assert_eq!(rig.answer_at(at(15_001), B, LUN0, &READ), "06/2a/06", "who sees it is told");
    set(&rig, 16_000, ControllerId::A, ControllerState::Online);
    assert_eq!(owners(&rig, 100_000), "BB", "nobody asked for it to come back");
}

#[test]
fn luns_wait_for_somebody_who_can_take_them() {
    let takeover = Some(Duration::from_secs(5));
    let rig = alua(OwnershipPolicy { takeover, ..OwnershipPolicy::default() });
    set(&rig, 0, ControllerId::A, ControllerState::Failed);
    set(&rig, 1_000, ControllerId::B, ControllerState::Failed);
    assert_eq!(owners(&rig, 20_000), "AB");
    set(&rig, 20_000, ControllerId::B, ControllerState::Online);
    assert_eq!(owners(&rig, 24_999), "AB");
    assert_eq!(owners(&rig, 25_000), "BB");
}

#[test]
fn luns_come_back_to_where_they_should_be() {
    let (takeover, failback) = (Some(Duration::ZERO), Some(Duration::from_secs(3)));
    let rig = alua(OwnershipPolicy { takeover, failback, ..OwnershipPolicy::default() });
    set(&rig, 0, ControllerId::A, ControllerState::Failed);
    assert_eq!(owners(&rig, 0), "BB");
    set(&rig, 1_000, ControllerId::A, ControllerState::Online);
    set(&rig, 2_000, ControllerId::A, ControllerState::Failed);
    set(&rig, 3_000, ControllerId::A, ControllerState::Online);
    assert_eq!(owners(&rig, 5_999), "BB", "it was away meanwhile");
    assert_eq!(owners(&rig, 6_000), "AB");
}

#[test]
fn a_lun_follows_its_io_but_not_a_stray_access() {
    let follow_io = NonZeroU32::new(3);
    let rig = alua(OwnershipPolicy { follow_io, ..OwnershipPolicy::default() });
    let mut read = |nexus| rig.answer_at(at(5), nexus, LUN0, &READ);
    assert_eq!([B, B, A, B, B].map(&mut read), ["GOOD"; 5]);
    assert_eq!(owners(&rig, 5), "AB");
    assert_eq!(rig.answer_at(at(5), B, LUN0, &TEST_UNIT_READY), "GOOD", "that is none");
    assert_eq!(rig.answer_at(at(5), B, LUN0, &READ), "GOOD");
    assert_eq!(owners(&rig, 5), "BB");
}

#[test]
fn luns_go_to_and_fro_as_long_as_there_are_two_on_line() {
    let ping_pong = Some(Duration::from_secs(1));
    let rig = alua(OwnershipPolicy { ping_pong, ..OwnershipPolicy::default() });
    assert_eq!(owners(&rig, 10_000), "AB", "not before the story");
    rig.array.apply(at(10_000), Action::BeginStory).unwrap();
    assert_eq!([11, 12, 13].map(|secs| owners(&rig, secs * 1000)), ["BA", "AB", "BA"]);
    set(&rig, 13_500, ControllerId::B, ControllerState::Failed);
    assert_eq!([14, 15].map(|secs| owners(&rig, secs * 1000)), ["AA", "AA"]);
}

#[test]
fn luns_cannot_change_hands_all_the_time() {
    let ownership = OwnershipPolicy { ping_pong: Some(Duration::ZERO), ..Default::default() };
    let refused = Array::new(with(FrameConfig { ownership, ..frame() }), Arc::new(Log::default()));
    assert_eq!(refused.unwrap_err().to_string(), "LUNs cannot change hands every 0 s");
}

#[test]
fn in_a_split_each_controller_says_that_it_has_the_lun() {
    let families = [
        frame().personality,
        PersonalityConfig::Emc(EmcConfig::default()),
        PersonalityConfig::HpSw(HpSwConfig::default()),
        PersonalityConfig::Alua(AluaConfig {
            non_owner: "standby".parse().unwrap(),
            ..AluaConfig::default()
        }),
    ];
    for personality in families {
        let rig = rig(personality, OwnershipPolicy::default());
        assert_ne!(rig.answer_at(at(1), B, LUN0, &READ), "GOOD");
        split(&rig, Some(Apart::Ownership));
        let answers = [A, B].map(|nexus| rig.answer_at(at(1), nexus, LUN0, &READ));
        assert_eq!(answers, ["GOOD", "GOOD"], "{rig:?}", rig = rig.array);
        rig.put(B, LUN0, &write(0, 1), &[7; 512]);
        assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [7; 512], "there is one copy");
        split(&rig, None);
        assert_ne!(rig.answer_at(at(1), B, LUN0, &READ), "GOOD");
    }
}

fn split(rig: &Rig, apart: Option<Apart>) {
    rig.array.apply(at(1), Action::Split { lun: LUN0, apart }).unwrap();
}

#[test]
fn nobody_moves_a_lun_that_everybody_has() {
    let rig = rig(PersonalityConfig::Alua(AluaConfig::default()), OwnershipPolicy::default());
    split(&rig, Some(Apart::Ownership));
    // SET TARGET PORT GROUPS: group 2, active/optimized.
    let stpg = [0xa4, 0x0a, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0];
    rig.put(B, LUN0, &stpg, &[0, 0, 0, 0, 0, 0, 0, 2]);
    let own = Action::SetOwner { lun: LUN0, controller: ControllerId::B };
    rig.array.apply(at(2), own).unwrap();
    assert_eq!(owners(&rig, 2), "AB");
    let moved = |change: &Changed| matches!(change, Changed::Owner { .. });
    assert!(!rig.changes().iter().any(moved));
}

#[test]
fn controllers_that_are_apart_have_data_of_their_own_until_they_agree() {
    let rig = alua(OwnershipPolicy::default());
    rig.put(A, LUN0, &write(0, 1), &[1; 512]);
    split(&rig, Some(Apart::Ownership));
    split(&rig, Some(Apart::Data));
    assert_eq!(rig.get(B, LUN0, &read(0, 1), 512), [1; 512]);
    rig.put(A, LUN0, &write(0, 1), &[2; 512]);
    rig.put(B, LUN0, &write(0, 1), &[3; 512]);
    let contents = |rig: &Rig| [A, B].map(|nexus| rig.get(nexus, LUN0, &read(0, 1), 512)[0]);
    assert_eq!(contents(&rig), [2, 3]);
    let log = Arc::new(Log::default());
    let copy = Array::from_snapshot(&rig.array.snapshot(), log.clone()).unwrap();
    assert_eq!(contents(&Rig { array: copy, log }), [2, 3], "a checkpoint has both");
    rig.array.apply(at(1), VolumeChange::Resize { lun: LUN0, bytes: 1 << 21 }.into()).unwrap();
    let rig = rig.settled();
    assert_eq!(contents(&rig), [2, 3], "both grow");
    split(&rig, None);
    assert_eq!(contents(&rig), [2, 2], "what was written through B is lost");
}
