//! Task management (SAM-5 clause 7). Only parked commands can be managed: every other command has
//! ended already, or its data is being transferred.

use std::sync::Arc;

use sansim_time::Time;

use super::{arrival::Arrival, report::Report, state::State};
use crate::{
    command::Cdb,
    completion::{Completion, Ticket},
    fault::{Effect, FunctionFate, FunctionThen, Subject},
    ids::{Lun, Nexus},
    observe::Changed,
    sense::Sense,
    status::{ServiceResponse, Status},
    task_management::{TaskManagement, TmfResponse},
};

/// The commands of the requesting HBA that a function ended.
type Ended = Vec<(Ticket, Arrival, Completion)>;

impl State {
    /// Carries out a task management function, unless a fault rule overrides it. `None` in place of
    /// a response: the function is never answered.
    pub(super) fn task_management(
        &mut self,
        now: Time,
        nexus: Nexus,
        addressed: Lun,
        function: TaskManagement,
        report: &mut Report,
    ) -> (Option<TmfResponse>, Ended) {
        let lun = self.volume(nexus, addressed).unwrap_or(addressed);
        let (fault, then) = match self.caught(now, nexus, lun, function) {
            Some((name, then)) => (Some(name), then),
            None => (None, FunctionThen::default()),
        };
        if let Some(action) = then.action {
            // An action that names something unknown has no effect.
            let _ = self.apply(now, *action, report);
        }
        let (response, ended) = match then.fate {
            FunctionFate::Lost => (None, Ended::new()),
            FunctionFate::Answered(response) => (Some(response), Ended::new()),
            FunctionFate::CarriedOut => {
                let (response, ended) = self.manage(nexus, addressed, function, report);
                (Some(response), ended)
            }
        };
        let what = Changed::TaskManagement { nexus, lun, addressed, function, response, fault };
        report.change(now, what);
        (response, ended)
    }

    /// The fault rule that catches a function.
    fn caught(
        &mut self,
        now: Time,
        nexus: Nexus,
        lun: Lun,
        function: TaskManagement,
    ) -> Option<(Arc<str>, FunctionThen)> {
        if !self.answers(nexus) {
            return None;
        }
        let subject = Subject {
            story: self.story_began.map(|began| now.since(began)),
            stage: self.stage,
            nexus,
            lun,
            cdb: &Cdb::new(&[]),
            op: None,
            function: Some(function),
            controllers: &self.controllers,
            owner: self.units.get(&lun).map(|unit| unit.owner),
        };
        let rule = self.faults.judge(&subject)?.rule;
        match &rule.effect {
            Effect::OnFunctions { then, .. } => Some((rule.name.clone(), then.clone())),
            Effect::OnCommands { .. } => None,
        }
    }

    /// Carries out a task management function that no fault rule overrides.
    fn manage(
        &mut self,
        nexus: Nexus,
        addressed: Lun,
        function: TaskManagement,
        report: &mut Report,
    ) -> (TmfResponse, Ended) {
        let refused = |response| (response, Ended::new());
        if !self.answers(nexus) {
            return refused(TmfResponse::Rejected);
        }
        if function == TaskManagement::ItNexusReset {
            return (TmfResponse::Complete, self.reset_nexus(nexus, report));
        }
        let Some(lun) = self.volume(nexus, addressed) else {
            return refused(TmfResponse::IncorrectLun);
        };
        let mine = move |it: &Arrival| it.nexus == nexus && it.unit == Some(lun);
        let here =
            |found| refused(if found { TmfResponse::Succeeded } else { TmfResponse::Complete });
        let ended = match function {
            TaskManagement::QueryTask { tag } => {
                return here(self.parking.any(|it| mine(it) && it.tag == tag));
            }
            TaskManagement::QueryTaskSet => return here(self.parking.any(mine)),
            // NORMACA in the INQUIRY data is 0: no ACA condition ever exists.
            TaskManagement::ClearAca => return refused(TmfResponse::Rejected),
            TaskManagement::AbortTask { tag } => {
                self.end(nexus, |it| mine(it) && it.tag == tag, aborted, report)
            }
            TaskManagement::AbortTaskSet => self.end(nexus, mine, aborted, report),
            TaskManagement::ClearTaskSet => self.clear_task_set(nexus, lun, report),
            TaskManagement::LogicalUnitReset => self.reset_unit(nexus, lun, report),
            TaskManagement::ItNexusReset => Ended::new(), // Carried out above, for any LUN.
        };
        (TmfResponse::Complete, ended)
    }

    /// Aborts every command on the LUN, from any nexus.
    fn clear_task_set(&mut self, nexus: Nexus, lun: Lun, report: &mut Report) -> Ended {
        let want_status = self.tell_of_abort(lun, |other| other != nexus);
        self.end(nexus, |it| it.unit == Some(lun), |it| abort(it, &want_status), report)
    }

    /// Informs other nexuses that their commands on the LUN are aborted. A nexus whose control mode
    /// page has TAS set gets TASK ABORTED status (SAM-5 5.6) and is returned; every other nexus
    /// gets a unit attention.
    pub(super) fn tell_of_abort(&mut self, lun: Lun, whom: impl Fn(Nexus) -> bool) -> Vec<Nexus> {
        let mut want_status = Vec::new();
        let views = self.units.get_mut(&lun).map(|unit| unit.nexuses.iter_mut());
        for (other, view) in views.into_iter().flatten().filter(|(other, _)| whom(**other)) {
            if view.control.tas {
                want_status.push(*other);
            } else if self.parking.any(|it| it.nexus == *other && it.unit == Some(lun)) {
                view.attentions.push(Sense::COMMANDS_CLEARED);
            }
        }
        want_status
    }

    /// Resets the logical unit: aborts every command, restores the saved mode parameters and queues
    /// a unit attention for each other nexus.
    fn reset_unit(&mut self, nexus: Nexus, lun: Lun, report: &mut Report) -> Ended {
        if let Some(unit) = self.units.get_mut(&lun) {
            unit.reservations.reset();
            for (other, view) in &mut unit.nexuses {
                view.control.reset();
                if *other != nexus {
                    view.attentions.push(Sense::DEVICE_RESET);
                }
            }
        }
        self.end(nexus, |it| it.unit == Some(lun), reset, report)
    }

    /// Ends every command of the nexus, on all LUNs.
    fn reset_nexus(&mut self, nexus: Nexus, report: &mut Report) -> Ended {
        for unit in self.units.values_mut() {
            unit.reservations.lose_nexus(|it| it == nexus);
            if let Some(view) = unit.nexuses.get_mut(&nexus) {
                view.control.reset();
                view.attentions.push(Sense::NEXUS_LOSS);
            }
        }
        self.end(nexus, |it| it.nexus == nexus, reset, report)
    }

    /// Ends the commands that `which` selects. Returns those of the requesting HBA; the others get
    /// a resume notice.
    fn end(
        &mut self,
        asking: Nexus,
        which: impl Fn(&Arrival) -> bool,
        how: impl Fn(&Arrival) -> Completion,
        report: &mut Report,
    ) -> Ended {
        let ended = self.parking.end(which, &how);
        let (own, others): (Vec<_>, _) = ended.into_iter().partition(|it| it.0 == asking.hba);
        self.notify_resume(others, report);
        let taken = own.into_iter().filter_map(|(_, ticket)| {
            let arrival = self.unpark(ticket)?.arrival;
            let completion = how(&arrival);
            Some((ticket, arrival, completion))
        });
        taken.collect()
    }
}

/// The completion of a command that another nexus aborted: TASK ABORTED if its nexus is in
/// `want_status`.
pub(super) fn abort(arrival: &Arrival, want_status: &[Nexus]) -> Completion {
    if want_status.contains(&arrival.nexus) {
        Completion::status(Status::TaskAborted, arrival.offered)
    } else {
        aborted(arrival)
    }
}

fn aborted(arrival: &Arrival) -> Completion {
    Completion::response(ServiceResponse::Aborted, arrival.offered)
}

fn reset(arrival: &Arrival) -> Completion {
    Completion::response(ServiceResponse::Reset, arrival.offered)
}
