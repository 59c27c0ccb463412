//! The registrations and the persistent reservation of a LUN (SPC-4 5.13).

use std::{collections::BTreeMap, num::NonZeroU64};

use super::types::{Access, ReservationType, Sharing};
use crate::ids::Nexus;

/// A reservation key. Zero means no key.
pub(crate) type Key = NonZeroU64;

/// The registrations and the persistent reservation of a LUN.
#[derive(Debug, Clone, Default)]
pub(crate) struct Persistent {
    /// PRGENERATION: the number of changes since power-on that affected registrations or preempted
    /// reservations.
    pub(super) generation: u32,
    pub(super) keys: BTreeMap<Nexus, Key>,
    pub(super) held: Option<Held>,
    /// Whether the registrations and the reservation survive power loss (APTPL), as the last
    /// registration requested.
    pub(super) outlives_power: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(super) kind: ReservationType,
    pub(super) holder: Holder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Only this nexus (all other types).
    Nexus(Nexus),
    /// Every registered nexus (the All Registrants types).
    Registrants,
}

impl Held {
    /// The reservation that results when a nexus reserves with this type.
    pub(super) fn new(nexus: Nexus, kind: ReservationType) -> Held {
        let holder = match kind.sharing {
            Sharing::AllRegistrants => Holder::Registrants,
            Sharing::HolderOnly | Sharing::RegistrantsOnly => Holder::Nexus(nexus),
        };
        Held { kind, holder }
    }
}

impl Persistent {
    /// The maximum number of registrations of a LUN.
    pub(crate) const MAX_KEYS: usize = 128;

    /// Whether the nexus holds the reservation.
    pub(super) fn holds(&self, nexus: Nexus) -> bool {
        self.held.is_some_and(|held| match held.holder {
            Holder::Nexus(holder) => holder == nexus,
            Holder::Registrants => self.keys.contains_key(&nexus),
        })
    }

    /// The access restriction that the reservation imposes on a nexus; `None` if it imposes none.
    pub(super) fn held_against(&self, nexus: Nexus) -> Option<Access> {
        let held = self.held?;
        let free = match held.kind.sharing {
            Sharing::HolderOnly => self.holds(nexus),
            Sharing::RegistrantsOnly | Sharing::AllRegistrants => self.keys.contains_key(&nexus),
        };
        (!free).then_some(held.kind.access)
    }

    /// The array loses power. PRGENERATION restarts at 0. Without APTPL, the registrations and the
    /// reservation are lost.
    pub(super) fn lose_power(&mut self) {
        self.generation = 0;
        if !self.outlives_power {
            *self = Persistent::default();
        }
    }
}
