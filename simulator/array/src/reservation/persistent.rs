//! Who is registered, and who holds the reservation (SPC-4 5.13).

use std::{collections::BTreeMap, num::NonZeroU64};

use super::types::{Access, ReservationType, Sharing};
use crate::ids::Nexus;

/// A reservation key. Zero stands for none.
pub(crate) type Key = NonZeroU64;

/// The registrations and the persistent reservation of a LUN.
#[derive(Debug, Clone, Default)]
pub(crate) struct Persistent {
    /// PRGENERATION: counts what changed registrations, or took reservations away, since power-on.
    pub(super) generation: u32,
    pub(super) keys: BTreeMap<Nexus, Key>,
    pub(super) held: Option<Held>,
    /// Whether all this is to outlive the loss of power (APTPL), as the last registration said.
    pub(super) outlives_power: bool,
}

/// A reservation that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(super) kind: ReservationType,
    pub(super) holder: Holder,
}

/// Who holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// This one.
    Nexus(Nexus),
    /// Whoever is registered.
    Registrants,
}

impl Held {
    /// A reservation that a nexus takes.
    pub(super) fn new(nexus: Nexus, kind: ReservationType) -> Held {
        let holder = match kind.sharing {
            Sharing::AllRegistrants => Holder::Registrants,
            Sharing::HolderOnly | Sharing::RegistrantsOnly => Holder::Nexus(nexus),
        };
        Held { kind, holder }
    }
}

impl Persistent {
    /// The most registrations of a LUN.
    pub(crate) const MAX_KEYS: usize = 128;

    /// Whether a nexus holds the reservation.
    pub(super) fn holds(&self, nexus: Nexus) -> bool {
        self.held.is_some_and(|held| match held.holder {
            Holder::Nexus(holder) => holder == nexus,
            Holder::Registrants => self.keys.contains_key(&nexus),
        })
    }

    /// What the reservation keeps a nexus from, if it keeps it from anything.
    pub(super) fn held_against(&self, nexus: Nexus) -> Option<Access> {
        let held = self.held?;
        let free = match held.kind.sharing {
            Sharing::HolderOnly => self.holds(nexus),
            Sharing::RegistrantsOnly | Sharing::AllRegistrants => self.keys.contains_key(&nexus),
        };
        (!free).then_some(held.kind.access)
    }

    /// The array has lost its power.
    pub(super) fn lose_power(&mut self) {
        self.generation = 0;
        if !self.outlives_power {
            *self = Persistent::default();
        }
    }
}
