//! Properties that hold for every family of arrays, under any sequence of commands and steps.
//!
//! A LUN always has one owner, and changes it only by the rules of its family. A read returns the
//! data that was last written. Two arrays with the same seed give the same answers, even if one of
//! them is replaced by its snapshot in between. `PROPTEST_CASES` sets the number of sequences.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use proptest::prelude::*;
use sansim_time::Time;

use crate::{
    Action, AluaConfig, Array, Buffers, Command, ControllerId, ControllerState, Disposition,
    EmcConfig, FailoverMode, FrameConfig, HbaId, HpSwConfig, HwHandlerConfig, Lun, Nexus,
    PersonalityConfig, PortId, RdacConfig, ServiceResponse, Status, Tpgs,
    testing::{Bytes, LUN0, LUN1, Log, TEST_UNIT_READY, frame, nexus, read, with, write},
};

/// The block lengths of LUN 0 and LUN 1 in bytes.
const BLOCK: [usize; 2] = [512, 4096];

/// Whether an activation of one LUN moves every LUN of the other controller.
fn moves_all(family: &PersonalityConfig) -> bool {
    matches!(family, PersonalityConfig::HpSw(hp_sw) if hp_sw.whole_controller)
}

/// An operation on the array.
#[derive(Debug, Clone)]
enum Deed {
    TestUnitReady(Nexus, Lun),
    Read(Nexus, Lun, u64),
    Write(Nexus, Lun, u64, u8),
    /// The family's command for moving the LUN to the controller.
    Activate(Nexus, Lun),
    /// Another family's command for that, which must not move any LUN.
    Foreign(Nexus, Lun, usize),
    SetOwner(Lun, ControllerId),
    SetController(ControllerId, ControllerState),
    SetPort(ControllerId, bool),
    Snapshot,
}

/// The commands that move LUNs, by family, with their parameter lists.
fn activation(family: usize, nexus: Nexus, lun: Lun) -> (Vec<u8>, Vec<u8>) {
    match family {
        0 => {
            let mut list = vec![0; 308];
            list[8..12].copy_from_slice(&[0x6c, 1, 1, 0x28]);
            (list[45], list[50 + usize::from(lun.0)]) = (2, 0x81);
            (vec![0x55, 0, 0, 0, 0, 0, 0, 1, 0x34, 0], list)
        }
        1 => (vec![0x15, 0x10, 0, 0, 8, 0], vec![0, 0, 0, 0, 0x22, 2, 0x81, 0xff]),
        2 => (vec![0x1b, 0, 0, 0, 1, 0], Vec::new()),
        _ => {
            let group = nexus.port.controller.index() as u8 + 1;
            (vec![0xa4, 0x0a, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0], vec![0, 0, 0, 0, 0, 0, 0, group])
        }
    }
}

/// The families: the configuration, the index of its activation command, and whether reads and
/// writes alone move a LUN.
pub(crate) fn families() -> Vec<(PersonalityConfig, usize, bool)> {
    let transition = Duration::from_millis(5);
    vec![
        (PersonalityConfig::Rdac(RdacConfig::default()), 0, false),
        (PersonalityConfig::Rdac(RdacConfig { avt: true, ..RdacConfig::default() }), 0, true),
        (PersonalityConfig::Rdac(RdacConfig { ioship: true, ..RdacConfig::default() }), 0, false),
        (PersonalityConfig::Emc(EmcConfig::default()), 1, false),
        (
            PersonalityConfig::Emc(EmcConfig {
                failover_mode: FailoverMode::AutoTrespass,
                ..EmcConfig::default()
            }),
            1,
            true,
        ),
        (PersonalityConfig::HpSw(HpSwConfig::default()), 2, false),
        (
            PersonalityConfig::HpSw(HpSwConfig {
                switch_over: transition,
                ..HpSwConfig::default()
            }),
            2,
            false,
        ),
        (PersonalityConfig::Alua(AluaConfig::default()), 3, false),
        (PersonalityConfig::Alua(AluaConfig { transition, ..AluaConfig::default() }), 3, false),
        (
            PersonalityConfig::Alua(AluaConfig { tpgs: Tpgs::Implicit, ..AluaConfig::default() }),
            3,
            false,
        ),
        (PersonalityConfig::HwHandler(HwHandlerConfig::default()), 2, false),
        (PersonalityConfig::HwHandler(HwHandlerConfig { switch_over: transition }), 2, false),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    let controller = || prop_oneof![Just(ControllerId::A), Just(ControllerId::B)];
    let who = move || (0..2_u8, controller()).prop_map(|(hba, controller)| nexus(hba, controller));
    let lun = || prop_oneof![Just(LUN0), Just(LUN1)];
    let state = prop_oneof![
        4 => Just(ControllerState::Online),
        1 => Just(ControllerState::Quiescing),
        1 => Just(ControllerState::Booting),
        1 => Just(ControllerState::Upgrading),
        1 => Just(ControllerState::Failed),
        1 => Just(ControllerState::Removed),
    ];
    prop_oneof![
        3 => (who(), lun()).prop_map(|(n, l)| Deed::TestUnitReady(n, l)),
        6 => (who(), lun(), 0..8_u64).prop_map(|(n, l, a)| Deed::Read(n, l, a)),
        6 => (who(), lun(), 0..8_u64, any::<u8>()).prop_map(|(n, l, a, v)| Deed::Write(n, l, a, v)),
        4 => (who(), lun()).prop_map(|(n, l)| Deed::Activate(n, l)),
        1 => (who(), lun(), 0..4_usize).prop_map(|(n, l, f)| Deed::Foreign(n, l, f)),
        1 => (lun(), controller()).prop_map(|(l, c)| Deed::SetOwner(l, c)),
        1 => (controller(), state).prop_map(|(c, s)| Deed::SetController(c, s)),
        1 => (controller(), prop::bool::weighted(0.8)).prop_map(|(c, p)| Deed::SetPort(c, p)),
        1 => Just(Deed::Snapshot),
    ]
}

/// The outcome of a command: response, status, sense and data.
type Reply = (ServiceResponse, Status, Option<String>, Vec<u8>);

fn send(
    array: &Array,
    now: Time,
    nexus: Nexus,
    lun: Lun,
    cdb: &[u8],
    data_out: &[u8],
    room: usize,
) -> Reply {
    let mut buffers = Bytes::new(room, data_out);
    assert_eq!(buffers.data_in_len(), room);
    let command = Command { nexus, lun, tag: 1, cdb };
    let completion = match array.submit(now, &command, &mut buffers) {
        Disposition::Complete(completion) => completion,
        Disposition::Transfer(transfer) => array.transfer(now, transfer, &mut buffers),
        Disposition::Parked(..) => panic!("there is no rule that holds anything back"),
    };
    let sense = completion.sense.map(|sense| sense.to_string());
    (completion.response, completion.status, sense, buffers.data_in)
}

fn do_it(array: &Array, now: Time, own: usize, deed: &Deed) -> Option<Reply> {
    let (nexus, lun, cdb, data_out, room) = match deed.clone() {
        Deed::TestUnitReady(nexus, lun) => (nexus, lun, TEST_UNIT_READY.to_vec(), vec![], 0),
        Deed::Read(nexus, lun, lba) => {
            (nexus, lun, read(lba, 1).to_vec(), vec![], BLOCK[usize::from(lun.0)])
        }
        Deed::Write(nexus, lun, lba, byte) => {
            (nexus, lun, write(lba, 1).to_vec(), vec![byte; BLOCK[usize::from(lun.0)]], 0)
        }
        Deed::Activate(nexus, lun) => {
            let (cdb, list) = activation(own, nexus, lun);
            (nexus, lun, cdb, list, 0)
        }
        Deed::Foreign(nexus, lun, family) => {
            let (cdb, list) = activation(family, nexus, lun);
            (nexus, lun, cdb, list, 0)
        }
        Deed::SetOwner(lun, controller) => {
            array.apply(now, Action::SetOwner { lun, controller }).unwrap();
            return None;
        }
        Deed::SetController(controller, state) => {
            array.apply(now, Action::SetController { controller, state }).unwrap();
            return None;
        }
        Deed::SetPort(controller, present) => {
            let port = PortId { controller, index: 0 };
            array.apply(now, Action::SetPort { port, present }).unwrap();
            return None;
        }
        Deed::Snapshot => return None,
    };
    Some(send(array, now, nexus, lun, &cdb, &data_out, room))
}

/// Whether this operation or an earlier one may have changed the owner of a LUN.
fn may_move(deed: &Deed, own: usize, io_moves: bool, pending: bool) -> bool {
    match deed {
        Deed::Activate(..) | Deed::SetOwner(..) => true,
        Deed::Foreign(_, _, family) => *family == own || pending,
        Deed::Read(..) | Deed::Write(..) => io_moves || pending,
        _ => pending,
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn every_family_keeps_its_rules(
        family in 0..12_usize,
        deeds in prop::collection::vec(deed(), 1..120),
    ) {
        let (personality, own, io_moves) = families().swap_remove(family);
        let slow = matches!(
            &personality,
            PersonalityConfig::HpSw(HpSwConfig { switch_over, .. })
                | PersonalityConfig::HwHandler(HwHandlerConfig { switch_over })
                if !switch_over.is_zero()
        ) || matches!(&personality, PersonalityConfig::Alua(alua) if !alua.transition.is_zero());
        let shared = match &personality {
            PersonalityConfig::Rdac(rdac) => rdac.ioship,
            PersonalityConfig::Alua(_) => true,
            _ => false,
        };
        let identity = personality.identity();
        let make = || with(FrameConfig { personality: personality.clone(), identity: identity.clone(), ..frame() });
        let array = Array::new(make(), Arc::new(Log::default())).unwrap();
        let mut twin = Array::new(make(), Arc::new(Log::default())).unwrap();
        let mut written: BTreeMap<(Lun, u64), u8> = BTreeMap::new();
        let mut asked = None;

        for (step, deed) in deeds.iter().enumerate() {
            let now = Time::from_nanos(step as u64 * 1_000_000);
            let owners = [LUN0, LUN1].map(|lun| array.owner(lun));
            // An HBA does the same when a planned event is due.
            array.notices(now, HbaId(0));
            twin.notices(now, HbaId(0));
            let reply = do_it(&array, now, own, deed);
            prop_assert_eq!(&reply, &do_it(&twin, now, own, deed), "the twin, at {}: {:?}", step, deed);
            if matches!(deed, Deed::Snapshot) {
                twin = Array::from_snapshot(&twin.snapshot(), Arc::new(Log::default())).unwrap();
            }

            let after = [LUN0, LUN1].map(|lun| array.owner(lun));
            prop_assert!(after.iter().all(Option::is_some));
            let pending = slow && asked.is_some_and(|at| step - at <= 6);
            prop_assert!(
                after == owners || may_move(deed, own, io_moves, pending),
                "{:?} moved {:?} to {:?}", deed, owners, after
            );
            if matches!(deed, Deed::Activate(..) | Deed::Foreign(..) | Deed::SetOwner(..)) {
                asked = Some(step);
            }
            let good = reply.as_ref().is_some_and(|(response, status, ..)| {
                *response == ServiceResponse::Ok && *status == Status::Good
            });
            if let (Deed::Read(nexus, lun, _) | Deed::Write(nexus, lun, ..), true) = (deed, good) {
                let owner = owners[usize::from(lun.0)];
                let serves = shared || io_moves || owner == Some(nexus.port.controller);
                prop_assert!(serves || pending, "served by who does not own it: {:?}", deed);
            }
            match (deed, &reply) {
                (Deed::Write(_, lun, lba, byte), Some(_)) if good => {
                    written.insert((*lun, *lba), *byte);
                }
                (Deed::Read(_, lun, lba), Some((_, _, _, data))) if good => {
                    let byte = written.get(&(*lun, *lba)).copied().unwrap_or(0);
                    prop_assert_eq!(data, &vec![byte; BLOCK[usize::from(lun.0)]]);
                }
                (Deed::Activate(nexus, lun), Some(_)) if good && !slow => {
                    prop_assert_eq!(array.owner(*lun), Some(nexus.port.controller));
                    let other = 1 - usize::from(lun.0);
                    let alone = !moves_all(&personality);
                    prop_assert!(!alone || after[other] == owners[other], "the other LUN moved");
                }
                _ => {}
            }
        }
    }

    /// Each pending unit attention is reported once. After as many commands as unit attentions can
    /// be pending, none is left.
    #[test]
    fn attentions_come_to_an_end(family in 0..12_usize, deeds in prop::collection::vec(deed(), 0..60)) {
        let (personality, own, _) = families().swap_remove(family);
        let identity = personality.identity();
        let array =
            Array::new(with(FrameConfig { personality, identity, ..frame() }), Arc::new(Log::default())).unwrap();
        for (step, deed) in deeds.iter().enumerate() {
            do_it(&array, Time::from_nanos(step as u64 * 1_000_000), own, deed);
        }
        let now = Time::from_nanos(10_000_000_000);
        for controller in [ControllerId::A, ControllerId::B] {
            let state = ControllerState::Online;
            array.apply(now, Action::SetController { controller, state }).unwrap();
            let port = PortId { controller, index: 0 };
            array.apply(now, Action::SetPort { port, present: true }).unwrap();
        }
        for who in [nexus(0, ControllerId::A), nexus(1, ControllerId::B)] {
            let look = || send(&array, now, who, LUN0, &TEST_UNIT_READY, &[], 0).2;
            let told: Vec<_> = std::iter::from_fn(|| look().filter(|sense| sense.starts_with("06"))).take(9).collect();
            prop_assert!(told.len() <= 8, "{:?}", told);
            let mut once = told.clone();
            once.sort();
            once.dedup();
            prop_assert_eq!(once.len(), told.len(), "told twice: {:?}", told);
        }
    }
}
