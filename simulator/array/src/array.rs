//! The array: LUN ownership, and the commands that are parked.
//!
//! [`Array`] is the public interface. It takes the lock and lets [`state::State`] decide. After it
//! has released the lock, it moves data, reports to the observer and rings doorbells.

mod agenda;
mod apply;
mod arrival;
mod build;
mod groups;
mod link;
mod metro;
mod notices;
mod ownership;
mod parked;
mod plans;
mod ports;
mod presentation;
mod report;
mod reserve;
mod serve;
mod snapshot;
mod state;
mod stretching;
mod task;
mod tell;
mod view;
mod volumes;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use sansim_time::Time;

use self::{
    arrival::Arrival,
    report::Report,
    state::{Progress, State},
};
pub use self::{
    arrival::{Disposition, Transfer},
    build::PortNumbers,
    snapshot::ArraySnapshot,
    view::{ArrayView, LunView},
};
use crate::{
    command::{Buffers, Command},
    completion::{Completion, Ticket},
    config::ArrayConfig,
    error::ConfigError,
    fault::{Action, ActionError},
    ids::{ControllerId, EncodedLun, HbaId, Lun, Nexus},
    notice::Notice,
    observe::Observer,
    reservoir::Reservoir,
    scsi::{access, corrupt, vpd},
    sense::Sense,
    status::ServiceResponse,
    task_management::{TaskManagement, TmfResponse},
    wire::{KeptData, Wire},
};

/// Called when notices are waiting for an HBA.
type Doorbell = Arc<dyn Fn() + Send + Sync>;

/// A storage array, shared by all HBAs that see it.
pub struct Array {
    state: Mutex<State>,
    observer: Arc<dyn Observer>,
    /// The memory for the contents of the LUNs.
    memory: Arc<Reservoir>,
    bells: Mutex<BTreeMap<HbaId, Doorbell>>,
    /// The earliest time, in nanoseconds, at which [`Array::notices`] can return a notice: 0 while
    /// notices are waiting, otherwise the time at which the next parked command or the next planned
    /// event is due. Lets [`Array::notices`] return without taking the lock.
    news_from: AtomicU64,
    /// The time of the next planned event, in nanoseconds; `u64::MAX` if none is planned. See
    /// [`Array::next_event`].
    next_event: AtomicU64,
    /// The number of bytes of each command's data that records have. See [`Array::keep_data`].
    keep: AtomicUsize,
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array").field("luns", &self.luns()).finish_non_exhaustive()
    }
}

impl Array {
    /// Creates an array from its configuration. All controllers are online, and the stage is
    /// [`crate::Stage::Discovery`].
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] if the configuration is invalid, or if the operating system
    /// refuses the memory for a LUN's contents.
    pub fn new(config: ArrayConfig, observer: Arc<dyn Observer>) -> Result<Array, ConfigError> {
        Ok(Array::with_state(State::new(config)?, observer))
    }

    /// Creates an array in the state that the snapshot recorded. No HBA is attached.
    ///
    /// # Errors
    ///
    /// Returns an error if the operating system refuses the memory for a LUN's contents.
    pub fn from_snapshot(
        snapshot: &ArraySnapshot,
        observer: Arc<dyn Observer>,
    ) -> Result<Array, ConfigError> {
        Ok(Array::with_state(snapshot.restore()?, observer))
    }

    fn with_state(state: State, observer: Arc<dyn Observer>) -> Array {
        let news_from = AtomicU64::new(state.news_from());
        let next_event = AtomicU64::new(state.next_event());
        let (memory, bells) = (Arc::clone(&state.memory), Mutex::default());
        let (state, keep) = (Mutex::new(state), AtomicUsize::new(0));
        Array { state, observer, memory, bells, news_from, next_event, keep }
    }

    /// Has [`crate::CommandRecord::data`] hold at most this many bytes from now on; 0 at the beginning. A
    /// command whose data moved long before it ended has none: one whose reply was lost.
    pub fn keep_data(&self, bytes: usize) {
        self.keep.store(bytes, Ordering::Relaxed);
    }

    /// Submits a command. A medium access is returned as [`Disposition::Transfer`]; every other command
    /// is carried out at once, under the lock.
    pub fn submit(
        &self,
        now: Time,
        command: &Command<'_>,
        buffers: &mut dyn Buffers,
    ) -> Disposition {
        let mut wire = Wire::new(buffers, self.keep.load(Ordering::Relaxed));
        let (step, report) = self.locked(|state, report| {
            state.catch_up(now, report);
            let arrival = state.arrive(now, command, wire.residual());
            state.decide(now, arrival, &mut wire, report)
        });
        self.finish(now, step, report, &mut wire)
    }

    /// Continues a parked command that is due or that was released. Fault rules are not tried
    /// again; every other check is made, because the controller may have failed in the meantime. If
    /// the command is not due yet, it stays parked. If the ticket is unknown, the command completes
    /// as aborted. `command` and `buffers` must be those that were submitted.
    pub fn resume(
        &self,
        now: Time,
        ticket: Ticket,
        command: &Command<'_>,
        buffers: &mut dyn Buffers,
    ) -> Disposition {
        let _ = command; // The arrival recorded everything that is needed.
        let mut wire = Wire::new(buffers, self.keep.load(Ordering::Relaxed));
        let (step, report) = self.locked(|state, report| {
            state.catch_up(now, report);
            state.go_on(now, ticket, &mut wire, report)
        });
        self.finish(now, step, report, &mut wire)
    }

    /// Moves the data of a medium access directly between the LUN's contents and the buffers, and
    /// reports the completed command. Takes only the lock of the LUN's contents.
    pub fn transfer(&self, now: Time, transfer: Transfer, buffers: &mut dyn Buffers) -> Completion {
        let mut wire = Wire::new(buffers, self.keep.load(Ordering::Relaxed));
        let completion = move_data(&transfer, &mut wire);
        self.warn_of_space();
        self.complete(now, transfer.arrival, completion, wire.kept())
    }

    /// Tells all hosts when the memory for the LUNs' contents has reached its threshold.
    fn warn_of_space(&self) {
        if self.memory.reached_threshold() {
            self.locked(|state, _| state.push_attention(None, Sense::SOFT_THRESHOLD, |_| true));
        }
    }

    /// Carries out a task management function. Returns the response, and the tickets of the parked
    /// commands that the function ended, each with its completion.
    ///
    /// The tickets belong to the HBA that sent the function. Complete these commands before you
    /// answer the function, because Linux polls its queues only once after it
    /// (virtio_scsi:virtscsi_tmf). Other HBAs learn about their commands through notices. `None` in
    /// place of a response means that the function is never answered.
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
        let ended = ended.into_iter().map(|(ticket, arrival, completion)| {
            (ticket, self.complete(now, arrival, completion, None))
        });
        (response, ended.collect())
    }

    /// Drops a parked command without completing or reporting it. For an initiator that has
    /// disconnected.
    pub fn forget(&self, ticket: Ticket) {
        self.locked(|state, _| state.unpark(ticket));
    }

    /// Applies an action: a step of the scenario, or the action of a fault rule.
    ///
    /// # Errors
    ///
    /// Returns an error if the action names something that the array does not have, or if the
    /// action is invalid. The state of the array is then unchanged.
    pub fn apply(&self, now: Time, action: Action) -> Result<(), ActionError> {
        let (result, report) = self.locked(|state, report| {
            state.catch_up(now, report);
            state.apply(now, action, report)
        });
        self.publish(report);
        result
    }

    /// Sets the doorbell of an HBA, and replaces an earlier one. The array calls `ring` when it
    /// queues notices for the HBA, on the thread that caused them and never while it holds one of
    /// its locks.
    pub fn attach(&self, hba: HbaId, ring: Arc<dyn Fn() + Send + Sync>) {
        self.bells.lock().insert(hba, ring);
        self.locked(|state, _| state.hbas.insert(hba));
    }

    /// Takes the notices that are waiting for an HBA, including [`Notice::Resume`] for each of its
    /// parked commands that is due by `now`. Does not take the lock if no notice can be waiting.
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

    /// When the next planned event is due, such as a controller that comes online after its boot.
    /// The event takes effect at the next call of [`Array::notices`] at or after that time.
    pub fn next_event(&self) -> Option<Time> {
        match self.next_event.load(Ordering::Acquire) {
            u64::MAX => None,
            nanos => Some(Time::from_nanos(nanos)),
        }
    }

    /// The controller that owns a LUN; `None` if the LUN is not mapped.
    pub fn owner(&self, lun: Lun) -> Option<ControllerId> {
        Some(self.state.lock().units.get(&lun)?.owner)
    }

    /// The mapped LUNs, in ascending order.
    pub fn luns(&self) -> Vec<Lun> {
        self.state.lock().units.keys().copied().collect()
    }

    /// What a nexus finds in the list of REPORT LUNS: each LUN as it is encoded there, with its own
    /// number; `None` in place of that for a LUNZ that is a disk.
    pub fn inventory(&self, nexus: Nexus) -> Vec<(EncodedLun, Option<Lun>)> {
        self.state.lock().inventory(nexus)
    }

    /// The own number of the LUN that a nexus knows as this one.
    pub fn lun_at(&self, nexus: Nexus, lun: EncodedLun) -> Option<Lun> {
        self.state.lock().volume(nexus, lun.decode()?)
    }

    /// The NAA type 6 designator of a mapped LUN, as VPD page 83h reports it; `None` if the LUN is
    /// not mapped.
    pub fn lun_name(&self, lun: Lun) -> Option<[u8; 16]> {
        self.state.lock().units.get(&lun).map(|unit| unit.name)
    }

    /// The identifier that udev and multipath-tools make of a mapped LUN, from VPD page 83h as its owner
    /// returns it (ID_SERIAL, WWID); `None` if the LUN is not mapped, or if the page does not name it.
    pub fn wwid(&self, lun: Lun) -> Option<String> {
        let state = self.state.lock();
        vpd::wwid(&state.site_of(state.units.get(&lun)?))
    }

    /// The number of commands that each fault rule has caught, in the order of the rules.
    pub fn rule_matches(&self) -> Vec<(Arc<str>, u64)> {
        self.state.lock().faults.matches()
    }

    /// The size of the memory for the contents of the LUNs, if a write found none left and the run is to end.
    pub fn out_of_memory(&self) -> Option<u64> {
        let state = self.state.lock();
        state.memory.ran_out().then(|| state.memory.bytes())
    }

    /// The state of the array, without the contents of its LUNs.
    pub fn view(&self) -> ArrayView {
        ArrayView::of(&self.state.lock())
    }

    /// The seed from the configuration.
    pub fn seed(&self) -> u64 {
        self.state.lock().seed
    }

    /// A snapshot of the whole state, including the LUNs' contents, taken between two commands.
    pub fn snapshot(&self) -> ArraySnapshot {
        ArraySnapshot::of(&self.state.lock())
    }

    /// Runs `act` under the lock, and then updates the two atomics, which are read without the
    /// lock.
    fn locked<R>(&self, act: impl FnOnce(&mut State, &mut Report) -> R) -> (R, Report) {
        let mut report = Report::default();
        let mut state = self.state.lock();
        let result = act(&mut state, &mut report);
        self.news_from.store(state.news_from(), Ordering::Release);
        self.next_event.store(state.next_event(), Ordering::Release);
        (result, report)
    }

    fn finish(
        &self,
        now: Time,
        step: Progress,
        report: Report,
        wire: &mut Wire<'_>,
    ) -> Disposition {
        self.publish(report);
        match step {
            Progress::Done(arrival, completion) => {
                Disposition::Complete(self.complete(now, arrival, completion, wire.kept()))
            }
            Progress::Unknown => {
                let aborted = ServiceResponse::Aborted;
                Disposition::Complete(Completion::response(aborted, wire.residual()))
            }
            Progress::Go(transfer) => Disposition::Transfer(transfer),
            Progress::Park(ticket, due) => Disposition::Parked(ticket, due),
            Progress::LoseReply(transfer, ticket, due) => {
                wire.lose_data_in();
                move_data(&transfer, wire);
                self.warn_of_space();
                Disposition::Parked(ticket, Some(due))
            }
        }
    }

    fn complete(
        &self,
        now: Time,
        arrival: Arrival,
        completion: Completion,
        data: Option<KeptData>,
    ) -> Completion {
        let completion = arrival.told(completion);
        self.observer.command(&arrival.ended(now, completion, data));
        completion
    }

    /// Reports the changes to the observer and rings the doorbells. The caller must not hold the
    /// lock.
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
