//! What waits for each HBA to fetch it.

use sansim_time::Time;

use super::{parked::Parked, report::Report, state::State};
use crate::{completion::Ticket, ids::HbaId, notice::Notice};

/// The most notices that are kept for an HBA which does not fetch them.
const MAX_NOTICES: usize = 1 << 17;

impl State {
    /// Tells an HBA something.
    pub(super) fn notify(&mut self, hba: HbaId, notice: Notice, report: &mut Report) {
        let waiting = self.notices.entry(hba).or_default();
        if waiting.len() < MAX_NOTICES {
            waiting.push(notice);
        }
        if !report.ring.contains(&hba) {
            report.ring.push(hba);
        }
    }

    /// Takes a parked command, and the notice about it if its HBA has not fetched that yet.
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

    /// Tells HBAs that they may go on with commands.
    pub(super) fn notify_resume(&mut self, tickets: Vec<(HbaId, Ticket)>, report: &mut Report) {
        for (hba, ticket) in tickets {
            self.notify(hba, Notice::Resume(ticket), report);
        }
    }

    /// Tells every HBA of its commands that are due. `asking` need not be rung.
    pub(super) fn notice_due(&mut self, now: Time, asking: HbaId, report: &mut Report) {
        let due = self.parking.take_due(now);
        self.notify_resume(due, report);
        report.ring.retain(|hba| *hba != asking);
    }

    /// From when on there may be notices, in nanoseconds.
    pub(super) fn news_from(&self) -> u64 {
        if !self.notices.is_empty() {
            return 0;
        }
        let parked = self.parking.next_due().map_or(u64::MAX, Time::as_nanos);
        parked.min(self.next_event())
    }

    /// When the array does something by itself, in nanoseconds.
    pub(super) fn next_event(&self) -> u64 {
        self.agenda.next_due().map_or(u64::MAX, Time::as_nanos)
    }
}
