//! Each command ends exactly once, however it is delayed, held, lost, aborted or reset.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use proptest::prelude::*;
use sansim_time::Time;

use crate::{
    Action, Command, CommandFilter, ControllerId, ControllerState, Disposition, FaultRule, HbaId,
    Lose, Nexus, Notice, TaskManagement, Then, Ticket, Wait, When,
    testing::{A, B, Bytes, LUN0, LUN1, Rig, at, config, write},
};

#[derive(Debug, Clone)]
enum Deed {
    Send(Nexus),
    Wait(u64),
    Release(u8),
    Manage(Nexus, TaskManagement),
    SetController(ControllerId, ControllerState),
    /// Resumes a parked command without a notice.
    Pester,
}

fn deed() -> impl Strategy<Value = Deed> {
    let who = || prop_oneof![Just(A), Just(B)];
    let function = prop_oneof![
        (0..40_u64).prop_map(|tag| TaskManagement::AbortTask { tag }),
        Just(TaskManagement::AbortTaskSet),
        Just(TaskManagement::ClearTaskSet),
        Just(TaskManagement::LogicalUnitReset),
        Just(TaskManagement::ItNexusReset),
    ];
    let state = prop_oneof![
        2 => Just(ControllerState::Online),
        1 => Just(ControllerState::Failed),
        1 => Just(ControllerState::Quiescing),
    ];
    let controller = prop_oneof![Just(ControllerId::A), Just(ControllerId::B)];
    prop_oneof![
        8 => who().prop_map(Deed::Send),
        4 => (0..20_u64).prop_map(Deed::Wait),
        1 => (0..2_u8).prop_map(Deed::Release),
        1 => (who(), function).prop_map(|(nexus, function)| Deed::Manage(nexus, function)),
        1 => (controller, state).prop_map(|(c, s)| Deed::SetController(c, s)),
        2 => Just(Deed::Pester),
    ]
}

fn then() -> impl Strategy<Value = Then> {
    let wait = (proptest::option::of(0..30_u64), proptest::option::of(0..2_u8)).prop_map(
        |(delay, hold)| {
            Then::from(Wait {
                delay: delay.map(|delay| Duration::from_millis(delay).into()),
                hold: hold.map(|hold| format!("{hold}").into()),
            })
        },
    );
    let lose = prop_oneof![Just(Lose::Command), Just(Lose::Reply)].prop_map(Then::lost);
    prop_oneof![4 => wait, 1 => lose]
}

/// Two HBAs that follow their notices.
struct Hbas {
    rig: Rig,
    now: Time,
    sent: u64,
    ended: u64,
    parked: HashMap<Ticket, (Nexus, u64, Bytes)>,
    seen: HashSet<Ticket>,
}

impl Hbas {
    fn send(&mut self, nexus: Nexus) {
        let (tag, buffers) = (self.sent, Bytes::new(0, &[1; 512]));
        self.sent += 1;
        self.go(nexus, tag, buffers, None);
    }

    /// Submits or resumes a command, and acts on the outcome.
    fn go(&mut self, nexus: Nexus, tag: u64, mut buffers: Bytes, ticket: Option<Ticket>) {
        let lun = if nexus == A { LUN0 } else { LUN1 };
        let cdb = write(0, 0);
        let command = Command { nexus, lun, tag, cdb: &cdb };
        let outcome = match ticket {
            None => self.rig.array.submit(self.now, &command, &mut buffers),
            Some(ticket) => self.rig.array.resume(self.now, ticket, &command, &mut buffers),
        };
        match outcome {
            Disposition::Complete(_) => self.ended += 1,
            Disposition::Transfer(transfer) => {
                self.rig.array.transfer(self.now, transfer, &mut buffers);
                self.ended += 1;
            }
            Disposition::Parked(again, due) => {
                assert!(due.is_none_or(|due| due > self.now));
                match ticket {
                    Some(ticket) => assert_eq!(ticket, again),
                    None => assert!(self.seen.insert(again), "a ticket is unique"),
                }
                self.parked.insert(again, (nexus, tag, buffers));
            }
        }
    }

    /// Each HBA takes its notices and acts on them.
    fn listen(&mut self) {
        for hba in [A.hba, B.hba] {
            self.listen_as(hba);
        }
    }

    fn listen_as(&mut self, hba: HbaId) {
        for notice in self.rig.array.notices(self.now, hba) {
            let Notice::Resume(ticket) = notice else { continue };
            let (nexus, tag, buffers) = self.parked.remove(&ticket).expect("told of its own only");
            assert_eq!(nexus.hba, hba);
            self.go(nexus, tag, buffers, Some(ticket));
        }
    }

    fn apply(&self, action: Action) {
        self.rig.array.apply(self.now, action).unwrap();
    }

    fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Send(nexus) => self.send(nexus),
            Deed::Wait(millis) => self.now = self.now + Duration::from_millis(millis),
            Deed::Release(hold) => self.apply(Action::Release { hold: format!("{hold}").into() }),
            Deed::SetController(controller, state) => {
                self.apply(Action::SetController { controller, state });
            }
            Deed::Manage(nexus, function) => {
                let lun = if nexus == A { LUN0 } else { LUN1 };
                let (_, ended) = self.rig.array.task_management(self.now, nexus, lun, function);
                for (ticket, _) in ended {
                    let (owner, ..) = self.parked.remove(&ticket).expect("ended once");
                    assert_eq!(owner.hba, nexus.hba);
                    self.ended += 1;
                }
            }
            Deed::Pester => {
                let Some(&ticket) = self.parked.keys().min() else { return };
                let (nexus, tag, buffers) = self.parked.remove(&ticket).unwrap();
                self.go(nexus, tag, buffers, Some(ticket));
            }
        }
        self.listen();
    }
}

proptest! {
    #[test]
    fn each_command_ends_exactly_once(
        rules in prop::collection::vec(then(), 0..4),
        deeds in prop::collection::vec(deed(), 0..80),
    ) {
        let rig = Rig::new(config()).settled();
        let count = rules.len().max(1) as u64;
        for (number, then) in rules.into_iter().enumerate() {
            let matches = crate::Matches::Every(count + number as u64);
            let when = When { matches, ..When::default() };
            let any = CommandFilter::default();
            let rule = FaultRule { when, ..FaultRule::on_commands(format!("{number}"), any, then) };
            rig.array.apply(at(0), Action::AddRule(Box::new(rule))).unwrap();
        }
        let (parked, seen) = (HashMap::new(), HashSet::new());
        let mut hbas = Hbas { rig, now: at(0), sent: 0, ended: 0, parked, seen };
        for deed in deeds {
            hbas.act(deed);
            prop_assert_eq!(hbas.sent, hbas.ended + hbas.parked.len() as u64);
            prop_assert_eq!(hbas.rig.records().len() as u64, hbas.ended);
        }
        // Finally everything is released and every delay has expired.
        for deed in [Deed::Release(0), Deed::Release(1), Deed::Wait(60_000), Deed::Wait(1)] {
            hbas.act(deed);
        }
        prop_assert_eq!(hbas.ended, hbas.sent);
        let mut order: Vec<_> = hbas.rig.records().iter().map(|record| record.seq).collect();
        order.sort_unstable();
        prop_assert!(order.windows(2).all(|pair| pair[0] + 1 == pair[1]), "none twice");
    }
}
