//! Each command ends exactly once, however it is delayed, held, lost, aborted or reset.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use arbitrary::{Result, Unstructured};
use sansim_time::Time;

use crate::{
    Action, Command, CommandFilter, ControllerId, ControllerState, Disposition, FaultRule,
    FunctionFate, FunctionThen, HbaId, Lose, Lun, Matches, Nexus, Notice, TaskManagement, Then,
    Ticket, TmfMatcher, TmfResponse, Wait, When,
    testing::{A, B, Bytes, LUN0, LUN1, NO_LUN, Rig, at, config, write},
};

/// Most deeds of one input.
const DEEDS: usize = 200;

#[derive(Debug, Clone)]
enum Deed {
    Send(Nexus, Lun),
    Wait(u64),
    Release(u8),
    Manage(Nexus, Lun, TaskManagement),
    SetController(ControllerId, ControllerState),
    /// Resumes a parked command without a notice.
    Pester,
}

impl Deed {
    fn of(input: &mut Unstructured<'_>) -> Result<Deed> {
        let kind: u8 = input.arbitrary()?;
        let nexus = if kind & 1 == 0 { A } else { B };
        let lun = if kind & 2 == 0 { LUN0 } else { LUN1 };
        Ok(match kind >> 2 {
            0..=23 => Deed::Send(nexus, lun),
            24..=35 => Deed::Wait(input.int_in_range(0..=19)?),
            36..=39 => Deed::Release(kind & 1),
            40..=51 => {
                let lun = if kind >> 2 == 40 { NO_LUN } else { lun };
                Deed::Manage(nexus, lun, function(input)?)
            }
            52..=56 => {
                let states =
                    [ControllerState::Online, ControllerState::Failed, ControllerState::Quiescing];
                Deed::SetController(nexus.port.controller, *input.choose(&states)?)
            }
            _ => Deed::Pester,
        })
    }
}

/// A function of SAM-5. The tags are those of the first commands, and some that no command has.
fn function(input: &mut Unstructured<'_>) -> Result<TaskManagement> {
    let tag = u64::from(input.arbitrary::<u8>()? >> 2);
    let functions = [
        TaskManagement::AbortTask { tag },
        TaskManagement::QueryTask { tag },
        TaskManagement::AbortTaskSet,
        TaskManagement::ClearTaskSet,
        TaskManagement::ClearAca,
        TaskManagement::LogicalUnitReset,
        TaskManagement::ItNexusReset,
        TaskManagement::QueryTaskSet,
    ];
    input.choose(&functions).copied()
}

/// A rule that holds commands back, or that overrides functions.
fn rule(number: u64, input: &mut Unstructured<'_>) -> Result<FaultRule> {
    let name = format!("{number}");
    let kind: u8 = input.arbitrary()?;
    let any = CommandFilter::default;
    let wait = |delay: bool, hold: bool| {
        let after = Duration::from_millis(u64::from(kind & 31));
        let gate = || format!("{}", kind & 1).into();
        Then::from(Wait { delay: delay.then(|| after.into()), hold: hold.then(gate) })
    };
    let instead = |fate| {
        let then = FunctionThen { fate, ..FunctionThen::default() };
        FaultRule::on_functions(format!("{number}"), TmfMatcher::Any, then)
    };
    let mut rule = match kind >> 5 {
        0 | 1 => FaultRule::on_commands(name, any(), wait(true, false)),
        2 => FaultRule::on_commands(name, any(), wait(false, true)),
        3 => FaultRule::on_commands(name, any(), wait(true, true)),
        4 => FaultRule::on_commands(name, any(), Then::lost(Lose::Command)),
        5 => FaultRule::on_commands(name, any(), Then::lost(Lose::Reply)),
        6 => instead(FunctionFate::Lost),
        _ => instead(FunctionFate::Answered(TmfResponse::Rejected)),
    };
    rule.when = When { matches: Matches::Every(2 + number), ..When::default() };
    Ok(rule)
}

/// Two HBAs that follow their notices.
struct Hbas {
    rig: Rig,
    now: Time,
    sent: u64,
    ended: u64,
    parked: HashMap<Ticket, (Nexus, Lun, u64, Bytes)>,
    seen: HashSet<Ticket>,
}

impl Hbas {
    fn send(&mut self, nexus: Nexus, lun: Lun) {
        let (tag, buffers) = (self.sent, Bytes::new(0, &[1; 512]));
        self.sent += 1;
        self.go(nexus, lun, tag, buffers, None);
    }

    /// Submits or resumes a command, and acts on the outcome.
    fn go(&mut self, nexus: Nexus, lun: Lun, tag: u64, mut buffers: Bytes, ticket: Option<Ticket>) {
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
                self.parked.insert(again, (nexus, lun, tag, buffers));
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
            let (nexus, lun, tag, buffers) =
                self.parked.remove(&ticket).expect("told of its own only");
            assert_eq!(nexus.hba, hba);
            self.go(nexus, lun, tag, buffers, Some(ticket));
        }
    }

    fn apply(&self, action: Action) {
        self.rig.array.apply(self.now, action).unwrap();
    }

    fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Send(nexus, lun) => self.send(nexus, lun),
            Deed::Wait(millis) => self.now = self.now + Duration::from_millis(millis),
            Deed::Release(hold) => self.apply(Action::Release { hold: format!("{hold}").into() }),
            Deed::SetController(controller, state) => {
                self.apply(Action::SetController { controller, state });
            }
            Deed::Manage(nexus, lun, function) => {
                let (_, ended) = self.rig.array.task_management(self.now, nexus, lun, function);
                for (ticket, _) in ended {
                    let (owner, ..) = self.parked.remove(&ticket).expect("ended once");
                    assert_eq!(owner.hba, nexus.hba);
                    self.ended += 1;
                }
            }
            Deed::Pester => {
                let Some(&ticket) = self.parked.keys().min() else { return };
                let (nexus, lun, tag, buffers) = self.parked.remove(&ticket).unwrap();
                self.go(nexus, lun, tag, buffers, Some(ticket));
            }
        }
        self.listen();
    }
}

/// Any sequence of deeds, with rules that hold back commands or override functions.
fn task_management(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let rig = Rig::new(config()).settled();
    let rules = input.int_in_range(0..=3).unwrap_or_default();
    for number in 0..rules {
        let Ok(rule) = rule(number, &mut input) else { return };
        rig.array.apply(at(0), Action::AddRule(Box::new(rule))).unwrap();
    }
    let (parked, seen) = (HashMap::new(), HashSet::new());
    let mut hbas = Hbas { rig, now: at(0), sent: 0, ended: 0, parked, seen };
    for _ in 0..DEEDS {
        if input.is_empty() {
            break;
        }
        let Ok(deed) = Deed::of(&mut input) else { break };
        hbas.act(deed);
        assert_eq!(hbas.sent, hbas.ended + hbas.parked.len() as u64);
        assert_eq!(hbas.rig.log.commands.lock().unwrap().len() as u64, hbas.ended);
    }
    // Finally everything is released and every delay has expired.
    for deed in [Deed::Release(0), Deed::Release(1), Deed::Wait(60_000), Deed::Wait(1)] {
        hbas.act(deed);
    }
    assert_eq!(hbas.ended, hbas.sent);
    let mut order: Vec<_> = hbas.rig.records().iter().map(|record| record.seq).collect();
    order.sort_unstable();
    assert!(order.windows(2).all(|pair| pair[0] + 1 == pair[1]), "none twice");
}

#[test]
fn each_command_ends_exactly_once() {
    sansim_fuzz::fuzz("tmfs", task_management);
}
