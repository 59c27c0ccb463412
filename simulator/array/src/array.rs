//! The array: who owns what, and who waits for what.
//!
//! [`Array`] is the outside: it takes the lock, lets [`state::State`] decide, and after the lock is
//! released moves data, reports and rings doorbells.

mod agenda;
mod apply;
mod arrival;
mod build;
mod link;
mod notices;
mod ownership;
mod parked;
mod plans;
mod ports;
mod report;
mod reserve;
mod serve;
mod snapshot;
mod state;
mod task;
mod volumes;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use sansim_time::Time;

use self::{
    arrival::Arrival,
    report::Report,
    state::{State, Step},
};
pub use self::{
    arrival::{Outcome, Transfer},
    snapshot::ArraySnapshot,
};
use crate::{
    command::{Buffers, Command},
    completion::{Completion, Ticket},
    config::ArrayConfig,
    error::ConfigError,
    fault::{Action, ActionError},
    ids::{ControllerId, HbaId, Lun, Nexus},
    notice::Notice,
    observe::Observer,
    scsi::{access, corrupt},
    status::ServiceResponse,
    task_management::{TaskManagement, TmfResponse},
    wire::Wire,
};

/// Tells an HBA that notices wait for it.
type Doorbell = Arc<dyn Fn() + Send + Sync>;

/// An array, shared by all HBAs that see it.
pub struct Array {
    state: Mutex<State>,
    observer: Arc<dyn Observer>,
    bells: Mutex<BTreeMap<HbaId, Doorbell>>,
    /// The time from which [`Array::notices`] may find something, in nanoseconds: 0 when notices
    /// wait, otherwise when the next parked command is due. Saves taking the lock to find nothing.
    news_from: AtomicU64,
    /// When the array does something by itself the next time, in nanoseconds.
    next_event: AtomicU64,
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array").field("luns", &self.luns()).finish_non_exhaustive()
    }
}

impl Array {
    /// An array as configured, with all controllers online, in [`crate::Stage::Discovery`].
    ///
    /// # Errors
    ///
    /// What a configuration cannot be is in [`ConfigError`]; memory for a LUN's contents may also be
    /// refused by the operating system.
    pub fn new(config: ArrayConfig, observer: Arc<dyn Observer>) -> Result<Array, ConfigError> {
        Ok(Array::with_state(State::new(config)?, observer))
    }

    /// An array as it was when the snapshot was taken; nobody is attached to it.
    ///
    /// # Errors
    ///
    /// The operating system may refuse memory for a LUN's contents.
    pub fn from_snapshot(
        snapshot: &ArraySnapshot,
        observer: Arc<dyn Observer>,
    ) -> Result<Array, ConfigError> {
        Ok(Array::with_state(snapshot.restore()?, observer))
    }

    fn with_state(state: State, observer: Arc<dyn Observer>) -> Array {
        let news_from = AtomicU64::new(state.news_from());
        let next_event = AtomicU64::new(state.next_event());
        let bells = Mutex::default();
        Array { state: Mutex::new(state), observer, bells, news_from, next_event }
    }

    /// Decides about a command. One without medium access is carried out at once, under the lock; a
    /// medium access comes back as [`Outcome::Transfer`].
    pub fn submit(&self, now: Time, command: &Command<'_>, buffers: &mut dyn Buffers) -> Outcome {
        let mut wire = Wire::new(buffers);
        let (step, report) = self.locked(|state, report| {
            state.catch_up(now, report);
            let arrival = state.arrive(now, command, wire.residual());
            state.decide(now, arrival, &mut wire, report)
        });
        self.finish(now, step, report, &mut wire)
    }

    /// Goes on with a parked command whose time has come or that was released. No fault rule is tried
    /// on it again, but everything else is: the controller may have failed in the meantime. One whose
    /// time has not come is parked on; of an unknown ticket the command is taken for aborted. The
    /// command and its buffers are those that were submitted.
    pub fn resume(
        &self,
        now: Time,
        ticket: Ticket,
        command: &Command<'_>,
        buffers: &mut dyn Buffers,
    ) -> Outcome {
        let _ = command; // What counts of it is remembered.
        let mut wire = Wire::new(buffers);
        let (step, report) = self.locked(|state, report| {
            state.catch_up(now, report);
            state.go_on(now, ticket, &mut wire, report)
        });
        self.finish(now, step, report, &mut wire)
    }

    /// Moves the data of a medium access straight between the LUN's contents and the buffers, under
    /// no lock but that of the LUN's contents, and reports the command.
    pub fn transfer(&self, now: Time, transfer: Transfer, buffers: &mut dyn Buffers) -> Completion {
        let mut wire = Wire::new(buffers);
        let completion = move_data(&transfer, &mut wire);
        self.complete(now, transfer.arrival, completion)
    }

    /// Task management. The tickets are those of the asking HBA's commands that it ended, each with
    /// how it is to be completed: complete them before answering the function, since Linux polls its
    /// queues only once after it (virtio_scsi:virtscsi_tmf). Other HBAs hear of theirs by notice. No
    /// response means that the function is never answered.
    pub fn task_management(
        &self,
        now: Time,
        nexus: Nexus,
        lun: Lun,
        function: TaskManagement,
    ) -> (Option<TmfResponse>, Vec<(Ticket, Completion)>) {
        let ((response, ended), report) = self.locked(|state, report| {
            state.catch_up(now, report);
            state.task_management(now, nexus, lun, function, report)
        });
        self.publish(report);
        let ended = ended
            .into_iter()
            .map(|(ticket, arrival, completion)| (ticket, self.complete(now, arrival, completion)));
        (response, ended.collect())
    }

    /// Forgets a parked command without completing or reporting it: its initiator is gone.
    pub fn forget(&self, ticket: Ticket) {
        self.locked(|state, _| state.unpark(ticket));
    }

    /// Takes a step of the scenario.
    ///
    /// # Errors
    ///
    /// A step that names something the array does not have, or that makes no sense; the array is
    /// then as it was.
    pub fn apply(&self, now: Time, action: Action) -> Result<(), ActionError> {
        let (result, report) = self.locked(|state, report| {
            state.catch_up(now, report);
            state.apply(now, action, report)
        });
        self.publish(report);
        result
    }

    /// Names the doorbell of an HBA; it replaces an earlier one. `ring` is called whenever notices
    /// for the HBA begin to wait, on whatever thread caused them, and never under the array's locks.
    pub fn attach(&self, hba: HbaId, ring: Arc<dyn Fn() + Send + Sync>) {
        self.bells.lock().insert(hba, ring);
        self.locked(|state, _| state.hbas.insert(hba));
    }

    /// Takes the waiting notices of an HBA, among them [`Notice::Resume`] for its parked commands
    /// that are due by `now`. Costs next to nothing when there are none.
    pub fn notices(&self, now: Time, hba: HbaId) -> Vec<Notice> {
        if now.as_nanos() < self.news_from.load(Ordering::Acquire) {
            return Vec::new();
        }
        let (notices, report) = self.locked(|state, report| {
            state.catch_up(now, report);
            state.notice_due(now, hba, report);
            state.notices.remove(&hba).unwrap_or_default()
        });
        self.publish(report);
        notices
    }

    /// When the array does something by itself the next time, such as a controller's coming on line
    /// after it was booted: whoever calls [`Array::notices`] then sees to it that it does.
    pub fn next_event(&self) -> Option<Time> {
        match self.next_event.load(Ordering::Acquire) {
            u64::MAX => None,
            nanos => Some(Time::from_nanos(nanos)),
        }
    }

    /// Who owns a LUN; none if it is not mapped.
    pub fn owner(&self, lun: Lun) -> Option<ControllerId> {
        Some(self.state.lock().units.get(&lun)?.owner)
    }

    /// The mapped LUNs, ascending.
    pub fn luns(&self) -> Vec<Lun> {
        self.state.lock().units.keys().copied().collect()
    }

    /// The world-wide name of a mapped LUN: an NAA identifier of type 6 (page 83h).
    pub fn lun_name(&self, lun: Lun) -> Option<[u8; 16]> {
        self.state.lock().units.get(&lun).map(|unit| unit.name)
    }

    /// How often each fault rule caught a command, in the order of the rules.
    pub fn rule_matches(&self) -> Vec<(Arc<str>, u64)> {
        self.state.lock().faults.matches()
    }

    /// The seed of its configuration.
    pub fn seed(&self) -> u64 {
        self.state.lock().seed
    }

    /// The whole state, contents included, as it is between two commands.
    pub fn snapshot(&self) -> ArraySnapshot {
        ArraySnapshot::of(&self.state.lock())
    }

    /// Runs `act` under the lock, and keeps up what is known without it.
    fn locked<R>(&self, act: impl FnOnce(&mut State, &mut Report) -> R) -> (R, Report) {
        let mut report = Report::default();
        let mut state = self.state.lock();
        let result = act(&mut state, &mut report);
        self.news_from.store(state.news_from(), Ordering::Release);
        self.next_event.store(state.next_event(), Ordering::Release);
        (result, report)
    }

    fn finish(&self, now: Time, step: Step, report: Report, wire: &mut Wire<'_>) -> Outcome {
        self.publish(report);
        match step {
            Step::Done(arrival, completion) => {
                Outcome::Complete(self.complete(now, arrival, completion))
            }
            Step::Unknown => {
                let aborted = ServiceResponse::Aborted;
                Outcome::Complete(Completion::response(aborted, wire.residual()))
            }
            Step::Go(transfer) => Outcome::Transfer(transfer),
            Step::Park(ticket, due) => Outcome::Parked(ticket, due),
            Step::LoseReply(transfer, ticket, due) => {
                wire.lose_data_in();
                move_data(&transfer, wire);
                Outcome::Parked(ticket, Some(due))
            }
        }
    }

    fn complete(&self, now: Time, arrival: Arrival, completion: Completion) -> Completion {
        self.observer.command(&arrival.ended(now, completion));
        completion
    }

    /// Reports and rings, under no lock.
    fn publish(&self, report: Report) {
        report.changes.iter().for_each(|change| self.observer.state(change));
        for hba in report.ring {
            let bell = self.bells.lock().get(&hba).cloned();
            if let Some(ring) = bell {
                ring();
            }
        }
    }
}

fn move_data(transfer: &Transfer, wire: &mut Wire<'_>) -> Completion {
    let Transfer { arrival, access, block_bytes, store } = transfer;
    let result = match arrival.goes_wrong {
        None => access::carry_out(*access, store, *block_bytes, wire),
        Some(wrong) => {
            wire.cut_data_in(wrong.data.short);
            corrupt::carry_out(*access, store, *block_bytes, wrong.data.corrupt, wrong.random, wire)
        }
    };
    wire.completion(result)
}

#[cfg(test)]
mod tests;
