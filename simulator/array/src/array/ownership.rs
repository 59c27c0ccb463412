//! Changes of ownership that the array makes on its own, according to its ownership policy.

use sansim_time::Time;

use super::{agenda::Event, report::Report, state::State};
use crate::{
    controller::ControllerState,
    ids::{ControllerId, FrameId, Lun, Nexus},
    unit::Unit,
};

impl State {
    /// Applies the ownership policy when a controller changes its state. If the controller stays
    /// away from `Online` for the takeover time, in whatever states, its LUNs are taken over. If it
    /// then stays online for the failback time, its preferred LUNs return to it.
    pub(super) fn ownership_follows(
        &mut self,
        now: Time,
        controller: ControllerId,
        from: ControllerState,
        to: ControllerState,
        report: &mut Report,
    ) {
        let (was_online, is_online) =
            (from == ControllerState::Online, to == ControllerState::Online);
        if was_online == is_online {
            return;
        }
        self.forget_moves(controller);
        if !is_online {
            self.plan_takeover(now, controller, report);
            return;
        }
        if let Some(after) = self.frame_of(controller).ownership.failback {
            self.plan(now + after, Event::Failback(controller), report);
        }
        // Now a controller is online again that can take over from those that are away.
        let mates = self.frame_of(controller).controllers;
        let away: Vec<_> =
            self.controller_ids().filter(|it| mates.has(*it) && !self.is_online(*it)).collect();
        for controller in away {
            self.forget_moves(controller);
            self.plan_takeover(now, controller, report);
        }
    }

    fn plan_takeover(&mut self, now: Time, controller: ControllerId, report: &mut Report) {
        if let Some(after) = self.frame_of(controller).ownership.takeover {
            self.plan(now + after, Event::Takeover(controller), report);
        }
    }

    /// Moves the LUNs of a controller to the next controller that is online.
    pub(super) fn take_over(&mut self, at: Time, from: ControllerId, report: &mut Report) {
        if let Some(to) = self.next_online(from) {
            self.move_those(at, to, |unit| unit.owner == from, report);
        }
    }

    /// Moves the LUNs that prefer a controller to that controller.
    pub(super) fn fail_back(&mut self, at: Time, to: ControllerId, report: &mut Report) {
        self.move_those(at, to, |unit| unit.preferred == to, report);
    }

    /// Moves every LUN of an array to the next controller that is online, and plans the next such move.
    pub(super) fn ping_pong(&mut self, at: Time, frame: FrameId, report: &mut Report) {
        let own = self.frames[usize::from(frame.0)].controllers;
        let owners = self.units.values().map(|unit| (unit.lun, unit.owner));
        let owners: Vec<_> = owners.filter(|(_, owner)| own.has(*owner)).collect();
        for (lun, owner) in owners {
            if let Some(to) = self.next_online(owner) {
                self.move_lun(at, lun, to, None, report);
            }
        }
        self.plan_ping_pong(at, frame, report);
    }

    pub(super) fn plan_ping_pongs(&mut self, now: Time, report: &mut Report) {
        for frame in 0..self.frames.len() as u8 {
            self.plan_ping_pong(now, FrameId(frame), report);
        }
    }

    fn plan_ping_pong(&mut self, now: Time, frame: FrameId, report: &mut Report) {
        if let Some(every) = self.frames[usize::from(frame.0)].ownership.ping_pong {
            self.plan(now + every, Event::PingPong(frame), report);
        }
    }

    /// Counts medium accesses through a controller that does not own the LUN. After enough of them
    /// in a row, the LUN moves to that controller.
    pub(super) fn follow_io(&mut self, now: Time, lun: Lun, nexus: Nexus, report: &mut Report) {
        let to = nexus.port.controller;
        let frame = self.frame_of(to);
        let (mates, enough) = (frame.controllers, frame.ownership.follow_io);
        let (Some(enough), Some(unit)) = (enough, self.units.get_mut(&lun)) else { return };
        if !mates.has(unit.owner) {
            return; // The other array of a stretched volume owns the LUN.
        }
        unit.astray = if unit.owner == to { 0 } else { unit.astray + 1 };
        if unit.astray >= enough.get() {
            unit.astray = 0;
            self.move_lun(now, lun, to, None, report);
        }
    }

    fn move_those(
        &mut self,
        at: Time,
        to: ControllerId,
        which: impl Fn(&Unit) -> bool,
        report: &mut Report,
    ) {
        let luns = self.units.values().filter(|unit| which(unit)).map(|unit| unit.lun);
        for lun in luns.collect::<Vec<_>>() {
            self.move_lun(at, lun, to, None, report);
        }
    }

    /// The next controller after `behind` in its array that is online, in circular order; `None` if there
    /// is no other.
    fn next_online(&self, behind: ControllerId) -> Option<ControllerId> {
        let mates = self.frame_of(behind).controllers;
        let count = self.controllers.len();
        let others = (1..count).map(|step| (behind.index() + step) % count);
        others.filter_map(ControllerId::new).find(|it| mates.has(*it) && self.is_online(*it))
    }

    pub(super) fn is_online(&self, controller: ControllerId) -> bool {
        self.controllers[controller.index()].state == ControllerState::Online
    }

    fn controller_ids(&self) -> impl Iterator<Item = ControllerId> + use<> {
        (0..self.controllers.len()).filter_map(ControllerId::new)
    }
}
