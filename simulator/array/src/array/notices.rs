//! The notices that are queued for each HBA.

use sansim_time::Time;

use super::{parked::Parked, report::Report, state::State};
use crate::{completion::Ticket, ids::HbaId, notice::Notice};

/// The maximum number of notices in the queue of one HBA. Further notices are dropped.
const MAX_NOTICES: usize = 1 << 17;

impl State {
    /// Queues a notice for an HBA.
    pub(super) fn notify(&mut self, hba: HbaId, notice: Notice, report: &mut Report) {
        let waiting = self.notices.entry(hba).or_default();
        if waiting.len() < MAX_NOTICES {
            waiting.push(notice);
        }
        if !report.ring.contains(&hba) {
            report.ring.push(hba);
        }
    }

    /// Removes a parked command, and its resume notice if the HBA has not taken it yet.
    pub(super) fn unpark(&mut self, ticket: Ticket) -> Option<Parked> {
        let parked = self.parking.remove(ticket)?;
        let hba = parked.arrival.nexus.hba;
        if let Some(waiting) = self.notices.get_mut(&hba) {
            waiting.retain(|notice| *notice != Notice::Resume(ticket));
            if waiting.is_empty() {
                self.notices.remove(&hba);
            }
        }
        Some(parked)
    }

    /// Queues a resume notice for each of these commands.
    pub(super) fn notify_resume(&mut self, tickets: Vec<(HbaId, Ticket)>, report: &mut Report) {
        for (hba, ticket) in tickets {
            self.notify(hba, Notice::Resume(ticket), report);
        }
    }

    /// Queues a resume notice for every parked command that is due. The doorbell of `asking` is not
    /// rung.
    pub(super) fn notice_due(&mut self, now: Time, asking: HbaId, report: &mut Report) {
        let due = self.parking.take_due(now);
        self.notify_resume(due, report);
        report.ring.retain(|hba| *hba != asking);
    }

    /// The earliest time, in nanoseconds, at which a notice can be waiting.
    pub(super) fn news_from(&self) -> u64 {
        if !self.notices.is_empty() {
            return 0;
        }
        let parked = self.parking.next_due().map_or(u64::MAX, Time::as_nanos);
        parked.min(self.next_event())
    }

    /// The time of the next planned event, in nanoseconds; `u64::MAX` if none is planned.
    pub(super) fn next_event(&self) -> u64 {
        self.agenda.next_due().map_or(u64::MAX, Time::as_nanos)
    }
}
