//! Telling hosts about a change of a volume or of its presentation: by unit attention, and by an event
//! of the HBA.

use super::{report::Report, state::State};
use crate::{
    ids::{Lun, Nexus, NexusPattern},
    lun_config::Mapping,
    notice::{LunEvent, Notice, Notification, Notifications},
    sense::Sense,
};

/// What there is to tell.
#[derive(Debug)]
pub(super) enum Told {
    /// A LUN is presented otherwise. It is given with its own number and its mapping, before and after.
    Presented { before: Option<(Lun, Mapping)>, after: Option<(Lun, Mapping)> },
    /// A LUN has other parameters: the event and the unit attention have this sense.
    Parameters { lun: Lun, sense: Sense },
    /// A LUN has another identity. Nothing but a unit attention tells that, which is what makes it
    /// dangerous.
    Identity { lun: Lun },
}

impl Told {
    /// The numbers by which a nexus addressed the LUN before, and addresses it now.
    fn numbers(&self, nexus: Nexus) -> (Option<Lun>, Option<Lun>) {
        let Told::Presented { before, after } = self else { return (None, None) };
        let number = |it: &Option<(Lun, Mapping)>| {
            it.as_ref().and_then(|(own, mapping)| mapping.number(*own, nexus))
        };
        (number(before), number(after))
    }
}

impl State {
    /// Notifies hosts of a change.
    pub(super) fn tell(&mut self, told: &Told, notify: &Notifications, report: &mut Report) {
        match notify {
            Notifications::Usual => self.tell_as_usual(told, report),
            Notifications::Chosen(chosen) => {
                chosen.iter().for_each(|one| self.tell_some(told, *one, report));
            }
        }
    }

    fn tell_as_usual(&mut self, told: &Told, report: &mut Report) {
        match told {
            Told::Presented { .. } => {
                self.push_luns_changed(told, |nexus| {
                    let (before, after) = told.numbers(nexus);
                    before != after
                });
                self.announce(told, NexusPattern::ALL, Sense::LUNS_CHANGED, report);
            }
            Told::Parameters { lun, sense } => {
                self.push_attention(Some(*lun), *sense, |_| true);
                self.announce(told, NexusPattern::ALL, *sense, report);
            }
            Told::Identity { lun } => {
                self.push_attention(Some(*lun), Sense::INQUIRY_DATA_CHANGED, |_| true);
            }
        }
    }

    fn tell_some(&mut self, told: &Told, one: Notification, report: &mut Report) {
        let Notification { to, event, sense } = one;
        match (sense, told) {
            (Some(sense), _) if sense.same_code(&Sense::LUNS_CHANGED) => {
                self.push_luns_changed(told, |nexus| to.matches(nexus));
            }
            // Nobody is known at a LUN that is new: it is greeted with this sense.
            (Some(_), Told::Presented { after: Some(_), .. }) | (None, _) => {}
            // A LUN that is gone has nothing to report: the others do.
            (Some(sense), Told::Presented { after: None, .. }) => {
                self.push_attention(None, sense, |nexus| to.matches(nexus));
            }
            (Some(sense), Told::Parameters { lun, .. } | Told::Identity { lun }) => {
                self.push_attention(Some(*lun), sense, |nexus| to.matches(nexus));
            }
        }
        if event {
            let usual = match told {
                Told::Parameters { sense, .. } => *sense,
                Told::Presented { .. } | Told::Identity { .. } => Sense::INQUIRY_DATA_CHANGED,
            };
            self.announce(told, to, sense.unwrap_or(usual), report);
        }
    }

    /// Queues REPORTED LUNS DATA HAS CHANGED for some nexuses on every LUN, but for one that is
    /// presented otherwise.
    fn push_luns_changed(&mut self, told: &Told, whom: impl Fn(Nexus) -> bool) {
        let except = match told {
            Told::Presented { after: Some((lun, _)), .. } => Some(*lun),
            _ => None,
        };
        for unit in self.units.values_mut().filter(|unit| Some(unit.lun) != except) {
            for (_, view) in unit.nexuses.iter_mut().filter(|(nexus, _)| whom(**nexus)) {
                view.attentions.push(Sense::LUNS_CHANGED);
            }
        }
    }

    /// Has the HBAs of some nexuses announce the change to their guest.
    fn announce(&mut self, told: &Told, to: NexusPattern, sense: Sense, report: &mut Report) {
        let nexuses = self.reachable();
        let nexuses = || nexuses.iter().copied().filter(|nexus| to.matches(*nexus));
        match told {
            Told::Presented { .. } => {
                for nexus in nexuses() {
                    let (before, after) = told.numbers(nexus);
                    if let Some(gone) = before.filter(|_| before != after) {
                        self.notify_lun(nexus, gone, LunEvent::Removed, report);
                    }
                }
                for nexus in nexuses() {
                    let (before, after) = told.numbers(nexus);
                    if let Some(new) = after.filter(|_| before != after) {
                        self.notify_lun(nexus, new, LunEvent::Added, report);
                    }
                }
            }
            Told::Parameters { lun, .. } | Told::Identity { lun } => {
                for nexus in nexuses() {
                    let number = self.units.get(lun).and_then(|unit| unit.number(nexus));
                    if let Some(number) = number {
                        self.notify_lun(nexus, number, LunEvent::Changed(sense), report);
                    }
                }
            }
        }
    }

    /// Has the HBAs of some nexuses send an event about a LUN, though nothing has changed.
    pub(super) fn send_event(
        &mut self,
        to: NexusPattern,
        lun: Lun,
        event: LunEvent,
        report: &mut Report,
    ) {
        for nexus in self.reachable().into_iter().filter(|nexus| to.matches(*nexus)) {
            let number = match self.units.get(&lun) {
                Some(unit) => unit.number(nexus),
                None => Some(lun),
            };
            // A LUN that is gone for the nexus went under its own number.
            let number = number.or((event == LunEvent::Removed).then_some(lun));
            if let Some(number) = number {
                self.notify_lun(nexus, number, event, report);
            }
        }
    }

    fn notify_lun(&mut self, nexus: Nexus, number: Lun, event: LunEvent, report: &mut Report) {
        let (port, lun) = (nexus.port, self.target_of(nexus.port).encode(number));
        let notice = match event {
            LunEvent::Added => Notice::LunAdded { port, lun },
            LunEvent::Removed => Notice::LunRemoved { port, lun },
            LunEvent::Changed(Sense { asc, ascq, .. }) => {
                Notice::ParametersChanged { port, lun, asc, ascq }
            }
        };
        self.notify(nexus.hba, notice, report);
    }
}
