//! Serving a command: the checks before it is carried out, and the dispatch to the command
//! handlers.

use sansim_time::Time;

use super::{
    arrival::{Arrival, GoesWrong, Transfer},
    report::Report,
    state::{Progress, State},
};
use crate::{
    canary::Canary,
    completion::Stop,
    encoding::be32,
    fault::DataFault,
    ids::Lun,
    observe::{LunChange, Stage},
    operation::{Kind, Operation},
    personality::{Effect, Gate, Site},
    reservation::{self, Change},
    scsi::{
        capacity,
        corrupt::Corruption,
        data_buffer, diagnostic, inquiry, log_sense,
        medium::{self, Access},
        mode_select::{self, Selected},
        mode_sense, report as reports, vpd,
    },
    sense::Sense,
    status::ServiceResponse,
    unit::{
        Unit,
        data_buffers::{DataBuffers, Written},
    },
    wire::Wire,
};

/// The maximum length of a SET TARGET PORT GROUPS parameter list, in bytes. Enough for more groups
/// than an array can have.
const MAX_PORT_GROUP_LIST: u32 = 4096;

/// What remains to be done after a command was checked.
enum Served {
    /// Nothing: the command has been carried out.
    Answered,
    /// Apply the mode parameters.
    Selected(Selected),
    /// Apply the change of ownership or of target port group states.
    Effect(Effect),
    /// Start or stop the LUN, and apply the change of ownership.
    StartStop(bool, Effect),
    /// Change the reservations of the LUN.
    Reservation(Change),
    /// Change the nexus's data buffers.
    Buffer(Written),
    /// Transfer the data of the medium access.
    Access(Access, Gate),
}

impl State {
    pub(super) fn serve(
        &mut self,
        now: Time,
        mut arrival: Arrival,
        wire: &mut Wire<'_>,
        report: &mut Report,
    ) -> Progress {
        arrival.unit = self.volume(arrival.nexus, arrival.addressed);
        let served = self.look_at(&arrival, wire);
        let result = match served {
            Ok(Served::Access(access, gate)) => {
                return self.let_in(now, arrival, access, gate, wire, report);
            }
            Ok(Served::Selected(selected)) => {
                let shared = vpd::shares_control_page(&self.site(&arrival));
                if let Some(unit) = arrival.unit.and_then(|lun| self.units.get_mut(&lun)) {
                    match shared {
                        true => unit.share_control(arrival.nexus, selected.control),
                        false => unit.nexus(arrival.nexus).control = selected.control,
                    }
                }
                self.put_into_effect(now, &arrival, selected.effect, report)
            }
            Ok(Served::Reservation(change)) => self.change_reservations(&arrival, &change, report),
            Ok(Served::Effect(effect)) => self.put_into_effect(now, &arrival, effect, report),
            Ok(Served::StartStop(start, effect)) => {
                self.start_or_stop(now, &arrival, start, report);
                self.put_into_effect(now, &arrival, effect, report)
            }
            Ok(Served::Buffer(written)) => {
                if let Some(unit) = arrival.unit.and_then(|lun| self.units.get_mut(&lun)) {
                    unit.nexus(arrival.nexus).buffers.write(written);
                }
                Ok(())
            }
            Ok(Served::Answered) => Ok(()),
            Err(stop) => Err(stop),
        };
        Progress::Done(arrival, wire.completion(result))
    }

    /// Checks a command, and carries it out if it changes no state. The order of the checks follows
    /// SAM-5 5.14 and SPC-4 4.5: unit attentions, the LUN, the operation code, the state of the
    /// controller, reservations, and then the checks of the operation.
    fn look_at(&mut self, arrival: &Arrival, wire: &mut Wire<'_>) -> Result<Served, Stop> {
        if !self.answers(arrival.nexus) {
            return Err(Stop::Undelivered(ServiceResponse::BadTarget));
        }
        let kind = arrival.op.map(|op| op.kind);
        let attention = self.attention(arrival, kind);
        if kind != Some(Kind::RequestSense)
            && let Some(sense) = attention
        {
            return Err(sense.into());
        }
        if kind == Some(Kind::ReportLuns) {
            self.forget_luns_changed(arrival);
        }
        let site = self.site(arrival);
        let Some(op) = arrival.op.filter(|op| site.personality.supports(op)) else {
            return Err(match site.unit() {
                // A reserved service action (SPC-4 4.2.5.2) is an invalid field.
                Some(_) if Operation::has_unknown_action(&arrival.cdb) => {
                    Sense::cdb_field(1).into()
                }
                Some(_) => Sense::INVALID_OPCODE.into(),
                None if site.lun == Lun::REPORT_LUNS => Sense::INVALID_OPCODE.into(),
                None => Sense::LUN_NOT_SUPPORTED.into(),
            });
        };
        if arrival.cdb.len() < op.cdb_len() {
            return Err(Sense::INVALID_FIELD_IN_CDB.into());
        }
        let cdb = arrival.cdb.padded();
        if op.wants_aca(cdb) {
            // NORMACA in the INQUIRY data is 0: the array has no ACA condition (SAM-5 5.2).
            return Err(Sense::cdb_field(op.cdb_len() as u16 - 1).into());
        }
        let Some(unit) = site.unit() else { return serve_unmapped(&site, op, cdb, wire) };
        let not_ready = site.personality.not_ready(&site, op).or_else(|| unit.stops(op));
        match (op.kind, not_ready) {
            (Kind::RequestSense, not_ready) => {
                let sense = attention.or(not_ready).unwrap_or(Sense::NO_SENSE);
                reports::request_sense(sense, cdb, wire)?;
                Ok(Served::Answered)
            }
            (_, Some(sense)) => Err(sense.into()),
            (kind, None)
                if unit.reservations.forbid(arrival.nexus, kind, cdb)
                    && !site.personality.judges_reservations(op) =>
            {
                Err(Stop::Conflict)
            }
            (_, None) => serve_mapped(&site, unit, op, cdb, wire),
        }
    }

    /// Records that the nexus has sent a command to the LUN, and takes the unit attention that must
    /// be reported first. INQUIRY and REPORT LUNS never report one (SPC-4 6.6.1, 6.33).
    fn attention(&mut self, arrival: &Arrival, kind: Option<Kind>) -> Option<Sense> {
        let view = self.units.get_mut(&arrival.unit?)?.nexus(arrival.nexus);
        let sense = match kind {
            Some(Kind::Inquiry | Kind::ReportLuns) => None,
            _ => view.attentions.pop(),
        };
        view.startled |= sense.is_some() && arrival.stage == Stage::Story;
        sense
    }

    /// REPORT LUNS clears REPORTED LUNS DATA HAS CHANGED, because it returns the new data (SPC-4
    /// 6.33).
    fn forget_luns_changed(&mut self, arrival: &Arrival) {
        for unit in self.units.values_mut() {
            if let Some(view) = unit.nexuses.get_mut(&arrival.nexus) {
                view.attentions.clear(&Sense::LUNS_CHANGED);
            }
        }
    }

    /// Lets a medium access proceed that passed every check. It may move the LUN.
    fn let_in(
        &mut self,
        now: Time,
        mut arrival: Arrival,
        access: Access,
        gate: Gate,
        wire: &Wire<'_>,
        report: &mut Report,
    ) -> Progress {
        if let Some(lun) = arrival.unit {
            if gate == Gate::TakeOver {
                let to = arrival.nexus.port.controller;
                self.move_lun(now, lun, to, Some(arrival.nexus), report);
            }
            self.follow_io(now, lun, arrival.nexus, report);
        }
        if let Some(corruption) = self.planted(&arrival, &access) {
            let data = DataFault { corrupt: Some(corruption), short: None };
            arrival.goes_wrong = Some(GoesWrong { data, random: 0 });
        }
        match arrival.unit.and_then(|lun| self.units.get(&lun)) {
            Some(unit) => {
                let store = unit.store_at(arrival.nexus.port.controller).clone();
                let block_bytes = unit.block_bytes;
                Progress::Go(Transfer { arrival, access, block_bytes, store })
            }
            None => {
                let gone = wire.completion(Err(Sense::LUN_NOT_SUPPORTED.into()));
                Progress::Done(arrival, gone)
            }
        }
    }

    /// What the planted bug does to a medium access.
    fn planted(&mut self, arrival: &Arrival, access: &Access) -> Option<Corruption> {
        let unit = self.units.get_mut(&arrival.unit?)?;
        let (strikes, corruption) = match (self.canary?, access) {
            (Canary::LostWrite, Access::Write(_)) => {
                (&mut unit.nexus(arrival.nexus).startled, Corruption::DroppedWrite)
            }
            (Canary::StaleRead, Access::Read(_)) => (&mut unit.has_moved, Corruption::StaleRead),
            _ => return None,
        };
        std::mem::take(strikes).then_some(corruption)
    }

    /// START and STOP concern the LUN for all nexuses (SBC-3 5.25).
    fn start_or_stop(&mut self, now: Time, arrival: &Arrival, start: bool, report: &mut Report) {
        let Some(lun) = arrival.unit else { return };
        let Some(unit) = self.units.get_mut(&lun).filter(|unit| unit.stopped == start) else {
            return;
        };
        unit.stopped = !start;
        self.lun_changed(now, lun, LunChange::Stopped(!start), report);
    }

    fn put_into_effect(
        &mut self,
        now: Time,
        arrival: &Arrival,
        effect: Effect,
        report: &mut Report,
    ) -> Result<(), Stop> {
        match effect {
            Effect::None => return Ok(()),
            Effect::Take(luns) => {
                let to = arrival.nexus.port.controller;
                for lun in luns {
                    self.move_lun(now, lun, to, Some(arrival.nexus), report);
                }
            }
            Effect::Groups(change) => {
                let Some(lun) = arrival.unit else { return Ok(()) };
                self.change_groups(now, lun, change, Some(arrival.nexus), report);
            }
        }
        let unit = arrival.unit.and_then(|lun| self.units.get(&lun));
        let moving = unit.is_some_and(|unit| unit.moving.is_some());
        let sense = self.family_of(arrival.nexus.port.controller).on_its_way().filter(|_| moving);
        sense.map_or(Ok(()), |sense| Err(sense.into()))
    }
}

/// Answers a command to a LUN that is not mapped (SPC-4 6.6.1, 6.33, 6.39).
fn serve_unmapped(
    site: &Site<'_>,
    op: &Operation,
    cdb: &[u8],
    wire: &mut Wire<'_>,
) -> Result<Served, Stop> {
    match op.kind {
        Kind::Inquiry => inquiry::inquiry(site, cdb, wire)?,
        Kind::ReportLuns => reports::report_luns(site, cdb, wire)?,
        // What a well-known logical unit must do (SPC-4 9.2), and nothing else.
        Kind::RequestSense if site.lun == Lun::REPORT_LUNS => {
            reports::request_sense(Sense::NO_SENSE, cdb, wire)?;
        }
        Kind::TestUnitReady if site.lun == Lun::REPORT_LUNS => {}
        _ if site.lun == Lun::REPORT_LUNS => return Err(Sense::INVALID_OPCODE.into()),
        Kind::RequestSense => reports::request_sense(Sense::LUN_NOT_SUPPORTED, cdb, wire)?,
        _ => return Err(Sense::LUN_NOT_SUPPORTED.into()),
    }
    Ok(Served::Answered)
}

fn serve_mapped(
    site: &Site<'_>,
    unit: &Unit,
    op: &Operation,
    cdb: &[u8],
    wire: &mut Wire<'_>,
) -> Result<Served, Stop> {
    match op.kind {
        Kind::TestUnitReady => {}
        Kind::StartStopUnit => {
            let start = cdb[4] & 0x01 != 0;
            return Ok(Served::StartStop(start, site.personality.start_stop(site, cdb)?));
        }
        Kind::SendDiagnostic => diagnostic::send_diagnostic(cdb, wire)?,
        Kind::ReceiveDiagnostic => diagnostic::receive_diagnostic(cdb, wire)?,
        Kind::LogSense => log_sense::log_sense(cdb, wire)?,
        Kind::ReadBuffer => {
            let none = DataBuffers::default();
            let buffers = unit.nexuses.get(&site.nexus).map_or(&none, |view| &view.buffers);
            data_buffer::read_buffer(buffers, cdb, wire)?;
        }
        Kind::WriteBuffer => return data_buffer::write_buffer(cdb, wire).map(Served::Buffer),
        Kind::Inquiry => inquiry::inquiry(site, cdb, wire)?,
        Kind::ReportLuns => reports::report_luns(site, cdb, wire)?,
        Kind::ReportOpcodes => reports::report_opcodes(site, cdb, wire)?,
        Kind::ReportTargetPortGroups => {
            let data = site.personality.report_port_groups(site, cdb)?;
            wire.send(&data, be32(cdb, 6) as usize)?;
        }
        Kind::SetTargetPortGroups => {
            let list = wire.receive(be32(cdb, 6).min(MAX_PORT_GROUP_LIST) as u16)?;
            return Ok(Served::Effect(site.personality.set_port_groups(site, &list)?));
        }
        Kind::RequestSense => reports::request_sense(Sense::NO_SENSE, cdb, wire)?,
        Kind::ReadCapacity10 => capacity::read_capacity_10(unit, cdb, wire)?,
        Kind::ReadCapacity16 => capacity::read_capacity_16(unit, cdb, wire)?,
        Kind::ModeSense => mode_sense::mode_sense(site, unit, cdb, wire)?,
        Kind::ModeSelect => {
            return mode_select::mode_select(site, unit, cdb, wire).map(Served::Selected);
        }
        Kind::Reserve | Kind::Release => {
            return reservation::spc2::request(op.kind, cdb).map(Served::Reservation);
        }
        Kind::PersistentReserveIn => {
            let persistent = unit.reservations.persistent_answers()?;
            reservation::report::persistent_reserve_in(site.controllers, persistent, cdb, wire)?;
        }
        Kind::PersistentReserveOut => {
            let request = reservation::request::receive(
                site.nexus,
                (site.controllers, site.presenters()),
                cdb,
                wire,
            )?;
            return Ok(Served::Reservation(Change::Persistent(request)));
        }
        Kind::Read
        | Kind::Write
        | Kind::Verify
        | Kind::WriteAndVerify
        | Kind::CompareAndWrite
        | Kind::OrWrite
        | Kind::Prefetch
        | Kind::SynchronizeCache
        | Kind::WriteSame
        | Kind::Unmap
        | Kind::FormatUnit
        | Kind::GetLbaStatus => {
            let gate = site.personality.medium_access(site);
            if let Gate::Shut(sense) = gate {
                return Err(sense.into());
            }
            let access = medium::plan(unit, op, cdb, wire)?;
            return Ok(Served::Access(access, gate));
        }
    }
    Ok(Served::Answered)
}
