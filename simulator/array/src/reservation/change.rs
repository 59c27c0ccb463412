//! The effect of PERSISTENT RESERVE OUT (SPC-4 5.13.5 to 5.13.11).

use super::{
    persistent::{Held, Holder, Key, Persistent},
    request::{Move, Preemption, Registration, Request, Service},
    types::{ReservationType, Sharing},
};
use crate::{completion::Stop, ids::Nexus, sense::Sense};

/// The effect of a reservation command on other nexuses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// The unit attentions to queue, with their nexuses.
    pub(crate) told: Vec<(Nexus, Sense)>,
    /// The nexuses whose commands are aborted.
    pub(crate) aborted: Vec<Nexus>,
}

impl Persistent {
    /// Carries out a request. If it fails, nothing changes.
    pub(super) fn change(&mut self, nexus: Nexus, request: &Request) -> Result<News, Stop> {
        let key = request.key;
        match &request.service {
            Service::Register(registration) => self.register(nexus, key, registration),
            Service::Reserve(kind) => self.admit(nexus, key)?.reserve(nexus, *kind),
            Service::Release(kind) => self.admit(nexus, key)?.release(nexus, *kind),
            Service::Clear => Ok(self.admit(nexus, key)?.clear(nexus)),
            Service::Preempt(preemption) => self.admit(nexus, key)?.preempt(nexus, preemption),
            Service::Move(to) => self.admit(nexus, key)?.hand_over(nexus, to),
        }
    }

    /// Fails with RESERVATION CONFLICT unless the nexus is registered with this key.
    fn admit(&mut self, nexus: Nexus, key: Option<Key>) -> Result<&mut Self, Stop> {
        let registered = key.is_some() && self.keys.get(&nexus).copied() == key;
        if registered { Ok(self) } else { Err(Stop::Conflict) }
    }

    /// REGISTER and REGISTER AND IGNORE EXISTING KEY (SPC-4 5.13.7). The request applies to all
    /// specified nexuses or, if it fails, to none.
    fn register(
        &mut self,
        nexus: Nexus,
        key: Option<Key>,
        registration: &Registration,
    ) -> Result<News, Stop> {
        let Registration { new, ignore_key, own, others, .. } = registration;
        let known = |nexus: &Nexus| self.keys.contains_key(nexus);
        if !ignore_key && own.iter().any(|nexus| self.keys.get(nexus).copied() != key) {
            return Err(Stop::Conflict);
        }
        if registration.names_others && known(&nexus) {
            return Err(Sense::parameter_field(20).into());
        }
        match new {
            Some(new) => {
                if others.iter().any(known) {
                    return Err(Stop::Conflict);
                }
                let more = own.iter().chain(others).filter(|nexus| !known(nexus)).count();
                if self.keys.len() + more > Self::MAX_KEYS {
                    return Err(Sense::NO_ROOM_TO_REGISTER.into());
                }
                self.keys.extend(own.iter().chain(others).map(|nexus| (*nexus, *new)));
            }
            None if !own.iter().any(known) => return Ok(News::default()),
            None => {}
        }
        self.outlives_power = registration.outlives_power;
        self.count();
        Ok(if new.is_none() { self.unregister(own) } else { News::default() })
    }

    /// Removes registrations (SPC-4 5.13.11.1.3). If the holder is among them, its reservation is
    /// released.
    fn unregister(&mut self, nexuses: &[Nexus]) -> News {
        nexuses.iter().for_each(|nexus| _ = self.keys.remove(nexus));
        let lost = self.held.filter(|held| match held.holder {
            Holder::Nexus(holder) => nexuses.contains(&holder),
            Holder::Registrants => self.keys.is_empty(),
        });
        let Some(lost) = lost else { return News::default() };
        self.held = None;
        if lost.kind.sharing == Sharing::HolderOnly {
            return News::default();
        }
        self.tell_others(None, Sense::RESERVATIONS_RELEASED)
    }

    /// RESERVE (SPC-4 5.13.9). It is not an error if the nexus holds a reservation of the same type
    /// already.
    fn reserve(&mut self, nexus: Nexus, kind: ReservationType) -> Result<News, Stop> {
        match self.held {
            Some(held) if held.kind != kind || !self.holds(nexus) => Err(Stop::Conflict),
            _ => {
                self.held = Some(Held::new(nexus, kind));
                Ok(News::default())
            }
        }
    }

    /// RELEASE (SPC-4 5.13.11.1.2). It is not an error if the nexus holds no reservation.
    fn release(&mut self, nexus: Nexus, kind: ReservationType) -> Result<News, Stop> {
        let Some(held) = self.held.filter(|_| self.holds(nexus)) else {
            return Ok(News::default());
        };
        if held.kind != kind {
            return Err(Sense::INVALID_RELEASE.into());
        }
        self.held = None;
        if kind.sharing == Sharing::HolderOnly {
            return Ok(News::default());
        }
        Ok(self.tell_others(Some(nexus), Sense::RESERVATIONS_RELEASED))
    }

    /// CLEAR (SPC-4 5.13.11.1.6): removes the reservation and all registrations.
    fn clear(&mut self, nexus: Nexus) -> News {
        let news = self.tell_others(Some(nexus), Sense::RESERVATIONS_PREEMPTED);
        self.keys.clear();
        self.held = None;
        self.count();
        news
    }

    /// PREEMPT and PREEMPT AND ABORT (SPC-4 5.13.11.1.4, 5.13.11.1.5).
    fn preempt(&mut self, nexus: Nexus, preemption: &Preemption) -> Result<News, Stop> {
        let all_hold = self.held.is_some_and(|held| held.holder == Holder::Registrants);
        let Preemption { victim, kind, abort } = *preemption;
        let (victims, takes): (Vec<Nexus>, bool) = match victim {
            None if all_hold => {
                (self.keys.keys().copied().filter(|it| *it != nexus).collect(), true)
            }
            None => return Err(Sense::parameter_field(8).into()),
            Some(key) => {
                let theirs = self.keys.iter().filter(|(_, other)| **other == key);
                let victims: Vec<Nexus> = theirs.map(|(nexus, _)| *nexus).collect();
                let takes = !all_hold && victims.iter().any(|victim| self.holds(*victim));
                (victims, takes)
            }
        };
        if victims.is_empty() && victim.is_some() {
            return Err(Stop::Conflict);
        }
        let mut told = Vec::new();
        for victim in victims.iter().filter(|victim| **victim != nexus) {
            self.keys.remove(victim);
            told.push((*victim, Sense::REGISTRATIONS_PREEMPTED));
        }
        if takes && self.held.replace(Held::new(nexus, kind)).is_some_and(|it| it.kind != kind) {
            told.extend(self.tell_others(Some(nexus), Sense::RESERVATIONS_RELEASED).told);
        }
        self.count();
        Ok(News { told, aborted: if abort { victims } else { Vec::new() } })
    }

    /// REGISTER AND MOVE (SPC-4 5.13.8): the holder registers another nexus and moves its
    /// reservation to it.
    fn hand_over(&mut self, nexus: Nexus, to: &Move) -> Result<News, Stop> {
        let held = self.held.filter(|held| held.holder == Holder::Nexus(nexus));
        let Some(held) = held else { return Err(Stop::Conflict) };
        if to.nexus == nexus {
            return Err(Sense::parameter_field(24).into());
        }
        let leaves = usize::from(to.unregister);
        let comes = usize::from(!self.keys.contains_key(&to.nexus));
        if self.keys.len() + comes - leaves > Self::MAX_KEYS {
            return Err(Sense::NO_ROOM_TO_REGISTER.into());
        }
        self.keys.insert(to.nexus, to.key);
        if to.unregister {
            self.keys.remove(&nexus);
        }
        self.held = Some(Held::new(to.nexus, held.kind));
        self.outlives_power = to.outlives_power;
        self.count();
        Ok(News::default())
    }

    /// A unit attention for every registered nexus except one.
    fn tell_others(&self, but: Option<Nexus>, sense: Sense) -> News {
        let others = self.keys.keys().filter(|nexus| Some(**nexus) != but);
        News { told: others.map(|nexus| (*nexus, sense)).collect(), aborted: Vec::new() }
    }

    /// Increments PRGENERATION (SPC-4 6.15.2.2).
    fn count(&mut self) {
        self.generation = self.generation.wrapping_add(1);
    }
}
