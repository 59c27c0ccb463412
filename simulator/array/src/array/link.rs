//! Links between HBAs and ports, link failures and HBA resets.

use std::time::Duration;

use sansim_time::Time;

use super::{agenda::Event, report::Report, state::State};
use crate::{
    completion::Completion,
    fault::ActionError,
    ids::{HbaId, Link, Nexus},
    observe::Changed,
    sense::Sense,
    status::ServiceResponse,
};

impl State {
    /// Whether the port of a nexus is present and every link of the nexus is up.
    pub(super) fn linked(&self, nexus: Nexus) -> bool {
        !self.links_down.iter().any(|link| link.carries(nexus))
            && !self.ports_out.contains(&nexus.port)
    }

    pub(super) fn set_link(
        &mut self,
        now: Time,
        link: Link,
        up: bool,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        self.known_port(link.port)?;
        self.change_link(now, link, up, report);
        Ok(())
    }

    /// Plans `times` link failures. The link is down for `every` and then up for `every`.
    pub(super) fn flap_link(
        &mut self,
        now: Time,
        link: Link,
        every: Duration,
        times: u16,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        self.known_port(link.port)?;
        let mut due = now;
        for _ in 0..times {
            self.plan(due, Event::Link(link, false), report);
            self.plan(due + every, Event::Link(link, true), report);
            due = due + every + every;
        }
        self.catch_up(now, report);
        Ok(())
    }

    /// A link that goes down ends the commands that are parked behind it.
    pub(super) fn change_link(&mut self, now: Time, link: Link, up: bool, report: &mut Report) {
        let changed = match up {
            true => self.links_down.remove(&link),
            false => self.links_down.insert(link),
        };
        if !changed {
            return;
        }
        report.change(now, Changed::Link { hba: link.hba, port: link.port, up });
        if up {
            self.lose_nexuses(|nexus| link.carries(nexus));
        } else {
            self.end_undelivered(|nexus| link.carries(nexus), report);
        }
    }

    /// Ends the parked commands of an HBA.
    pub(super) fn reset_hba(&mut self, now: Time, hba: HbaId, report: &mut Report) {
        report.change(now, Changed::HbaReset(hba));
        let ended = self.parking.end(
            |arrival| arrival.nexus.hba == hba,
            |arrival| Completion::response(ServiceResponse::Reset, arrival.offered),
        );
        self.notify_resume(ended, report);
        self.lose_nexuses(|nexus| nexus.hba == hba);
    }

    /// Applies an I_T nexus loss to the selected nexuses (SAM-5 6.3.4).
    pub(super) fn lose_nexuses(&mut self, which: impl Fn(Nexus) -> bool) {
        for unit in self.units.values_mut() {
            unit.reservations.lose_nexus(&which);
            for (_, view) in unit.nexuses.iter_mut().filter(|(nexus, _)| which(**nexus)) {
                view.control.reset();
                view.attentions.push(Sense::NEXUS_LOSS);
            }
        }
    }
}
