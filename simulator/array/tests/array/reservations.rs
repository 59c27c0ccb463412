//! Reservations against their model.

use proptest::prelude::*;

use crate::{
    Action, ControllerId, ControllerState, Nexus, ServiceResponse, Status, TaskManagement,
    reservation_model::{Answer, Out, Reservations, name, ports},
    reservation_tables::{TABLE, expect_operation},
    testing::{
        LUN0, Reply, Rig, at, config, nexus, persistent_in, persistent_list, persistent_out,
    },
};

/// The nexuses that send commands: two HBAs, each through a port of each controller.
pub(crate) fn speakers() -> [Nexus; 4] {
    let (a, b) = (ControllerId::A, ControllerId::B);
    [nexus(0, a), nexus(1, a), nexus(0, b), nexus(1, b)]
}

/// An operation on the array and on the model.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// PERSISTENT RESERVE OUT. If no key is given, it uses the key that the nexus has registered.
    Out(Nexus, Option<u64>, Out),
    In(Nexus, u8),
    Reserve(Nexus, bool),
    Operation(Nexus, usize),
    ResetUnit(Nexus),
    ResetNexus(Nexus),
    SetOwner(ControllerId),
    Restart(ControllerId),
    LosePower,
}

fn out() -> impl Strategy<Value = Out> {
    let kind = prop_oneof![20 => prop::sample::select(vec![1, 3, 5, 6, 7, 8]), 1 => 0..16_u8];
    let flags = prop_oneof![
        3 => Just(0),
        1 => Just(0x01),
        1 => Just(0x02),
        1 => Just(0x04),
        1 => Just(0x08),
        1 => 0..16_u8,
    ];
    let action = prop_oneof![6 => Just(0), 4 => Just(1), 1 => Just(3), 6 => 0..8_u8];
    let hbas = prop::collection::vec(0..3_u8, 0..3);
    let to = (0..2_u8, prop::sample::select(ports()))
        .prop_map(|(hba, port)| Nexus { hba: crate::HbaId(hba), port });
    (action, kind, 0..4_u64, flags, hbas, to).prop_map(|(action, kind, new, flags, hbas, to)| Out {
        action,
        kind,
        key: 0,
        new,
        flags,
        hbas,
        to,
    })
}

fn deed() -> impl Strategy<Value = Deed> {
    let who = || prop::sample::select(speakers().to_vec());
    let controller = || prop::sample::select(vec![ControllerId::A, ControllerId::B]);
    let key = prop_oneof![5 => Just(None), 1 => (0..4_u64).prop_map(Some)];
    prop_oneof![
        24 => (who(), key, out()).prop_map(|(nexus, key, out)| Deed::Out(nexus, key, out)),
        6 => (who(), 0..4_u8).prop_map(|(nexus, action)| Deed::In(nexus, action)),
        3 => (who(), any::<bool>()).prop_map(|(nexus, reserve)| Deed::Reserve(nexus, reserve)),
        16 => (who(), 0..TABLE.len()).prop_map(|(nexus, row)| Deed::Operation(nexus, row)),
        1 => who().prop_map(Deed::ResetUnit),
        1 => who().prop_map(Deed::ResetNexus),
        1 => controller().prop_map(Deed::SetOwner),
        1 => controller().prop_map(Deed::Restart),
        1 => Just(Deed::LosePower),
    ]
}

/// The parameter list of PERSISTENT RESERVE OUT.
fn list(out: &Out) -> Vec<u8> {
    let mut list = persistent_list(out.key, out.new, out.flags).to_vec();
    if out.action == 7 {
        let relative = 1 + ports().iter().position(|port| *port == out.to.port).unwrap();
        list[17..24].copy_from_slice(&[out.flags, 0, relative as u8, 0, 0, 0, 24]);
        list.extend(name(out.to.hba.0));
    } else if out.flags & 0x08 != 0 {
        list.extend((24 * out.hbas.len() as u32).to_be_bytes());
        list.extend(out.hbas.iter().flat_map(|hba| name(*hba)));
    }
    list
}

fn set(rig: &Rig, controllers: &[ControllerId], state: ControllerState) {
    for controller in controllers.iter().copied() {
        rig.array.apply(at(1), Action::SetController { controller, state }).unwrap();
    }
}

/// Applies the operation to the array, and returns the reply to a command.
pub(crate) fn act(rig: &Rig, deed: &Deed) -> Option<Reply> {
    let send = |nexus, cdb: &[u8], out: &[u8]| Some(rig.send(nexus, LUN0, cdb, out, 8192));
    match deed {
        Deed::Out(nexus, _, out) => {
            let list = list(out);
            send(*nexus, &persistent_out(out.action, out.kind, list.len()), &list)
        }
        Deed::In(nexus, action) => send(*nexus, &persistent_in(*action), &[]),
        Deed::Reserve(nexus, reserve) => {
            send(*nexus, &[if *reserve { 0x16 } else { 0x17 }, 0, 0, 0, 0, 0], &[])
        }
        Deed::Operation(nexus, row) => send(*nexus, TABLE[*row].1, &[0; 512]),
        Deed::ResetUnit(nexus) => {
            rig.array.task_management(at(1), *nexus, LUN0, TaskManagement::LogicalUnitReset);
            None
        }
        Deed::ResetNexus(nexus) => {
            rig.array.task_management(at(1), *nexus, LUN0, TaskManagement::ItNexusReset);
            None
        }
        Deed::SetOwner(controller) => {
            let controller = *controller;
            rig.array.apply(at(1), Action::SetOwner { lun: LUN0, controller }).unwrap();
            None
        }
        Deed::Restart(controller) => {
            set(rig, &[*controller], ControllerState::Failed);
            set(rig, &[*controller], ControllerState::Online);
            None
        }
        Deed::LosePower => {
            let both = [ControllerId::A, ControllerId::B];
            set(rig, &both, ControllerState::Failed);
            set(rig, &both, ControllerState::Online);
            None
        }
    }
}

/// Applies the operation to the model, and returns the expected outcome of a command.
fn expect(model: &mut Reservations, deed: &Deed) -> Option<Answer> {
    let before = |model: &mut Reservations, nexus, inquiry| match model
        .array
        .before(nexus, LUN0, inquiry)?
    {
        crate::model::Expected::Sense(sense) => Some(Answer::Sense(sense)),
        other => panic!("{other:?}"),
    };
    match deed {
        Deed::Out(nexus, _, out) => {
            before(model, *nexus, false).or_else(|| Some(model.out(*nexus, out)))
        }
        Deed::In(_, 2) => None,
        Deed::In(nexus, action) => {
            before(model, *nexus, false).or_else(|| Some(model.report(*action)))
        }
        Deed::Reserve(nexus, reserve) => {
            before(model, *nexus, false).or_else(|| Some(model.old(*nexus, *reserve)))
        }
        Deed::Operation(nexus, row) => expect_operation(model, *nexus, &TABLE[*row], before),
        Deed::ResetUnit(nexus) => {
            model.reserved = None;
            model.array.tell("06/29/03", |who, _| who != *nexus);
            None
        }
        Deed::ResetNexus(nexus) => {
            model.reserved = model.reserved.filter(|it| it != nexus);
            model.array.tell("06/29/07", |who, _| who == *nexus);
            None
        }
        Deed::SetOwner(controller) => {
            model.array.owners[0] = *controller;
            None
        }
        Deed::Restart(controller) => {
            let here = |nexus: Nexus| nexus.port.controller == *controller;
            model.reserved = model.reserved.filter(|it| !here(*it));
            model.array.tell("06/29/00", |who, _| here(who));
            None
        }
        Deed::LosePower => {
            model.lose_power();
            model.array.tell("06/29/00", |_, _| true);
            None
        }
    }
}

/// Converts a reply for comparison with the model. For operations other than reservation commands,
/// the data is ignored.
pub(crate) fn seen(deed: &Deed, reply: Reply) -> Option<Answer> {
    let Reply { completion, data } = reply;
    assert_eq!(completion.response, ServiceResponse::Ok);
    match (deed, completion.status) {
        (Deed::In(_, 2), _) => None,
        (_, Status::ReservationConflict) => Some(Answer::Conflict),
        (_, Status::CheckCondition) => Some(Answer::Sense(completion.sense.unwrap().to_string())),
        (Deed::Operation(..), Status::Good) => Some(Answer::Good(Vec::new())),
        (_, Status::Good) => Some(Answer::Good(data)),
        other => panic!("{other:?}"),
    }
}

/// An invariant of the model, and therefore of an array that agrees with it.
fn is_sound(model: &Reservations) -> bool {
    let holders = model.keys.iter().filter(|it| model.holds(it.0)).count();
    match model.kind {
        0 => holders == 0,
        7 | 8 => holders == model.keys.len() && holders > 0,
        _ => holders == 1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Every answer agrees with the model, whatever is registered, reserved, preempted, moved,
    /// reset or powered off. PERSISTENT RESERVE IN returns the state of the model.
    #[test]
    fn reservations_do_what_the_model_says(deeds in prop::collection::vec(deed(), 0..120)) {
        let (rig, mut model) = (Rig::new(config()), Reservations::new());
        for (number, mut deed) in deeds.into_iter().enumerate() {
            if let Deed::Out(nexus, key, out) = &mut deed {
                out.key = key.unwrap_or(model.key(*nexus));
            }
            if let Deed::In(nexus, 2) = deed {
                // The data does not depend on the nexus, but the nexus may have to receive a unit
                // attention first.
                deed = Deed::In(nexus, 3);
            }
            let expected = expect(&mut model, &deed);
            let answer = act(&rig, &deed).and_then(|reply| seen(&deed, reply));
            prop_assert_eq!(answer, expected, "deed {}: {:?}", number, deed);
            prop_assert!(is_sound(&model), "deed {}: {:?}: {:?}", number, deed, model);
        }
    }
}
