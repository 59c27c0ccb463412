//! Several arrays behind one guest: each for itself, two that present a LUN as one, and a LUN that
//! migrates.

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;

use crate::{
    AccessState, Action, AluaConfig, Array, ArrayConfig, ArrayState, Changed, ConfigError,
    ControllerConfig, ControllerId, Controllers, FarGroups, FrameConfig, Identity, Lun, LunChange,
    LunConfig, MetroConfig, Nexus, OwnershipPolicy, PersonalityConfig, PortId, RdacConfig,
    Replication, ReplicationLink, VolumeChange, WithoutWitness,
    testing::{LUN0, Log, NO_LUN, Rig, TEST_UNIT_READY, at, config, nexus, read, write},
};

const RTPG: [u8; 12] = [0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0];
const OPTIMIZED: u8 = 0;
const NON_OPTIMIZED: u8 = 1;
const UNAVAILABLE: u8 = 3;

fn controller(letter: char) -> ControllerId {
    letter.to_string().parse().unwrap()
}

/// HBA 0 through the first port of a controller.
fn through(letter: char) -> Nexus {
    nexus(0, controller(letter))
}

fn alua(first_group: u16) -> PersonalityConfig {
    PersonalityConfig::Alua(AluaConfig { first_group, ..AluaConfig::default() })
}

/// An array with two controllers of one port.
fn array_of(
    name: &str,
    personality: PersonalityConfig,
    relative_ports: Vec<(PortId, u16)>,
) -> FrameConfig {
    let frame = FrameConfig::new(personality, vec![ControllerConfig { ports: 1 }; 2]);
    let identity = Identity { name: name.into(), ..frame.identity };
    FrameConfig { identity, relative_ports, ..frame }
}

fn other(personality: PersonalityConfig, relative_ports: Vec<(PortId, u16)>) -> FrameConfig {
    array_of("west", personality, relative_ports)
}

/// Array `east` with controllers A and B, and array `west` with C and D. They present LUN 0 as one.
fn cluster(metro: MetroConfig) -> ArrayConfig {
    let numbers = [("C0", 11), ("D0", 12)].map(|(port, number)| (port.parse().unwrap(), number));
    let lun = LunConfig { partner: Some(controller('C')), ..config().luns[0].clone() };
    let frames = vec![array_of("east", alua(1), Vec::new()), other(alua(11), numbers.to_vec())];
    ArrayConfig { frames, metro, luns: vec![lun], ..config() }
}

/// The cluster with another second array.
fn cluster_with(west: FrameConfig, metro: MetroConfig) -> ArrayConfig {
    let mut config = cluster(metro);
    config.frames[1] = west;
    config
}

/// The cluster, after every nexus has taken its unit attentions.
fn rig(metro: MetroConfig) -> Rig {
    settled(Rig::new(cluster(metro)))
}

fn settled(rig: Rig) -> Rig {
    for letter in "ABCD".chars() {
        hear(&rig, 0, letter);
    }
    rig
}

/// Takes the unit attentions of LUN 0 through a controller.
fn hear(rig: &Rig, millis: u64, letter: char) {
    while rig.answer_at(at(millis), through(letter), LUN0, &TEST_UNIT_READY).starts_with("06") {}
}

/// How READ is answered through each controller.
fn reads(rig: &Rig, millis: u64) -> [String; 4] {
    ['A', 'B', 'C', 'D'].map(|letter| {
        hear(rig, millis, letter);
        rig.answer_at(at(millis), through(letter), LUN0, &read(0, 1))
    })
}

/// The access states of groups 1, 2, 11 and 12 as a controller reports them, without those that it does
/// not report.
fn told(rig: &Rig, letter: char) -> Vec<u8> {
    hear(rig, 1, letter);
    let data = rig.get(through(letter), LUN0, &RTPG, 255);
    data[4..].chunks(12).map(|group| group[0] & 0x0f).collect()
}

fn apply(rig: &Rig, millis: u64, action: Action) {
    rig.array.apply(at(millis), action).unwrap();
}

fn array(name: &str, state: ArrayState) -> Action {
    Action::SetArray { array: name.into(), state }
}

fn link(link: ReplicationLink) -> Action {
    Action::SetReplication { lun: None, link }
}

fn at_once() -> MetroConfig {
    MetroConfig { arbitration: Duration::ZERO, ..MetroConfig::default() }
}

fn replication(rig: &Rig) -> (Replication, String) {
    let (is, serving) = rig.array.view().luns[0].replication.unwrap();
    (is, serving.to_string())
}

/// Lets the array do what is due by this time.
fn pass(rig: &Rig, millis: u64) {
    rig.array.notices(at(millis), through('A').hba);
}

#[test]
fn each_array_has_its_own_family_identity_and_luns() {
    let rdac = PersonalityConfig::Rdac(RdacConfig::default());
    let mut west = other(rdac, Vec::new());
    west.identity.serial = "WEST".into();
    let lun = |lun, letter| LunConfig {
        lun: Lun(lun),
        owner: controller(letter),
        preferred: controller(letter),
        ..config().luns[0].clone()
    };
    let luns = vec![lun(0, 'A'), lun(1, 'C')];
    let rig = Rig::new(ArrayConfig { luns, ..cluster_with(west, at_once()) });
    let inquiry = |letter, lun| rig.get(through(letter), Lun(lun), &[0x12, 0, 0, 0, 36, 0], 36);
    assert_eq!((&inquiry('A', 0)[8..16], inquiry('A', 1)[0]), (&b"SANSIM  "[..], 0x7f));
    assert_eq!((&inquiry('C', 1)[8..16], inquiry('C', 0)[0]), (&b"IBM     "[..], 0x7f));
    let seen = |letter| rig.array.inventory(through(letter)).len();
    assert_eq!(['A', 'B', 'C', 'D'].map(seen), [1; 4]);
    // The second array counts its controllers and ports from the first, too (page C4h, page 83h).
    let slot = |letter| rig.get(through(letter), Lun(1), &[0x12, 1, 0xc4, 0, 32, 0], 32)[29];
    assert_eq!(['C', 'D'].map(slot), [b'1', b'2']);
    let page = rig.get(through('D'), Lun(1), &[0x12, 1, 0x83, 0, 255, 0], 255);
    assert_eq!(page[page.len() - 2..], [0, 2]);
    let own = Action::SetOwner { lun: Lun(1), controller: controller('A') };
    let refused = rig.array.apply(at(1), own).unwrap_err().to_string();
    assert_eq!(refused, "the array of controller A does not present LUN 1");
    let shown = VolumeChange::Show {
        lun: Lun(1),
        to: crate::NexusPattern::ALL,
        shown: crate::Shown::As(Lun(0)),
    };
    apply(&rig, 2, shown.into());
    assert_eq!(inquiry('C', 0)[0], 0, "as LUN 0 at its own array");
    assert_eq!(&inquiry('A', 0)[8..16], b"SANSIM  ", "and nowhere else");
}

#[test]
fn two_arrays_present_one_lun() {
    let rig = rig(MetroConfig::default());
    let page = |letter| rig.get(through(letter), LUN0, &[0x12, 1, 0x83, 0, 255, 0], 255);
    assert_eq!(page('A')[4..24], page('C')[4..24], "one name");
    assert_eq!((page('A')[31], page('D')[31]), (1, 12), "and a number for each port");
    assert_eq!(reads(&rig, 1), ["GOOD"; 4]);
    let states = vec![OPTIMIZED, NON_OPTIMIZED, NON_OPTIMIZED, NON_OPTIMIZED];
    assert_eq!(['A', 'C'].map(|letter| told(&rig, letter)), [states.clone(), states]);
    rig.put(through('C'), LUN0, &write(3, 1), &[7; 512]);
    assert_eq!(rig.get(through('A'), LUN0, &read(3, 1), 512), [7; 512]);
    apply(&rig, 2, Action::SetOwner { lun: LUN0, controller: controller('D') });
    assert_eq!(told(&rig, 'A'), [NON_OPTIMIZED, NON_OPTIMIZED, NON_OPTIMIZED, OPTIMIZED]);
}

#[test]
fn standby_can_be_the_state_of_the_array_that_follows() {
    let following = AccessState::Standby;
    let rig =
        rig(MetroConfig { following, far_groups: FarGroups::Never, ..MetroConfig::default() });
    assert_eq!(reads(&rig, 1), ["GOOD", "GOOD", "02/04/0b", "02/04/0b"]);
    let groups = |letter| rig.get(through(letter), LUN0, &RTPG, 255).len();
    assert_eq!(['A', 'C'].map(groups), [4 + 2 * 12; 2], "each array reports its own groups");
}

#[test]
fn one_reservation_holds_at_both_arrays() {
    let rig = rig(MetroConfig::default());
    let (out, list) = (crate::testing::persistent_out, crate::testing::persistent_list);
    rig.put(through('A'), LUN0, &out(0, 0, 24), &list(0, 0x11, 0));
    rig.put(through('A'), LUN0, &out(1, 1, 24), &list(0x11, 0, 0));
    let refused = rig.send(through('C'), LUN0, &write(0, 1), &[0; 512], 0).completion.status;
    assert_eq!(refused, crate::Status::ReservationConflict);
}

#[test]
fn the_site_that_is_left_takes_over_when_the_other_is_lost() {
    let rig = rig(MetroConfig::default());
    rig.put(through('A'), LUN0, &write(0, 1), &[1; 512]);
    apply(&rig, 1_000, array("east", ArrayState::Failed));
    let arbitration = ["BAD TARGET", "BAD TARGET", "02/04/0a", "02/04/0a"];
    assert_eq!(reads(&rig, 3_999), arbitration);
    assert_eq!(reads(&rig, 4_000), ["BAD TARGET", "BAD TARGET", "GOOD", "GOOD"]);
    assert_eq!(rig.array.owner(LUN0), Some(controller('C')));
    assert_eq!(replication(&rig), (Replication::Down, "C and D".into()));
    assert_eq!(told(&rig, 'D'), [OPTIMIZED, NON_OPTIMIZED]);
    assert_eq!(rig.get(through('C'), LUN0, &read(0, 1), 512), [1; 512]);
    rig.put(through('C'), LUN0, &write(0, 1), &[2; 512]);
    // It comes back, and does not serve the LUN until it has the data.
    apply(&rig, 10_000, array("east", ArrayState::Online));
    assert_eq!(replication(&rig).0, Replication::Resync { percent: 0 });
    assert_eq!(reads(&rig, 15_000), ["02/04/0c", "02/04/0c", "GOOD", "GOOD"]);
    assert_eq!(replication(&rig).0, Replication::Resync { percent: 50 });
    assert_eq!(reads(&rig, 20_000), ["GOOD"; 4]);
    assert_eq!(rig.get(through('A'), LUN0, &read(0, 1), 512), [2; 512]);
    assert_eq!(rig.array.owner(LUN0), Some(controller('C')), "nobody asked for it to go back");
}

#[test]
fn a_lun_fails_back_when_the_data_is_there() {
    let failback = Some(Duration::from_secs(5));
    let ownership = OwnershipPolicy { failback, ..OwnershipPolicy::default() };
    let mut config = cluster(at_once());
    config.frames[0].ownership = ownership;
    let rig = settled(Rig::new(config));
    apply(&rig, 1_000, array("east", ArrayState::Failed));
    apply(&rig, 2_000, array("east", ArrayState::Online));
    pass(&rig, 16_999);
    assert_eq!(rig.array.owner(LUN0), Some(controller('C')), "not before the data is");
    pass(&rig, 17_000);
    assert_eq!(rig.array.owner(LUN0), Some(controller('A')));
}

#[test]
fn without_replication_the_witness_decides_and_the_loser_says_so() {
    let rig = rig(MetroConfig { far_groups: FarGroups::Always, ..at_once() });
    apply(&rig, 1_000, link(ReplicationLink::Down));
    assert_eq!(replication(&rig), (Replication::Down, "A and B".into()));
    assert_eq!(reads(&rig, 1_001), ["GOOD", "GOOD", "02/04/0c", "02/04/0c"]);
    assert_eq!(told(&rig, 'A'), [OPTIMIZED, NON_OPTIMIZED, UNAVAILABLE, UNAVAILABLE]);
    assert_eq!(told(&rig, 'C'), [UNAVAILABLE; 4], "of the other array it knows nothing");
    let stpg = [0xa4, 0x0a, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0];
    assert_eq!(rig.sense(through('C'), LUN0, &stpg, &[0, 0, 0, 0, 0, 0, 0, 11]), "04/67/0a");
    rig.put(through('A'), LUN0, &write(0, 1), &[9; 512]);
    apply(&rig, 2_000, link(ReplicationLink::Up));
    assert_eq!(replication(&rig), (Replication::Resync { percent: 0 }, "A and B".into()));
    pass(&rig, 12_000);
    assert_eq!(replication(&rig), (Replication::Up, "A, B, C and D".into()));
    hear(&rig, 12_001, 'C');
    assert_eq!(rig.get(through('C'), LUN0, &read(0, 1), 512), [9; 512]);
    let percents = rig.changes().into_iter().filter_map(|change| match change {
        Changed::Lun {
            change: LunChange::Replication { is: Replication::Resync { percent }, .. },
            ..
        } => Some(percent),
        _ => None,
    });
    assert_eq!(percents.collect::<Vec<_>>(), [0, 25, 50, 75]);
}

#[test]
fn an_isolated_array_gives_up_even_if_it_is_preferred() {
    let rig = rig(at_once());
    apply(&rig, 1_000, array("east", ArrayState::Isolated));
    assert_eq!(reads(&rig, 1_001), ["02/04/0c", "02/04/0c", "GOOD", "GOOD"]);
    assert_eq!(told(&rig, 'A'), [UNAVAILABLE; 2]);
    assert_eq!(rig.array.view().isolated, ["east"]);
    apply(&rig, 2_000, array("east", ArrayState::Online));
    pass(&rig, 12_000);
    assert_eq!(replication(&rig).0, Replication::Up);
}

#[test]
fn a_witness_that_goes_after_the_arrays_have_lost_each_other_leaves_nobody() {
    let rig = rig(MetroConfig::default());
    apply(&rig, 1_000, link(ReplicationLink::Down));
    apply(&rig, 1_001, Action::SetWitness { present: false });
    assert_eq!(reads(&rig, 5_000), ["02/04/0c"; 4]);
    apply(&rig, 6_000, Action::SetWitness { present: true });
    assert_eq!(reads(&rig, 6_001), ["GOOD", "GOOD", "02/04/0c", "02/04/0c"]);
}

#[test]
fn without_a_witness_the_configuration_says_who_goes_on() {
    let who = |without_witness, lost: Action| {
        let rig = rig(MetroConfig { without_witness, ..at_once() });
        apply(&rig, 500, Action::SetWitness { present: false });
        assert_eq!(reads(&rig, 501), ["GOOD"; 4], "the witness alone is not missed");
        apply(&rig, 1_000, lost);
        replication(&rig).1
    };
    let (down, east) = (link(ReplicationLink::Down), || array("east", ArrayState::Failed));
    assert_eq!(who(WithoutWitness::Preferred, down.clone()), "A and B");
    assert_eq!(who(WithoutWitness::Preferred, east()), "nobody");
    assert_eq!(who(WithoutWitness::Neither, down.clone()), "nobody");
    assert_eq!(who(WithoutWitness::Both, down), "A, B, C and D");
    assert_eq!(who(WithoutWitness::Both, east()), "C and D");
}

#[test]
fn in_a_split_brain_each_array_has_its_own_data_and_one_of_them_is_lost() {
    let rig = rig(MetroConfig { without_witness: WithoutWitness::Both, ..at_once() });
    apply(&rig, 500, Action::SetWitness { present: false });
    apply(&rig, 1_000, link(ReplicationLink::Down));
    assert_eq!(reads(&rig, 1_001), ["GOOD"; 4]);
    assert_eq!(['A', 'C'].map(|letter| told(&rig, letter)), [[OPTIMIZED, NON_OPTIMIZED]; 2]);
    rig.put(through('A'), LUN0, &write(0, 1), &[1; 512]);
    rig.put(through('D'), LUN0, &write(0, 1), &[2; 512]);
    let both = ['B', 'C'].map(|letter| rig.get(through(letter), LUN0, &read(0, 1), 512)[0]);
    assert_eq!(both, [1, 2]);
    let saved = Array::from_snapshot(&rig.array.snapshot(), Arc::new(Log::default())).unwrap();
    let saved = Rig { array: saved, log: Arc::default() };
    assert_eq!(saved.get(through('C'), LUN0, &read(0, 1), 512)[0], 2, "a snapshot has both");
    apply(&rig, 2_000, link(ReplicationLink::Up));
    pass(&rig, 12_000);
    hear(&rig, 12_001, 'C');
    assert_eq!(
        rig.get(through('C'), LUN0, &read(0, 1), 512)[0],
        1,
        "the preferred array's is kept"
    );
}

#[test]
fn a_lag_is_waited_for_by_every_write() {
    let rig = rig(MetroConfig::default());
    let lag = Duration::from_millis(200);
    apply(&rig, 10, link(ReplicationLink::Lagging(lag)));
    assert_eq!(replication(&rig).0, Replication::Lagging(lag));
    let mut buffers = crate::testing::Bytes::new(0, &[5; 512]);
    let cdb = write(0, 1);
    let command = crate::Command { nexus: through('A'), lun: LUN0, tag: 1, cdb: &cdb };
    let parked = rig.array.submit(at(20), &command, &mut buffers);
    let crate::Disposition::Parked(ticket, Some(due)) = parked else { panic!("{parked:?}") };
    assert_eq!(due, at(220));
    let outcome = rig.array.resume(due, ticket, &command, &mut buffers);
    rig.complete(outcome, buffers);
    assert_eq!(rig.get(through('A'), LUN0, &read(0, 1), 512), [5; 512]);
    apply(&rig, 300, link(ReplicationLink::Up));
    rig.put(through('A'), LUN0, &write(0, 1), &[6; 512]);
}

#[test]
fn an_operator_can_force_the_array_with_the_old_data() {
    let rig = rig(at_once());
    rig.put(through('A'), LUN0, &write(0, 1), &[1; 512]);
    apply(&rig, 1_000, link(ReplicationLink::Down));
    hear(&rig, 1_001, 'A');
    rig.put(through('A'), LUN0, &write(0, 1), &[2; 512]);
    apply(&rig, 2_000, array("east", ArrayState::Failed));
    assert_eq!(reads(&rig, 2_001)[2], "02/04/0c", "it never goes on by itself");
    apply(&rig, 3_000, Action::SetOwner { lun: LUN0, controller: controller('D') });
    assert_eq!(rig.array.owner(LUN0), Some(controller('D')));
    hear(&rig, 3_001, 'C');
    assert_eq!(rig.get(through('C'), LUN0, &read(0, 1), 512), [1; 512], "what it had");
    apply(&rig, 4_000, array("east", ArrayState::Online));
    assert_eq!(reads(&rig, 4_001)[..2], ["02/04/0c"; 2], "the other one is the old one now");
    apply(&rig, 5_000, link(ReplicationLink::Up));
    pass(&rig, 15_000);
    hear(&rig, 15_001, 'A');
    assert_eq!(rig.get(through('A'), LUN0, &read(0, 1), 512), [1; 512]);
}

#[test]
fn a_resync_that_is_interrupted_leaves_nothing_to_serve() {
    let rig = rig(at_once());
    apply(&rig, 1_000, link(ReplicationLink::Down));
    apply(&rig, 2_000, link(ReplicationLink::Up));
    apply(&rig, 3_000, link(ReplicationLink::Down));
    assert_eq!(replication(&rig), (Replication::Down, "A and B".into()));
    let own = Action::SetOwner { lun: LUN0, controller: controller('C') };
    let refused = rig.array.apply(at(4_000), own).unwrap_err().to_string();
    assert_eq!(refused, "the array of controller C has only a part of the data of LUN 0");
}

#[test]
fn a_lun_migrates_to_the_other_array() {
    let mut config = cluster(MetroConfig::default());
    config.luns[0].partner = None;
    let rig = settled(Rig::new(config));
    rig.array.attach(through('A').hba, Arc::new(|| {}));
    assert_eq!(rig.get(through('C'), LUN0, &[0x12, 0, 0, 0, 36, 0], 36)[0], 0x7f);
    let name = rig.array.wwid(LUN0);
    rig.put(through('A'), LUN0, &write(5, 1), &[3; 512]);
    let copying = Some(Duration::from_secs(4));
    let stretch = VolumeChange::Stretch { lun: LUN0, to: controller('C'), copying };
    apply(&rig, 1_000, stretch.into());
    let added = rig.array.notices(at(1_000), through('A').hba);
    assert!(added.iter().any(|it| matches!(it, crate::Notice::LunAdded { .. })), "{added:?}");
    assert_eq!(reads(&rig, 4_000), ["GOOD", "GOOD", "02/04/0c", "02/04/0c"]);
    assert_eq!(reads(&rig, 5_000), ["GOOD"; 4]);
    apply(&rig, 6_000, Action::SetOwner { lun: LUN0, controller: controller('C') });
    apply(&rig, 7_000, VolumeChange::Withdraw { lun: LUN0, array: "east".into() }.into());
    assert_eq!(reads(&rig, 7_001), ["05/25/00", "05/25/00", "GOOD", "GOOD"]);
    assert_eq!(rig.array.wwid(LUN0), name, "the volume is the same");
    assert_eq!(rig.get(through('D'), LUN0, &read(5, 1), 512), [3; 512]);
    let view = rig.array.view();
    assert_eq!((view.luns[0].preferred, view.luns[0].replication), (controller('C'), None));
    let again = VolumeChange::Withdraw { lun: LUN0, array: "west".into() };
    let refused = rig.array.apply(at(8_000), again.into()).unwrap_err().to_string();
    assert_eq!(refused, "LUN 0 is not presented by two arrays");
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |config| Array::new(config, Arc::new(Log::default())).unwrap_err().to_string();
    let base = || cluster(MetroConfig::default());
    let mut groups = cluster_with(other(alua(2), Vec::new()), MetroConfig::default());
    assert!(refused(groups.clone()).contains("port C0 has the relative target port identifier"));
    groups.frames[1].relative_ports = base().frames[1].relative_ports.clone();
    assert!(refused(groups).contains("both have a target port group 2"));
    let rdac = other(PersonalityConfig::Rdac(RdacConfig::default()), Vec::new());
    let config = cluster_with(rdac, MetroConfig::default());
    assert!(refused(config).contains("port C0 is in no target port group"));
    let mut config = base();
    config.luns[0].partner = Some(controller('B'));
    assert!(refused(config).contains("a partner is of another array than the owner"));
    let mut config = base();
    config.frames[1].identity.name = "east".into();
    assert_eq!(refused(config), "there are two arrays named \"east\"");
    let mut config = base();
    config.frames[0].controllers = vec![ControllerConfig { ports: 1 }; 7];
    assert!(matches!(
        Array::new(config, Arc::new(Log::default())),
        Err(ConfigError::TooManyControllers { count: 9 })
    ));
    let rig = rig(MetroConfig::default());
    for (action, words) in [
        (array("south", ArrayState::Failed), "there is no array named \"south\""),
        (Action::Split { lun: LUN0, apart: None }, "two arrays present LUN 0: what can split them"),
        (
            Action::SetReplication { lun: Some(NO_LUN), link: ReplicationLink::Down },
            "the array has no LUN 7",
        ),
    ] {
        let error = rig.array.apply(at(1), action).unwrap_err().to_string();
        assert!(error.starts_with(words), "{error}");
    }
    let single = Rig::new(config_of_one());
    let error = single.array.apply(at(1), Action::SetWitness { present: false }).unwrap_err();
    assert_eq!(error.to_string(), "no LUN is presented by two arrays");
}

fn config_of_one() -> ArrayConfig {
    config()
}

/// Something that happens to the cluster.
#[derive(Debug, Clone)]
enum Deed {
    Array(&'static str, ArrayState),
    Link(ReplicationLink),
    Witness(bool),
    Own(char),
    Write(char, u8),
    Wait(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let letter = || prop_oneof![Just('A'), Just('B'), Just('C'), Just('D')];
    let states =
        prop_oneof![Just(ArrayState::Online), Just(ArrayState::Isolated), Just(ArrayState::Failed)];
    let links = prop_oneof![Just(ReplicationLink::Up), Just(ReplicationLink::Down)];
    prop_oneof![
        3 => (prop_oneof![Just("east"), Just("west")], states).prop_map(|(a, s)| Deed::Array(a, s)),
        2 => links.prop_map(Deed::Link),
        1 => any::<bool>().prop_map(Deed::Witness),
        1 => letter().prop_map(Deed::Own),
        6 => (letter(), any::<u8>()).prop_map(|(l, v)| Deed::Write(l, v)),
        3 => (1..6_000_u64).prop_map(Deed::Wait),
    ]
}

proptest! {
    /// Whatever is lost and comes back: no acknowledged write is lost and no two arrays serve apart, as
    /// long as neither the configuration nor an operator asks for it; and an array serves exactly what
    /// its own groups say.
    #[test]
    fn no_write_is_lost_without_a_split_brain(
        deeds in proptest::collection::vec(deed(), 1..40),
        neither in any::<bool>(),
    ) {
        let without_witness =
            if neither { WithoutWitness::Neither } else { WithoutWitness::Preferred };
        let rig = rig(MetroConfig { without_witness, ..MetroConfig::default() });
        let (mut now, mut written) = (10, 0);
        for deed in deeds {
            now += 1;
            match deed {
                Deed::Array(name, state) => apply(&rig, now, array(name, state)),
                Deed::Link(to) => apply(&rig, now, link(to)),
                Deed::Witness(present) => apply(&rig, now, Action::SetWitness { present }),
                // An operator who forces an array is one who asks for it.
                Deed::Own(to) if serves(&rig, to) => {
                    apply(&rig, now, Action::SetOwner { lun: LUN0, controller: controller(to) });
                }
                Deed::Own(_) => {}
                Deed::Write(by, value) => {
                    hear(&rig, now, by);
                    let data = [value; 512];
                    let mut buffers = crate::testing::Bytes::new(0, &data);
                    let cdb = write(0, 1);
                    let command = crate::Command { nexus: through(by), lun: LUN0, tag: 1, cdb: &cdb };
                    let outcome = rig.array.submit(at(now), &command, &mut buffers);
                    let completion = rig.complete(outcome, buffers).completion;
                    if completion.status == crate::Status::Good
                        && completion.response == crate::ServiceResponse::Ok
                    {
                        written = value;
                    }
                }
                Deed::Wait(millis) => now += millis,
            }
            pass(&rig, now);
            check(&rig, now, written)?;
        }
    }
}

fn serves(rig: &Rig, letter: char) -> bool {
    rig.array.view().luns[0].replication.is_some_and(|(_, by)| by.has(controller(letter)))
}

fn check(rig: &Rig, now: u64, written: u8) -> Result<(), TestCaseError> {
    let (is, serving) = rig.array.view().luns[0].replication.unwrap();
    let apart = is == Replication::Down && serving == Controllers::from_range(0..4);
    prop_assert!(!apart, "both serve, and do not reach each other");
    for letter in "ABCD".chars() {
        hear(rig, now, letter);
        let answer = rig.answer_at(at(now), through(letter), LUN0, &read(0, 1));
        if answer == "BAD TARGET" {
            continue;
        }
        prop_assert_eq!(answer == "GOOD", serves(rig, letter), "{}: {}", letter, answer);
        let states = told(rig, letter);
        // While they reach each other, the groups of the first array come first.
        let own = match letter {
            'C' | 'D' if states.len() == 4 => [2, 3],
            _ => [0, 1],
        };
        let open = own.iter().any(|group| states[*group] <= NON_OPTIMIZED);
        prop_assert_eq!(answer == "GOOD", open, "{}: {:?}", letter, states);
        if answer == "GOOD" {
            prop_assert_eq!(rig.get(through(letter), LUN0, &read(0, 1), 512)[0], written);
        }
    }
    Ok(())
}
