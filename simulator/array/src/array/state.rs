//! The state of the array, and the handling of a command before it is served.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use sansim_time::Time;

use super::{
    agenda::{Agenda, Event},
    arrival::{Arrival, GoesWrong, Transfer},
    parked::{Hold, Parked, Parking, Rest, Taken},
    report::Report,
};
use crate::{
    access_state::FarGroups,
    canary::Canary,
    command::{Cdb, Command},
    completion::{Completion, Ticket},
    config::MetroConfig,
    controller::Controller,
    fault::{Answer, Caught, Effect, Fate, Faults, Lose, Subject, Then, Wait},
    ids::{ControllerId, FrameId, HbaId, Link, Lun, Nexus, PortId},
    notice::Notice,
    observe::{Changed, LunChange, Stage},
    operation::Operation,
    personality::{Frame, Personality, Presentation, Site},
    reservoir::Reservoir,
    status::{ServiceResponse, Status},
    target::Target,
    unit::Unit,
    wire::Wire,
};

/// Everything that the array's lock protects.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// The arrays, at least one.
    pub(super) frames: Vec<Frame>,
    /// The controllers of all arrays.
    pub(super) controllers: Vec<Controller>,
    pub(super) metro: MetroConfig,
    /// Whether the witness of the metro cluster is there.
    pub(super) witness: bool,
    /// The arrays that reach neither the others nor the witness.
    pub(super) isolated: BTreeSet<FrameId>,
    pub(super) units: BTreeMap<Lun, Unit>,
    /// The number of LUNs that were ever mapped. It distinguishes a LUN from an earlier one with
    /// the same number.
    pub(super) mappings: u16,
    pub(super) faults: Faults,
    pub(super) links_down: BTreeSet<Link>,
    /// The ports that are removed.
    pub(super) ports_out: BTreeSet<PortId>,
    pub(super) agenda: Agenda,
    pub(super) parking: Parking,
    /// The holds that were released: rules no longer hold commands under these names.
    pub(super) released: BTreeSet<Arc<str>>,
    pub(super) stage: Stage,
    /// When the story began; `None` during discovery.
    pub(super) story_began: Option<Time>,
    pub(super) command_timeout: Duration,
    pub(super) seed: u64,
    /// The memory for the contents of the LUNs.
    pub(super) memory: Arc<Reservoir>,
    /// The bug that is planted in the array, if one is.
    pub(super) canary: Option<Canary>,
    pub(super) hbas: BTreeSet<HbaId>,
    /// The notices that are waiting for each HBA.
    pub(super) notices: BTreeMap<HbaId, Vec<Notice>>,
    pub(super) next_seq: u64,
}

/// The result of the part of a command that runs under the lock.
#[derive(Debug)]
pub(crate) enum Progress {
    /// The command has ended.
    Done(Arrival, Completion),
    /// The data of the medium access may be transferred.
    Go(Transfer),
    /// The command is parked; see [`Parked::goes_on_at`] for the time.
    Park(Ticket, Option<Time>),
    /// The data may be transferred; then the command stays parked until the given time, because its
    /// reply is lost.
    LoseReply(Transfer, Ticket, Time),
    /// No command with this ticket is parked.
    Unknown,
}

impl State {
    /// Records the arrival of a command. `offered` is the size of the initiator's buffers in bytes.
    pub(super) fn arrive(&mut self, now: Time, command: &Command<'_>, offered: u32) -> Arrival {
        let seq = self.next_seq;
        self.next_seq += 1;
        let (nexus, addressed) = (command.nexus, command.lun);
        let unit = self.volume(nexus, addressed);
        Arrival {
            seq,
            at: now,
            nexus,
            addressed,
            unit,
            lun: unit.unwrap_or(addressed),
            tag: command.tag,
            cdb: Cdb::new(command.cdb),
            op: Operation::of(command.cdb),
            stage: self.stage,
            offered,
            fault: None,
            goes_wrong: None,
            recovered: None,
        }
    }

    /// Whether a port keeps as many commands as it can: those that are parked, since the others end at once.
    fn queue_is_full(&self, port: PortId) -> bool {
        let limit = self.target_of(port).queue_limit;
        limit.is_some_and(|limit| self.parking.at(port) >= limit.get() as usize)
    }

    /// Decides about a new command. Checks whether its port answers, and then applies the fault
    /// rule that catches it, if any. Otherwise the command is served.
    pub(super) fn decide(
        &mut self,
        now: Time,
        mut arrival: Arrival,
        wire: &mut Wire<'_>,
        report: &mut Report,
    ) -> Progress {
        if !self.answers(arrival.nexus) {
            return arrival.respond(ServiceResponse::BadTarget);
        }
        if self.queue_is_full(arrival.nexus.port) {
            let full = Completion::status(Status::TaskSetFull, arrival.offered);
            return Progress::Done(arrival, full);
        }
        let subject = Subject {
            story: self.story_began.map(|began| arrival.at.since(began)),
            stage: arrival.stage,
            nexus: arrival.nexus,
            lun: arrival.lun,
            cdb: &arrival.cdb,
            op: arrival.op,
            function: None,
            controllers: &self.controllers,
            owner: arrival.unit.and_then(|lun| self.units.get(&lun)).map(|unit| unit.owner),
        };
        let Some(Caught { rule, random }) = self.faults.judge(&subject) else {
            return match self.lag(&arrival) {
                None => self.serve(now, arrival, wire, report),
                Some(lag) => {
                    let due = Some(arrival.at + lag);
                    self.park(Parked { arrival, rest: Rest::CarryOut, due, hold: None }, report)
                }
            };
        };
        // Unreachable: the index keeps the rules about task management functions separate.
        let Effect::OnCommands { then, .. } = &rule.effect else {
            return self.serve(now, arrival, wire, report);
        };
        arrival.fault = Some(rule.name.clone());
        let Then { action, fate } = then.clone();
        if let Some(action) = action {
            // An action that names something unknown has no effect.
            let _ = self.apply(now, *action, report);
        }
        let (wait, rest) = match fate {
            Fate::Lost(lose) => return self.lose(now, lose, arrival, wire, report),
            Fate::Answered { wait, answer: Answer::Sense(sense) } if sense.is_of_success() => {
                arrival.recovered = Some(sense);
                (wait, Rest::CarryOut)
            }
            Fate::Answered { wait, answer } => (wait, Rest::Answer(answer)),
            Fate::CarriedOut { wait, data } => {
                arrival.goes_wrong = GoesWrong { data, random }.if_any();
                (wait, Rest::CarryOut)
            }
        };
        let Wait { delay, hold } = wait;
        let hold = hold.filter(|hold| !self.released.contains(hold)).map(Hold::Named);
        let lag = self.lag(&arrival).filter(|_| matches!(rest, Rest::CarryOut));
        let delay = match (delay.map(|delay| delay.of(random)), lag) {
            (Some(delay), Some(lag)) => Some(delay + lag),
            (delay, lag) => delay.or(lag),
        };
        let due = delay.map(|delay| arrival.at + delay);
        if hold.is_some() || due.is_some_and(|due| due > now) {
            return self.park(Parked { arrival, rest, due, hold }, report);
        }
        self.finish(now, arrival, rest, wire, report)
    }

    /// Does what remains to be done with a command that no longer waits.
    fn finish(
        &mut self,
        now: Time,
        arrival: Arrival,
        rest: Rest,
        wire: &mut Wire<'_>,
        report: &mut Report,
    ) -> Progress {
        match rest {
            Rest::End(completion) => Progress::Done(arrival, completion),
            Rest::Answer(answer) => arrival.answer(answer),
            Rest::CarryOut => self.serve(now, arrival, wire, report),
        }
    }

    /// Resumes a parked command.
    pub(super) fn go_on(
        &mut self,
        now: Time,
        ticket: Ticket,
        wire: &mut Wire<'_>,
        report: &mut Report,
    ) -> Progress {
        let Parked { arrival, rest, .. } = match self.parking.take(now, ticket) {
            Taken::Ready(parked) => parked,
            Taken::TooEarly(due) => return Progress::Park(ticket, due),
            Taken::Unknown => return Progress::Unknown,
        };
        match rest {
            Rest::Answer(_) | Rest::CarryOut if !self.answers(arrival.nexus) => {
                arrival.respond(ServiceResponse::BadTarget)
            }
            rest => self.finish(now, arrival, rest, wire, report),
        }
    }

    /// Loses a command or its reply. It fails when the initiator's command timeout expires.
    fn lose(
        &mut self,
        now: Time,
        lose: Lose,
        arrival: Arrival,
        wire: &mut Wire<'_>,
        report: &mut Report,
    ) -> Progress {
        let due = arrival.at + self.command_timeout;
        let failure = Completion::response(ServiceResponse::Failure, arrival.offered);
        let parked =
            |arrival| Parked { arrival, rest: Rest::End(failure), due: Some(due), hold: None };
        if self.parking.is_full() {
            return arrival.end(Completion::status(Status::TaskSetFull, wire.residual()));
        }
        match lose {
            Lose::Command => return self.park(parked(arrival), report),
            Lose::Forever => {
                let hold = Some(Hold::Lost);
                return self.park(Parked { due: None, hold, ..parked(arrival) }, report);
            }
            Lose::Reply => {}
        }
        wire.lose_data_in();
        match self.serve(now, arrival, wire, report) {
            Progress::Done(arrival, _) => self.park(parked(arrival), report),
            Progress::Go(transfer) => {
                let parked = parked(transfer.arrival.clone());
                parked.tell(report);
                let ticket = self.parking.park(parked);
                Progress::LoseReply(transfer, ticket, due)
            }
            step => step,
        }
    }

    fn park(&mut self, parked: Parked, report: &mut Report) -> Progress {
        if self.parking.is_full() {
            let offered = parked.arrival.offered;
            return parked.arrival.end(Completion::status(Status::TaskSetFull, offered));
        }
        parked.tell(report);
        let due = parked.goes_on_at();
        Progress::Park(self.parking.park(parked), due)
    }

    /// Whether the port of a nexus answers: its controller answers, and the link is up.
    pub(super) fn answers(&self, nexus: Nexus) -> bool {
        let controller = self.controllers.get(nexus.port.controller.index());
        controller.is_some_and(|it| it.state.answers() && nexus.port.index < it.ports)
            && self.linked(nexus)
    }

    /// The array that a controller is in; the first for one that does not exist.
    pub(super) fn frame_of(&self, controller: ControllerId) -> &Frame {
        let own = self.controllers.get(controller.index());
        &self.frames[own.map_or(0, |own| usize::from(own.frame.0))]
    }

    /// The family of the array that a controller is in.
    pub(super) fn family_of(&self, controller: ControllerId) -> &dyn Personality {
        &*self.frame_of(controller).personality
    }

    /// The family of the array that owns a LUN; of the first for a LUN that is not mapped.
    pub(super) fn family_owning(&self, lun: Lun) -> &dyn Personality {
        self.family_of(self.units.get(&lun).map_or(ControllerId::A, |unit| unit.owner))
    }

    /// How the array with a port presents its LUNs.
    pub(super) fn target_of(&self, port: PortId) -> Target {
        self.frame_of(port.controller).target
    }

    /// The state of the array from the point of view of a command.
    pub(super) fn site(&self, arrival: &Arrival) -> Site<'_> {
        let unit = arrival.unit.and_then(|lun| self.units.get(&lun));
        self.site_at(arrival.nexus, arrival.addressed, unit)
    }

    /// The state of the array from the point of view of the owner of a LUN.
    pub(super) fn site_of<'a>(&'a self, unit: &'a Unit) -> Site<'a> {
        let port = PortId { controller: unit.owner, index: 0 };
        let site = self.site_at(Nexus { hba: HbaId(0), port }, unit.lun, Some(unit));
        // Who looks from outside sees every group.
        Site {
            presentation: Presentation { far_groups: FarGroups::Always, ..site.presentation },
            ..site
        }
    }

    fn site_at<'a>(&'a self, nexus: Nexus, lun: Lun, addressed: Option<&'a Unit>) -> Site<'a> {
        let frame = self.frame_of(nexus.port.controller);
        let MetroConfig { following, suspended, far_groups, .. } = self.metro;
        Site {
            nexus,
            lun,
            addressed,
            target: frame.target,
            units: &self.units,
            frames: &self.frames,
            presentation: Presentation { following, suspended, far_groups },
            controllers: &self.controllers,
            identity: &frame.identity,
            captured: &frame.captured,
            captured_groups: &frame.captured_groups,
            personality: &*frame.personality,
        }
    }

    /// Moves a LUN to a controller: at once, or after the transition time of the personality. Does
    /// nothing if the controller already owns the LUN.
    pub(super) fn move_lun(
        &mut self,
        now: Time,
        lun: Lun,
        to: ControllerId,
        by: Option<Nexus>,
        report: &mut Report,
    ) {
        let takes = self.family_owning(lun).transition();
        let Some(unit) = self.units.get_mut(&lun) else { return };
        if unit.split.is_some() {
            return; // Each controller already considers itself the owner.
        }
        if let Some(stretch) = &unit.stretch
            && (stretch.is_split() || !stretch.serving().has(to))
        {
            return; // Each array has an owner, or the array does not serve the LUN.
        }
        if unit.owner == to {
            unit.moving = None;
        } else if takes.is_zero() {
            unit.moving = Some((to, by));
            self.arrive_at(now, lun, to, report);
        } else if unit.moving.is_none_or(|(already, _)| already != to) {
            unit.moving = Some((to, by));
            self.plan(now + takes, Event::Arrival(lun, to), report);
        }
    }

    /// Completes the transition of a LUN, unless the LUN was sent elsewhere in the meantime.
    pub(super) fn arrive_at(&mut self, at: Time, lun: Lun, to: ControllerId, report: &mut Report) {
        let news = self.family_owning(lun).owner_changed();
        let Some(unit) = self.units.get_mut(&lun) else { return };
        let Some((_, by)) = unit.moving.take_if(|(moving, _)| *moving == to) else { return };
        let before = self.group_states(lun);
        if let Some(sense) = self.family_owning(lun).transition_failed(by) {
            self.push_attention(Some(lun), sense, |_| true);
            self.lun_changed(at, lun, LunChange::StaysPut { to }, report);
            return;
        }
        let Some(unit) = self.units.get_mut(&lun) else { return };
        let from = std::mem::replace(&mut unit.owner, to);
        unit.has_moved = true;
        self.note_altered(lun, &before, by);
        if let Some(sense) = news {
            self.push_attention(Some(lun), sense, |nexus| Some(nexus) != by);
        }
        report.change(at, Changed::Owner { lun, from, to, by });
    }
}

impl Arrival {
    fn end(self, completion: Completion) -> Progress {
        Progress::Done(self, completion)
    }

    /// Ends the command without transferring data.
    fn respond(self, response: ServiceResponse) -> Progress {
        let offered = self.offered;
        self.end(Completion::response(response, offered))
    }

    /// Ends the command with the answer of a fault rule.
    fn answer(self, answer: Answer) -> Progress {
        let offered = self.offered;
        self.end(match answer {
            Answer::Sense(sense) => Completion::check(sense, offered),
            Answer::Status(status) => Completion::status(status, offered),
            Answer::Response(response) => Completion::response(response, offered),
        })
    }
}
