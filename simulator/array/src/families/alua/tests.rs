use super::*;
use crate::{Action, ArrayConfig, ControllerId, Nexus, PersonalityConfig, testing::*};

const READ: [u8; 10] = [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0];
const RTPG: [u8; 12] = [0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0];
const RTPG_EXTENDED: [u8; 12] = [0xa3, 0x2a, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0];
const NON_OPTIMIZED: u8 = 0x01;

fn rig(alua: AluaConfig) -> Rig {
    let personality = PersonalityConfig::Alua(alua);
    let identity = personality.identity();
    Rig::new(ArrayConfig { personality, identity, ..config() }).settled()
}

/// SET TARGET PORT GROUPS with these pairs of state and group.
fn stpg(descriptors: &[(u8, u16)]) -> ([u8; 12], Vec<u8>) {
    let mut list = vec![0; 4];
    for (state, group) in descriptors {
        list.extend([*state, 0]);
        list.extend(group.to_be_bytes());
    }
    let mut cdb = [0; 12];
    cdb[..2].copy_from_slice(&[0xa4, 0x0a]);
    cdb[9] = list.len() as u8;
    (cdb, list)
}

fn set(rig: &Rig, nexus: Nexus, descriptors: &[(u8, u16)]) {
    let (cdb, list) = stpg(descriptors);
    rig.put(nexus, LUN0, &cdb, &list);
}

/// The first bytes of the descriptors of groups 1 and 2 for LUN 0, without the PREF bit.
fn states(rig: &Rig, nexus: Nexus) -> [u8; 2] {
    let data = rig.get(nexus, LUN0, &RTPG, 255);
    [data[4] & 0x0f, data[20] & 0x0f]
}

#[test]
fn tpgs_and_the_port_group_are_told() {
    for tpgs in [Tpgs::Never, Tpgs::Implicit, Tpgs::Explicit, Tpgs::Both] {
        let rig = rig(AluaConfig { tpgs, ..AluaConfig::default() });
        let data = rig.get(A, LUN0, &[0x12, 0, 0, 0, 255, 0], 255);
        assert_eq!(data[5] >> 4 & 3, tpgs as u8);
        let data = rig.get(B, LUN0, &[0x12, 1, 0x83, 0, 255, 0], 255);
        let group = [1, 0x15, 0, 4, 0, 0, 0, 2];
        assert_eq!(data.ends_with(&group), tpgs != Tpgs::Never);
    }
}

#[test]
fn a_view_shows_each_group_as_its_ports_report_it() {
    let rig = rig(AluaConfig::default());
    let shown = || {
        let groups = rig.array.view().luns[0].groups.clone();
        groups.iter().map(|it| (it.group, it.ports.len(), it.state)).collect::<Vec<_>>()
    };
    let (optimized, other) = (AccessState::Optimized, AccessState::NonOptimized);
    assert_eq!(shown(), [(1, 2, optimized), (2, 2, other)]);
    set(&rig, B, &[(0, 2)]);
    assert_eq!(shown(), [(1, 2, other), (2, 2, optimized)]);
    let apart = Some(crate::Apart::Ownership);
    rig.array.apply(at(1), Action::Split { lun: LUN0, apart }).unwrap();
    assert_eq!(shown(), [(1, 2, optimized), (2, 2, optimized)], "each takes itself for the owner");
}

#[test]
fn the_groups_are_reported_with_their_ports() {
    let rig = rig(AluaConfig::default());
    let data = rig.get(A, LUN0, &RTPG, 255);
    assert_eq!(data[..4], [0, 0, 0, 32]);
    let supported = 0xcf;
    assert_eq!(data[4..12], [0x80, supported, 0, 1, 0, 1, 0, 2]);
    assert_eq!(data[12..20], [0, 0, 0, 1, 0, 0, 0, 2]);
    assert_eq!(data[20..28], [NON_OPTIMIZED, supported, 0, 2, 0, 1, 0, 2]);
    assert_eq!(data[28..], [0, 0, 0, 3, 0, 0, 0, 4]);
}

#[test]
fn the_states_that_groups_support_are_those_that_the_configuration_names() {
    let supports = vec![AccessState::Optimized, AccessState::Standby];
    let rig = rig(AluaConfig { supports, ..AluaConfig::default() });
    assert_eq!(rig.get(A, LUN0, &RTPG, 255)[5], 0x05, "AO_SUP and S_SUP");
}

#[test]
fn the_extended_header_has_the_transition_time_or_is_refused() {
    let config = AluaConfig { transition_time: 90, ..AluaConfig::default() };
    let data = rig(config.clone()).get(A, LUN0, &RTPG_EXTENDED, 255);
    assert_eq!(data[..8], [0, 0, 0, 36, 0x10, 90, 0, 0]);
    let without = rig(AluaConfig { extended_header: false, ..config });
    assert_eq!(without.sense(A, LUN0, &RTPG_EXTENDED, &[]), "05/24/00");
    assert_eq!(without.get(A, LUN0, &RTPG, 255).len(), 36);
}

#[test]
fn an_implicit_transition_that_fails_leaves_the_lun_and_everybody_hears_of_it() {
    let transition = Duration::from_millis(5);
    let config = AluaConfig { transition, implicit_fails: true, ..AluaConfig::default() };
    let rig = rig(config);
    let own = Action::SetOwner { lun: LUN0, controller: ControllerId::B };
    rig.array.apply(at(10), own).unwrap();
    assert_eq!(rig.answer_at(at(12), A, LUN0, &READ), "02/04/0a");
    let answers = [A, A, B].map(|nexus| rig.answer_at(at(15), nexus, LUN0, &READ));
    assert_eq!(answers, ["06/2a/07", "GOOD", "06/2a/07"]);
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::A));
    let (cdb, list) = stpg(&[(0, 2)]);
    rig.put(B, LUN0, &cdb, &list);
    rig.array.notices(at(30), A.hba);
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::B), "one that a host asks for does not");
}

#[test]
fn reserved_bits_are_told_if_somebody_wants_them() {
    let data =
        rig(AluaConfig { reserved_bits: 1, ..AluaConfig::default() }).get(A, LUN0, &RTPG, 255);
    assert_eq!((data[4], data[20]), (0x90, 0x10 | NON_OPTIMIZED));
}

#[test]
fn truncation_changes_no_length_field() {
    let mut cdb = RTPG;
    cdb[9] = 16;
    let data = rig(AluaConfig::default()).get(A, LUN0, &cdb, 16);
    assert_eq!((data.len(), data[3]), (16, 32));
}

#[test]
fn the_group_that_is_set_to_optimized_takes_the_lun_and_the_other_nexuses_hear_of_it() {
    let rig = rig(AluaConfig::default());
    set(&rig, B, &[(0, 2)]);
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::B));
    assert_eq!(rig.sense(A, LUN0, &READ, &[]), "06/2a/06");
    rig.get(A, LUN0, &READ, 512);
    assert_eq!(states(&rig, B), [NON_OPTIMIZED, 0], "no unit attention for who asked");
}

#[test]
fn several_groups_can_be_set_at_once() {
    let rig = rig(AluaConfig::default());
    set(&rig, B, &[(0, 2), (2, 1)]);
    assert_eq!(states(&rig, B), [2, 0]);
    assert_eq!(rig.sense(A, LUN0, &READ, &[]), "06/2a/06");
    assert_eq!(rig.sense(A, LUN0, &READ, &[]), "02/04/0b");
    set(&rig, A, &[(0, 1)]);
    assert_eq!(states(&rig, A), [0, NON_OPTIMIZED]);
}

#[test]
fn a_list_that_makes_no_sense_changes_nothing() {
    let rig = rig(AluaConfig::default());
    let bad: [&[(u8, u16)]; 6] =
        [&[(4, 1)], &[(0xf, 1)], &[(5, 1)], &[(0, 3)], &[(0, 1), (0, 2)], &[(0, 2), (1, 2)]];
    for descriptors in bad {
        let (cdb, list) = stpg(descriptors);
        assert_eq!(rig.sense(B, LUN0, &cdb, &list), "05/26/00", "{descriptors:?}");
    }
    let (mut cdb, list) = stpg(&[(0, 2)]);
    cdb[9] = 7;
    assert_eq!(rig.sense(B, LUN0, &cdb, &list[..7]), "05/1a/00");
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::A));
}

#[test]
fn what_the_array_does_not_do_is_no_operation_of_its() {
    let implicit = rig(AluaConfig { tpgs: Tpgs::Implicit, ..AluaConfig::default() });
    let (cdb, list) = stpg(&[(0, 2)]);
    assert_eq!(implicit.sense(B, LUN0, &cdb, &list), "05/20/00");
    let never = rig(AluaConfig { tpgs: Tpgs::Never, ..AluaConfig::default() });
    assert_eq!(never.sense(B, LUN0, &RTPG, &[]), "05/20/00");
    assert_eq!(Rig::ready().sense(B, LUN0, &RTPG, &[]), "05/20/00", "an rdac array");
}

#[test]
fn each_state_answers_in_its_own_way() {
    let rig = rig(AluaConfig::default());
    let cases = [
        (AccessState::Optimized, "GOOD", "GOOD"),
        (AccessState::NonOptimized, "GOOD", "GOOD"),
        (AccessState::LbaDependent, "GOOD", "GOOD"),
        (AccessState::Standby, "02/04/0b", "GOOD"),
        (AccessState::Unavailable, "02/04/0c", "02/04/0c"),
        (AccessState::Offline, "02/04/12", "02/04/12"),
        (AccessState::Transitioning, "02/04/0a", "02/04/0a"),
    ];
    for (state, access, capacity) in cases {
        let action = Action::SetGroupState { lun: LUN0, group: 1, state: Some(state) };
        rig.array.apply(at(0), action).unwrap();
        assert_eq!(rig.answer_at(at(1), A, LUN0, &TEST_UNIT_READY), "06/2a/06");
        assert_eq!(rig.answer_at(at(1), A, LUN0, &TEST_UNIT_READY), access, "{state}");
        assert_eq!(rig.answer_at(at(1), A, LUN0, &READ), access, "{state}");
        assert_eq!(rig.answer_at(at(1), A, LUN0, &[0x25; 10]), capacity, "{state}");
        assert_eq!(rig.answer_at(at(1), A, LUN0, &[0x12, 0, 0, 0, 36, 0]), "GOOD");
        assert_eq!(states(&rig, A)[0], state as u8);
        assert_eq!(state.to_string().parse(), Ok(state));
    }
}

#[test]
fn a_transition_takes_its_time_and_ends_with_news() {
    let transition = Duration::from_secs(5);
    let rig = rig(AluaConfig { transition, ..AluaConfig::default() });
    set(&rig, B, &[(0, 2)]);
    assert_eq!(states(&rig, A), [0xf, 0xf]);
    assert_eq!(rig.answer_at(at(5000), A, LUN0, &READ), "02/04/0a");
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::A));
    assert_eq!(rig.answer_at(at(5001), A, LUN0, &READ), "06/2a/06");
    assert_eq!(rig.answer_at(at(5001), A, LUN0, &READ), "GOOD");
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::B));
    assert_eq!(states(&rig, B), [NON_OPTIMIZED, 0]);
}

#[test]
fn a_transition_can_be_in_part_and_told_otherwise() {
    let transition = Duration::from_secs(5);
    let config = AluaConfig { transition, scope: Scope::Target, ..AluaConfig::default() };
    let part = rig(config.clone());
    set(&part, B, &[(0, 2)]);
    assert_eq!(states(&part, A), [0, 0xf]);
    assert_eq!(part.answer_at(at(10), A, LUN0, &READ), "GOOD");

    let silent = rig(AluaConfig { reporting: Reporting::NotReadyAtAll, ..config.clone() });
    set(&silent, B, &[(0, 2)]);
    assert_eq!(silent.sense(B, LUN0, &RTPG, &[]), "02/04/0a");

    let wrong = rig(AluaConfig { reporting: Reporting::UnitAttention, ..config });
    set(&wrong, B, &[(0, 2)]);
    assert_eq!(wrong.sense(B, LUN0, &READ, &[]), "06/04/0a");
}

#[test]
fn a_port_can_be_a_group_and_a_lun_without_a_name() {
    let config = AluaConfig { groups: Groups::Port, ..AluaConfig::default() };
    let data = rig(config).get(A, LUN0, &RTPG, 255);
    assert_eq!((data[3], data[4..12].to_vec()), (48, vec![0x80, 0xcf, 0, 1, 0, 1, 0, 1]));
    let nameless = rig(AluaConfig { lun_designator: false, ..AluaConfig::default() });
    assert_eq!(nameless.get(A, LUN0, &[0x12, 1, 0x83, 0, 255, 0], 255)[4..6], [1, 0x14]);
}

#[test]
fn a_group_that_does_not_exist_cannot_be_set() {
    let rig = rig(AluaConfig::default());
    let action = Action::SetGroupState { lun: LUN0, group: 3, state: None };
    let error = rig.array.apply(at(0), action).unwrap_err();
    assert_eq!(error.to_string(), "the array has no target port group 3");
}
