use super::*;
use crate::{Action, ControllerId, FrameConfig, Nexus, PersonalityConfig, testing::*};

const READ: [u8; 10] = [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0];
const RTPG: [u8; 12] = [0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0];
const RTPG_EXTENDED: [u8; 12] = [0xa3, 0x2a, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0];
const NON_OPTIMIZED: u8 = 0x01;

fn rig(alua: AluaConfig) -> Rig {
    let personality = PersonalityConfig::Alua(alua);
    let identity = personality.identity();
    Rig::new(with(FrameConfig { personality, identity, ..frame() })).settled()
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
    assert_eq!(data[4..12], [0x80, supported, 0, 1, 0, 0, 0, 2]);
    assert_eq!(data[12..20], [0, 0, 0, 1, 0, 0, 0, 2]);
    assert_eq!(data[20..28], [NON_OPTIMIZED, supported, 0, 2, 0, 0, 0, 2]);
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
        assert_eq!(
            rig.answer_at(at(1), A, LUN0, &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            capacity,
            "{state}"
        );
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
    assert_eq!((data[3], data[4..12].to_vec()), (48, vec![0x80, 0xcf, 0, 1, 0, 0, 0, 1]));
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

/// Takes the unit attentions of a nexus.
fn hear(rig: &Rig, nexus: Nexus) {
    while rig.answer_at(at(1), nexus, LUN0, &TEST_UNIT_READY).starts_with("06") {}
}

/// The descriptors of REPORT TARGET PORT GROUPS for LUN 0, each with its ports.
fn descriptors(rig: &Rig, nexus: Nexus) -> Vec<(Vec<u8>, Vec<u16>)> {
    hear(rig, nexus);
    let data = rig.get(nexus, LUN0, &RTPG, 255);
    let (mut at, mut found) = (4, Vec::new());
    while at < data.len() {
        let ports = usize::from(data[at + 7]);
        let names = data[at + 8..][..4 * ports].chunks(4);
        let names = names.map(|port| u16::from_be_bytes([port[2], port[3]]));
        found.push((data[at..at + 8].to_vec(), names.collect()));
        at += 8 + 4 * ports;
    }
    found
}

/// The group and the relative port that page 83h names for the port of a nexus.
fn named(rig: &Rig, nexus: Nexus) -> (u16, u16) {
    hear(rig, nexus);
    let data = rig.get(nexus, LUN0, &[0x12, 1, 0x83, 0, 255, 0], 255);
    let end = data.len();
    let number = |at: usize| u16::from_be_bytes([data[at], data[at + 1]]);
    (number(end - 2), number(end - 10))
}

fn port(name: &str) -> PortId {
    name.parse().unwrap()
}

#[test]
fn groups_and_ports_have_the_numbers_that_they_are_given() {
    let first = rig(AluaConfig { first_group: 0, ..AluaConfig::default() });
    let ids = |rig: &Rig| descriptors(rig, A).iter().map(|it| it.0[3]).collect::<Vec<_>>();
    assert_eq!((ids(&first), named(&first, B)), (vec![0, 1], (1, 3)), "0 is a group");
    set(&first, B, &[(0, 1)]);
    assert_eq!(first.array.owner(LUN0), Some(ControllerId::B));
    hear(&first, A);
    set(&first, A, &[(0, 0)]);
    assert_eq!(first.array.owner(LUN0), Some(ControllerId::A));

    let personality = PersonalityConfig::Alua(AluaConfig::default());
    let relative_ports = vec![(port("A0"), 0x11), (port("B0"), 0x101)];
    let config = with(FrameConfig { personality, relative_ports, ..frame() });
    let numbered = Rig::new(config.clone()).settled();
    assert_eq!((named(&numbered, A), named(&numbered, B)), ((1, 0x11), (2, 0x101)));
    let ports: Vec<_> = descriptors(&numbered, A).into_iter().map(|it| it.1).collect();
    assert_eq!(ports, [vec![0x11, 2], vec![0x101, 4]]);
    for wrong in [0, 4] {
        let relative_ports = vec![(port("A0"), wrong)];
        let mut config = config.clone();
        config.frames[0].relative_ports = relative_ports;
        let refused = crate::Array::new(config, std::sync::Arc::new(Log::default()));
        assert!(refused.is_err(), "{wrong}");
    }
}

#[test]
fn a_group_can_have_ports_of_both_controllers() {
    let groups = Groups::Listed(vec![
        (0x20, vec![port("A0"), port("B0")]),
        (7, vec![port("A1")]),
        (9, vec![port("B1")]),
    ]);
    let rig = rig(AluaConfig { groups, ..AluaConfig::default() });
    let states = |nexus| {
        let of = |it: &(Vec<u8>, Vec<u16>)| (it.0[3], it.0[0] & 0xf, it.1.clone());
        descriptors(&rig, nexus).iter().map(of).collect::<Vec<_>>()
    };
    let shared = vec![1, 3];
    assert_eq!(states(A), [(7, 0, vec![2]), (9, 1, vec![4]), (0x20, 0, shared.clone())]);
    assert_eq!((named(&rig, A).0, named(&rig, B).0), (0x20, 0x20));
    rig.get(B, LUN0, &READ, 512);
    set(&rig, B, &[(0, 0x20)]);
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::A), "the owner is in the group already");
    set(&rig, B, &[(0, 9)]);
    assert_eq!(states(B), [(7, 1, vec![2]), (9, 0, vec![4]), (0x20, 0, shared)]);
    let state = crate::ControllerState::Failed;
    rig.array.apply(at(1), Action::SetController { controller: ControllerId::A, state }).unwrap();
    assert_eq!(states(B)[2].1, 0, "one of its controllers serves the LUN");
}

#[test]
fn listed_groups_have_each_port_once() {
    let refused = |groups: Vec<(u16, Vec<PortId>)>| {
        let groups = Groups::Listed(groups);
        let alua = AluaConfig { groups, ..AluaConfig::default() };
        let personality = PersonalityConfig::Alua(alua);
        let config = with(FrameConfig { personality, ..frame() });
        let made = crate::Array::new(config, std::sync::Arc::new(Log::default()));
        made.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let all = || vec![port("A0"), port("A1"), port("B0")];
    assert!(refused(vec![(1, all())]).contains("port B1 must be in exactly one"));
    assert!(refused(vec![(1, all()), (2, vec![port("B1"), port("A0")])]).contains("port A0"));
    assert!(refused(vec![(1, all()), (1, vec![port("B1")])]).contains("two target port groups 1"));
    assert!(refused(vec![(1, all()), (2, vec![port("B1"), port("C0")])]).contains("no port C0"));
    assert_eq!(refused(vec![(1, all()), (2, vec![port("B1")])]), "");
}

#[test]
fn offline_is_a_state_of_a_port_and_not_of_a_group() {
    let rig = rig(AluaConfig::default());
    // Relative target port 3 is B0.
    set(&rig, A, &[(0xe, 3)]);
    assert_eq!(rig.sense(B, LUN0, &READ, &[]), "06/2a/06");
    assert_eq!(rig.sense(B, LUN0, &READ, &[]), "02/04/12");
    let b1 = Nexus { port: port("B1"), ..B };
    hear(&rig, b1);
    assert_eq!(rig.answer_at(at(1), b1, LUN0, &READ), "GOOD", "its group is what it was");
    let told = descriptors(&rig, A);
    assert_eq!((told.len(), told[1].0[0] & 0xf, told[1].1.clone()), (3, 1, vec![3, 4]));
    assert_eq!((told[2].0[0], told[2].0[3], told[2].1.clone()), (0xe, 3, vec![3]));
    let (cdb, list) = stpg(&[(0xe, 9)]);
    assert_eq!(rig.sense(A, LUN0, &cdb, &list), "05/26/00", "there is no such port");
    let back = Action::SetPortOffline { lun: LUN0, port: port("B0"), offline: false };
    rig.array.apply(at(1), back).unwrap();
    assert_eq!(rig.sense(B, LUN0, &READ, &[]), "06/2a/06");
    rig.get(B, LUN0, &READ, 512);
    assert_eq!(descriptors(&rig, B).len(), 2);
}

#[test]
fn the_status_code_says_what_altered_a_state() {
    let rig = rig(AluaConfig::default());
    let codes = || descriptors(&rig, A).iter().map(|it| it.0[5]).collect::<Vec<_>>();
    assert_eq!(codes(), [0, 0], "nothing has");
    set(&rig, B, &[(0, 2)]);
    assert_eq!(codes(), [1, 1], "SET TARGET PORT GROUPS");
    let standby = Some(AccessState::Standby);
    let action = Action::SetGroupState { lun: LUN0, group: 1, state: standby };
    rig.array.apply(at(1), action).unwrap();
    assert_eq!(codes(), [2, 1], "the array");
    let own = Action::SetOwner { lun: LUN0, controller: ControllerId::A };
    rig.array.apply(at(1), own).unwrap();
    assert_eq!(codes()[1], 2);
}

#[test]
fn a_state_that_a_group_is_in_is_supported() {
    let alua = AluaConfig {
        tpgs: Tpgs::Implicit,
        non_owner: AccessState::Standby,
        ..AluaConfig::default()
    };
    let rig = rig(alua);
    assert_eq!(descriptors(&rig, A)[0].0[1], 0xcd, "T, O, U, S and AO, not AN");
    let state = Some(AccessState::LbaDependent);
    rig.array.apply(at(1), Action::SetGroupState { lun: LUN0, group: 2, state }).unwrap();
    assert_eq!(descriptors(&rig, A)[1].0[1], 0xdd, "LBD");
}

#[test]
fn an_array_of_the_clariion_line_has_the_unit_path_report() {
    let rig = rig(AluaConfig { unit_path_report: true, ..AluaConfig::default() });
    let page = |nexus| rig.get(nexus, LUN0, &[0x12, 1, 0xc0, 0, 255, 0], 255);
    let (owner, other) = (page(A), page(B));
    assert_eq!((owner[4], other[4], owner[28] & 7), (2, 1, 6));
    assert!(rig.get(A, LUN0, &[0x12, 1, 0, 0, 255, 0], 255)[4..].contains(&0xc0));
}

#[test]
fn captured_groups_tell_the_states_of_today() {
    let header = [0, 0, 0, 24];
    let groups =
        [0x82, 0x07, 0, 1, 0, 2, 0, 1, 0, 0, 0, 1, 0x82, 0x07, 0, 2, 0, 2, 0, 1, 0, 0, 0, 3];
    let data = [&header[..], &groups].concat();
    let captured = |frozen| {
        let groups = crate::CapturedGroups::new(crate::NexusPattern::ALL, None, &data, frozen);
        let personality = PersonalityConfig::Alua(AluaConfig::default());
        let captured_groups = vec![groups.unwrap()];
        Rig::new(with(FrameConfig { personality, captured_groups, ..frame() })).settled()
    };
    let live = captured(false);
    let first = |rig: &Rig| descriptors(rig, A).iter().map(|it| it.0[0]).collect::<Vec<_>>();
    assert_eq!(first(&live), [0x80, 0x01]);
    set(&live, B, &[(0, 2)]);
    assert_eq!((first(&live), descriptors(&live, A)[0].0[1]), (vec![0x81, 0x00], 0x07));
    assert_eq!(first(&captured(true)), [0x82, 0x82]);
    assert_eq!(live.get(A, LUN0, &RTPG_EXTENDED, 255)[..8], [0, 0, 0, 28, 0x10, 0, 0, 0]);
}

#[test]
fn a_captured_page_83_says_of_each_port_what_it_is() {
    let lun = [1, 3, 0, 8, 0x50, 0, 0xd0, 0x23, 0, 0, 0, 7];
    let of_port = [1, 0x14, 0, 4, 0, 0, 0, 9, 1, 0x15, 0, 4, 0, 0, 1, 0];
    let bytes = [&[0, 0x83, 0, 28][..], &lun, &of_port].concat();
    let captured = |frozen| {
        let page = crate::CapturedPage {
            page: InquiryPage::Vpd(0x83),
            to: crate::NexusPattern::ALL,
            lun: None,
            bytes: bytes.clone(),
            frozen,
        };
        let personality = PersonalityConfig::Alua(AluaConfig::default());
        Rig::new(with(FrameConfig { personality, captured: vec![page], ..frame() })).settled()
    };
    let live = captured(false);
    assert_eq!((named(&live, A), named(&live, B)), ((1, 1), (2, 3)));
    assert_eq!(named(&captured(true), B), (0x100, 9));
    let wwids = [LUN0, LUN1].map(|lun| live.array.wwid(lun).unwrap());
    assert_eq!(wwids, ["35000d02300000007", "35000d02300000007"], "as the page says");
    live.array.apply(at(1), crate::VolumeChange::Replace { lun: LUN1 }.into()).unwrap();
    assert!(live.array.wwid(LUN1).unwrap().starts_with("36"), "another volume");
}
