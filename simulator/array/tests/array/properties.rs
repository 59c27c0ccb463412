//! The array agrees with the model for any sequence of commands and steps.

use proptest::prelude::*;

use crate::{
    Action, Changed, ControllerId, ControllerState, Lun, Nexus, ServiceResponse, TaskManagement,
    model::{BLOCK, Expected, Model, index},
    testing::{LUN0, LUN1, Reply, Rig, TEST_UNIT_READY, at, cdb16, config, nexus, read, write},
};

/// An operation on the array and on the model.
#[derive(Debug, Clone)]
enum Deed {
    TestUnitReady(Nexus, Lun),
    Ownership(Nexus, Lun),
    Read(Nexus, Lun, u64, u32),
    Write(Nexus, Lun, u64, u32, u8),
    WriteSame(Nexus, Lun, u64, u32, u8),
    Unmap(Nexus, Lun, u64, u32),
    /// MODE SELECT of the rdac page: the nexus, the addressed LUN, the LUNs to move, and whether
    /// the short form is used.
    Transfer(Nexus, Lun, Vec<Lun>, bool),
    SetOwner(Lun, ControllerId),
    SetController(ControllerId, ControllerState),
    Attention(Nexus, Lun, u8),
    AttentionForAll(u8),
    ResetUnit(Nexus, Lun),
}

fn deed() -> impl Strategy<Value = Deed> {
    let controller = || prop_oneof![Just(ControllerId::A), Just(ControllerId::B)];
    let who = move || (0..2_u8, controller()).prop_map(|(hba, controller)| nexus(hba, controller));
    let lun = || prop_oneof![Just(LUN0), Just(LUN1)];
    // Only a few blocks, so that accesses overlap. Some are at the end of the 256 blocks of LUN 1.
    let lba = || prop_oneof![0..12_u64, 250..260_u64, Just(2047)];
    let luns = || proptest::sample::subsequence(vec![LUN0, LUN1], 0..=2);
    let state = || {
        prop_oneof![
            4 => Just(ControllerState::Online),
            1 => Just(ControllerState::Quiescing),
            1 => Just(ControllerState::Booting),
            1 => Just(ControllerState::Upgrading),
            1 => Just(ControllerState::Offline),
            1 => Just(ControllerState::Failed),
        ]
    };
    prop_oneof![
        4 => (who(), lun()).prop_map(|(n, l)| Deed::TestUnitReady(n, l)),
        2 => (who(), lun()).prop_map(|(n, l)| Deed::Ownership(n, l)),
        8 => (who(), lun(), lba(), 0..6_u32).prop_map(|(n, l, a, b)| Deed::Read(n, l, a, b)),
        8 => (who(), lun(), lba(), 0..6_u32, any::<u8>())
            .prop_map(|(n, l, a, b, v)| Deed::Write(n, l, a, b, v)),
        2 => (who(), lun(), lba(), 1..6_u32, any::<u8>())
            .prop_map(|(n, l, a, b, v)| Deed::WriteSame(n, l, a, b, v)),
        2 => (who(), lun(), lba(), 0..6_u32).prop_map(|(n, l, a, b)| Deed::Unmap(n, l, a, b)),
        6 => (who(), lun(), luns(), any::<bool>())
            .prop_map(|(n, l, which, short)| Deed::Transfer(n, l, which, short)),
        1 => (lun(), controller()).prop_map(|(l, c)| Deed::SetOwner(l, c)),
        1 => (controller(), state()).prop_map(|(c, s)| Deed::SetController(c, s)),
        1 => (who(), lun(), 0..3_u8).prop_map(|(n, l, q)| Deed::Attention(n, l, q)),
        1 => (0..3_u8).prop_map(Deed::AttentionForAll),
        1 => (who(), lun()).prop_map(|(n, l)| Deed::ResetUnit(n, l)),
    ]
}

/// The MODE SELECT that Linux builds (rdac:rdac_failover_get).
fn transfer(luns: &[Lun], short: bool) -> (Vec<u8>, Vec<u8>) {
    let (cdb, len, page, mode, table): (&[u8], _, &[u8], _, _) = if short {
        (&[0x15, 0, 0, 0, 110, 0], 110, &[0, 0, 0, 0, 0x2c, 0x68], 39, 44)
    } else {
        let page = &[0, 0, 0, 0, 0, 0, 0, 0, 0x6c, 1, 1, 0x28];
        (&[0x55, 0, 0, 0, 0, 0, 0, 1, 0x34, 0], 308, page, 45, 50)
    };
    let mut list = vec![0; len];
    list[..page.len()].copy_from_slice(page);
    list[mode] = 2;
    luns.iter().for_each(|lun| list[table + usize::from(lun.0)] = 0x81);
    (cdb.to_vec(), list)
}

/// Applies the operation to the array, and returns the reply to a command.
fn act(rig: &Rig, deed: &Deed) -> Option<Reply> {
    let apply = |action| {
        rig.array.apply(at(1), action).unwrap();
        None
    };
    let room = 6 * 4096;
    match deed.clone() {
        Deed::TestUnitReady(nexus, lun) => Some(rig.send(nexus, lun, &TEST_UNIT_READY, &[], 0)),
        Deed::Ownership(nexus, lun) => {
            Some(rig.send(nexus, lun, &[0x12, 1, 0xc9, 0, 48, 0], &[], 48))
        }
        Deed::Read(nexus, lun, lba, blocks) => {
            Some(rig.send(nexus, lun, &read(lba, blocks), &[], room))
        }
        Deed::Write(nexus, lun, lba, blocks, byte) => {
            Some(rig.send(nexus, lun, &write(lba, blocks), &vec![byte; room], 0))
        }
        Deed::WriteSame(nexus, lun, lba, blocks, byte) => {
            let block = vec![byte; BLOCK[index(lun)]];
            Some(rig.send(nexus, lun, &cdb16(0x93, lba, blocks), &block, 0))
        }
        Deed::Unmap(nexus, lun, lba, blocks) => {
            let (lba, blocks) = (lba.to_be_bytes(), blocks.to_be_bytes());
            let list = [&[0, 22, 0, 16, 0, 0, 0, 0], &lba[..], &blocks, &[0; 4]].concat();
            Some(rig.send(nexus, lun, &[0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0], &list, 0))
        }
        Deed::Transfer(nexus, lun, luns, short) => {
            let (cdb, list) = transfer(&luns, short);
            Some(rig.send(nexus, lun, &cdb, &list, 0))
        }
        Deed::SetOwner(lun, controller) => apply(Action::SetOwner { lun, controller }),
        Deed::SetController(controller, state) => {
            apply(Action::SetController { controller, state })
        }
        Deed::Attention(nexus, lun, ascq) => {
            let sense = crate::Sense::new(6, 0x3f, ascq);
            apply(Action::UnitAttention { to: nexus.into(), lun: Some(lun), sense })
        }
        Deed::AttentionForAll(ascq) => {
            let sense = crate::Sense::new(6, 0x3f, ascq);
            apply(Action::UnitAttention { to: crate::NexusPattern::ALL, lun: None, sense })
        }
        Deed::ResetUnit(nexus, lun) => {
            rig.array.task_management(at(1), nexus, lun, TaskManagement::LogicalUnitReset);
            None
        }
    }
}

/// Applies the operation to the model, and returns the expected outcome of a command.
fn expect(model: &mut Model, deed: &Deed) -> Option<Expected> {
    match deed.clone() {
        Deed::TestUnitReady(nexus, lun) => {
            Some(model.before(nexus, lun, false).unwrap_or(Expected::Good(vec![])))
        }
        Deed::Ownership(nexus, lun) => Some(model.before(nexus, lun, true).unwrap_or_else(|| {
            Expected::Good(vec![u8::from(model.owners[index(lun)] == nexus.port.controller)])
        })),
        Deed::Read(nexus, lun, lba, blocks) => Some(
            model
                .before_access(nexus, lun, lba, blocks)
                .unwrap_or_else(|| Expected::Good(model.read(lun, lba, blocks))),
        ),
        Deed::Write(nexus, lun, lba, blocks, byte)
        | Deed::WriteSame(nexus, lun, lba, blocks, byte) => {
            Some(overwrite(model, nexus, lun, lba, blocks, byte))
        }
        Deed::Unmap(nexus, lun, lba, blocks) => Some(overwrite(model, nexus, lun, lba, blocks, 0)),
        Deed::Transfer(nexus, lun, luns, _) => {
            Some(model.before(nexus, lun, false).unwrap_or_else(|| {
                luns.iter().for_each(|lun| model.owners[index(*lun)] = nexus.port.controller);
                Expected::Good(vec![])
            }))
        }
        Deed::SetOwner(lun, controller) => {
            model.owners[index(lun)] = controller;
            None
        }
        Deed::SetController(controller, state) => {
            set_controller(model, controller, state);
            None
        }
        Deed::Attention(nexus, lun, ascq) => {
            model.tell_one(nexus, lun, &format!("06/3f/{ascq:02x}"));
            None
        }
        Deed::AttentionForAll(ascq) => {
            model.tell(&format!("06/3f/{ascq:02x}"), |_, _| true);
            None
        }
        Deed::ResetUnit(nexus, lun) => {
            use ControllerState::{Failed, Offline};
            if !matches!(model.states[nexus.port.controller.index()], Failed | Offline) {
                model.tell("06/29/03", |who, what| what == lun && who != nexus);
            }
            None
        }
    }
}

fn overwrite(
    model: &mut Model,
    nexus: Nexus,
    lun: Lun,
    lba: u64,
    blocks: u32,
    byte: u8,
) -> Expected {
    model.before_access(nexus, lun, lba, blocks).unwrap_or_else(|| {
        model.write(lun, lba, blocks, byte);
        Expected::Good(vec![])
    })
}

fn set_controller(model: &mut Model, controller: ControllerId, to: ControllerState) {
    use ControllerState::{Failed, Offline, Upgrading};
    let from = std::mem::replace(&mut model.states[controller.index()], to);
    let was_off = matches!(from, Failed | Offline | Upgrading);
    if was_off && !matches!(to, Failed | Offline | Upgrading) {
        model.tell("06/29/00", |who, _| who.port.controller == controller);
    }
}

/// Converts a reply for comparison with the model. Of VPD page C9h, only the owner is compared.
fn seen(deed: &Deed, reply: Reply) -> Expected {
    let completion = reply.completion;
    match (completion.response, completion.sense) {
        (ServiceResponse::BadTarget, None) => Expected::Silence,
        (ServiceResponse::Ok, Some(sense)) => Expected::Sense(sense.to_string()),
        (ServiceResponse::Ok, None) if matches!(deed, Deed::Ownership(..)) => {
            Expected::Good(vec![reply.data[8] & 1])
        }
        (ServiceResponse::Ok, None) => Expected::Good(reply.data),
        other => panic!("{other:?}"),
    }
}

fn owners(rig: &Rig) -> [ControllerId; 2] {
    [LUN0, LUN1].map(|lun| rig.array.owner(lun).unwrap())
}

/// The owners after all reported moves. Each move must start from the previous owner.
fn reported_owners(rig: &Rig) -> [ControllerId; 2] {
    let mut owners = [ControllerId::A, ControllerId::B];
    for change in rig.changes() {
        if let Changed::Owner { lun, from, to, .. } = change {
            assert_eq!(owners[index(lun)], from);
            assert_ne!(from, to);
            owners[index(lun)] = to;
        }
    }
    owners
}

proptest! {
    /// A read returns the data that was last written. A unit attention is reported once to each
    /// nexus. Ownership changes only by the rdac page and by steps. At all times, a LUN has exactly
    /// one owner, and only the owner serves it.
    #[test]
    fn the_array_does_what_the_model_says(deeds in prop::collection::vec(deed(), 0..80)) {
        let (rig, mut model) = (Rig::new(config()), Model::new());
        for (number, deed) in deeds.iter().enumerate() {
            let expected = expect(&mut model, deed);
            let seen = act(&rig, deed).map(|reply| seen(deed, reply));
            prop_assert_eq!(seen, expected, "deed {}: {:?}", number, deed);
            prop_assert_eq!(owners(&rig), model.owners);
        }
        prop_assert_eq!(reported_owners(&rig), model.owners);
    }

    /// The same calls return the same bytes and make the same reports, also from a snapshot on.
    #[test]
    fn the_same_calls_give_the_same_bytes(
        before in prop::collection::vec(deed(), 0..30),
        after in prop::collection::vec(deed(), 0..30),
    ) {
        let run = |rig: &Rig, deeds: &[Deed]| {
            deeds.iter().map(|deed| act(rig, deed)).collect::<Vec<_>>()
        };
        let rigs = [Rig::new(config()), Rig::new(config())];
        prop_assert_eq!(run(&rigs[0], &before), run(&rigs[1], &before));
        prop_assert_eq!(rigs[0].records(), rigs[1].records());
        prop_assert_eq!(rigs[0].changes(), rigs[1].changes());
        let log = std::sync::Arc::new(crate::testing::Log::default());
        let array = crate::Array::from_snapshot(&rigs[0].array.snapshot(), log.clone()).unwrap();
        let copy = Rig { array, log };
        prop_assert_eq!(run(&copy, &after), run(&rigs[0], &after));
        prop_assert_eq!(&rigs[0].records()[rigs[1].records().len()..], &copy.records()[..]);
    }
}
