//! The parameter lists of PERSISTENT RESERVE OUT (SPC-4 6.16.3, 6.16.4).

use super::{persistent::Key, transport_id, types::ReservationType};
use crate::{
    completion::Stop,
    controller::Controller,
    encoding::{be16, be32, be64},
    ids::{Controllers, HbaId, Nexus, PortId},
    sense::Sense,
    wire::Wire,
};

/// A PERSISTENT RESERVE OUT request. Everything that does not depend on the registrations is
/// checked.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// RESERVATION KEY: the key with which the nexus is registered.
    pub(super) key: Option<Key>,
    pub(super) service: Service,
}

/// The requested service action.
#[derive(Debug, Clone)]
pub(super) enum Service {
    Register(Registration),
    Reserve(ReservationType),
    Release(ReservationType),
    Clear,
    Preempt(Preemption),
    Move(Move),
}

#[derive(Debug, Clone)]
pub(super) struct Registration {
    /// SERVICE ACTION RESERVATION KEY: the new key. `None` removes the registration.
    pub(super) new: Option<Key>,
    /// Whether the existing key is ignored (REGISTER AND IGNORE EXISTING KEY).
    pub(super) ignore_key: bool,
    /// The nexuses of the requesting initiator: the one that received the command or, with
    /// ALL_TG_PT, those of all target ports.
    pub(super) own: Vec<Nexus>,
    /// Whether SPEC_I_PT is set; then `others` contains the nexuses of the initiators in the
    /// parameter list.
    pub(super) names_others: bool,
    pub(super) others: Vec<Nexus>,
    /// APTPL: whether registrations and reservation survive power loss.
    pub(super) outlives_power: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Preemption {
    /// SERVICE ACTION RESERVATION KEY: the key whose registrations are removed. `None` stands for
    /// all other registrations, if all registrants hold the reservation.
    pub(super) victim: Option<Key>,
    /// The type of the reservation that replaces the preempted one.
    pub(super) kind: ReservationType,
    pub(super) abort: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    /// The nexus that receives the reservation.
    pub(super) nexus: Nexus,
    /// The key with which that nexus is registered.
    pub(super) key: Key,
    /// UNREG: whether the registration of the requesting nexus is removed.
    pub(super) unregister: bool,
    /// APTPL: whether registrations and reservation survive power loss.
    pub(super) outlives_power: bool,
}

/// The service action codes (SPC-4 6.16.2).
pub(crate) mod action {
    pub(crate) const REGISTER: u8 = 0;
    pub(crate) const RESERVE: u8 = 1;
    pub(crate) const RELEASE: u8 = 2;
    pub(crate) const CLEAR: u8 = 3;
    pub(crate) const PREEMPT: u8 = 4;
    pub(crate) const PREEMPT_AND_ABORT: u8 = 5;
    pub(crate) const REGISTER_AND_IGNORE: u8 = 6;
    pub(crate) const REGISTER_AND_MOVE: u8 = 7;
}

/// The length in bytes of the parameter list without TransportIDs. Also the offset of the
/// TransportID in the list of REGISTER AND MOVE.
const BASIC: usize = 24;
/// The offset of the TransportIDs in the list of REGISTER. The four bytes before them are their
/// length.
const BEFORE_IDS: usize = 28;
/// The maximum length of a parameter list in bytes.
const LONGEST: u32 = 8192;

/// The flags in byte 20 of the basic parameter list.
const SPEC_I_PT: u8 = 0x08;
const ALL_TG_PT: u8 = 0x04;
const APTPL: u8 = 0x01;
/// The flags in byte 17 of the REGISTER AND MOVE parameter list. APTPL has the same value in both.
const UNREG: u8 = 0x02;

/// The nexus that sent the request, and the controllers whose ports the request can name.
#[derive(Clone, Copy)]
struct Asker<'a> {
    nexus: Nexus,
    controllers: &'a [Controller],
    /// Those whose ports present the LUN.
    presenters: Controllers,
}

/// Reads and checks a CDB and its parameter list.
pub(crate) fn receive(
    nexus: Nexus,
    (controllers, presenters): (&[Controller], Controllers),
    cdb: &[u8],
    wire: &mut Wire<'_>,
) -> Result<Request, Stop> {
    let len = be32(cdb, 5);
    if len > LONGEST || (len as usize) < BASIC {
        return Err(Sense::PARAMETER_LIST_LENGTH.into());
    }
    let list = wire.receive(len as u16)?;
    let service = service(Asker { nexus, controllers, presenters }, cdb, &list)?;
    Ok(Request { key: Key::new(be64(&list, 0)), service })
}

fn service(asker: Asker<'_>, cdb: &[u8], list: &[u8]) -> Result<Service, Sense> {
    let action = cdb[1] & 0x1f;
    let new = Key::new(be64(list, 8));
    if action == action::REGISTER_AND_MOVE {
        return hand_over(asker, new, list).map(Service::Move);
    }
    let names_others = list[20] & SPEC_I_PT != 0;
    if names_others && action != action::REGISTER {
        return Err(Sense::parameter_field(20));
    }
    if !names_others && list.len() != BASIC {
        return Err(Sense::PARAMETER_LIST_LENGTH);
    }
    let preempt = |abort| {
        Ok(Service::Preempt(Preemption { victim: new, kind: reservation_type(cdb)?, abort }))
    };
    match action {
        action::REGISTER => registration(asker, new, false, list).map(Service::Register),
        action::REGISTER_AND_IGNORE => registration(asker, new, true, list).map(Service::Register),
        action::RESERVE => Ok(Service::Reserve(reservation_type(cdb)?)),
        action::RELEASE => Ok(Service::Release(reservation_type(cdb)?)),
        action::CLEAR => Ok(Service::Clear),
        action::PREEMPT => preempt(false),
        action::PREEMPT_AND_ABORT => preempt(true),
        _ => Err(Sense::cdb_field(1)),
    }
}

/// The scope and the type in byte 2. The only supported scope is LU_SCOPE, 0 (SPC-4 6.15.3.3).
fn reservation_type(cdb: &[u8]) -> Result<ReservationType, Sense> {
    let (scope, code) = (cdb[2] >> 4, cdb[2] & 0x0f);
    ReservationType::of(code).filter(|_| scope == 0).ok_or(Sense::cdb_field(2))
}

fn registration(
    asker: Asker<'_>,
    new: Option<Key>,
    ignore_key: bool,
    list: &[u8],
) -> Result<Registration, Sense> {
    let flags = list[20];
    let names_others = flags & SPEC_I_PT != 0;
    let ports = match flags & ALL_TG_PT {
        0 => vec![asker.nexus.port],
        _ => PortId::of(asker.presenters, asker.controllers).collect(),
    };
    let hbas = if names_others { initiators(list)? } else { Vec::new() };
    let through_all = |hba: HbaId| ports.iter().map(move |port| Nexus { hba, port: *port });
    let own: Vec<Nexus> = through_all(asker.nexus.hba).collect();
    let mut others: Vec<Nexus> = hbas.into_iter().flat_map(through_all).collect();
    others.sort_unstable();
    others.dedup();
    others.retain(|nexus| !own.contains(nexus));
    let outlives_power = flags & APTPL != 0;
    Ok(Registration { new, ignore_key, own, names_others, others, outlives_power })
}

/// The initiators whose TransportIDs begin at byte 28 of a REGISTER parameter list.
fn initiators(list: &[u8]) -> Result<Vec<HbaId>, Sense> {
    if list.len() < BEFORE_IDS || be32(list, 24) as usize != list.len() - BEFORE_IDS {
        return Err(Sense::PARAMETER_LIST_LENGTH);
    }
    let ids = list[BEFORE_IDS..].chunks(transport_id::LEN).enumerate();
    ids.map(|(index, id)| {
        let at = BEFORE_IDS + index * transport_id::LEN;
        transport_id::parse(id)
            .filter(|_| id.len() == transport_id::LEN)
            .ok_or(Sense::parameter_field(at as u16))
    })
    .collect()
}

fn hand_over(asker: Asker<'_>, new: Option<Key>, list: &[u8]) -> Result<Move, Sense> {
    if be32(list, 20) as usize != list.len() - BASIC {
        return Err(Sense::PARAMETER_LIST_LENGTH);
    }
    let key = new.ok_or(Sense::parameter_field(8))?;
    let port = port(asker, be16(list, 18)).ok_or(Sense::parameter_field(18))?;
    let id = &list[BASIC..];
    let hba = transport_id::parse(id).filter(|_| id.len() == transport_id::LEN);
    let hba = hba.ok_or(Sense::parameter_field(24))?;
    let (unregister, outlives_power) = (list[17] & UNREG != 0, list[17] & APTPL != 0);
    Ok(Move { nexus: Nexus { hba, port }, key, unregister, outlives_power })
}

/// The port with this relative target port identifier.
fn port(asker: Asker<'_>, relative: u16) -> Option<PortId> {
    PortId::with_relative(relative, asker.presenters, asker.controllers)
}
