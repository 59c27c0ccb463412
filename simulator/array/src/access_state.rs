//! Asymmetric access states (SPC-4 5.15.2.4) and what is served in each.

use std::{fmt, str::FromStr};

use crate::{
    names::{Names, choices, name_of, named},
    operation::{Kind, Operation},
    sense::Sense,
};

/// The state of a target port group for a LUN; the number is its code (SPC-4 table 287).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AccessState {
    /// Everything is served, as well as can be.
    Optimized = 0x0,
    /// Everything is served, with a detour.
    NonOptimized = 0x1,
    /// Parameters are told, but the medium is not accessed: 02/04/0B.
    Standby = 0x2,
    /// Hardly anything is told: 02/04/0C.
    Unavailable = 0x3,
    /// Some blocks are served better here, some elsewhere; here all are served.
    LbaDependent = 0x4,
    /// Nothing but INQUIRY, REPORT LUNS and the port groups: 02/04/12.
    Offline = 0xe,
    /// On the way from one state to another: 02/04/0A.
    Transitioning = 0xf,
}

impl AccessState {
    /// Names as in the report of the multipath-tools and of sg_rtpg.
    const NAMES: Names<AccessState, 7> = [
        ("active/optimized", AccessState::Optimized),
        ("active/non-optimized", AccessState::NonOptimized),
        ("standby", AccessState::Standby),
        ("unavailable", AccessState::Unavailable),
        ("lba-dependent", AccessState::LbaDependent),
        ("offline", AccessState::Offline),
        ("transitioning", AccessState::Transitioning),
    ];

    /// The state of a code, if it is one.
    pub(crate) fn of(code: u8) -> Option<AccessState> {
        Self::NAMES.into_iter().map(|(_, state)| state).find(|state| *state as u8 == code)
    }

    /// Whether an operation is carried out in this state. READ CAPACITY and REPORT SUPPORTED OPERATION
    /// CODES are more than the standard asks for in standby, and what arrays do: without a capacity
    /// a host could not use a path that becomes active later.
    pub(crate) fn serves(self, op: &Operation) -> bool {
        let always = matches!(op.kind, Kind::Inquiry | Kind::ReportLuns | Kind::RequestSense);
        let parameters = matches!(
            op.kind,
            Kind::ModeSense
                | Kind::ModeSelect
                | Kind::ReadCapacity10
                | Kind::ReadCapacity16
                | Kind::ReportOpcodes
        );
        let groups = matches!(op.kind, Kind::ReportTargetPortGroups | Kind::SetTargetPortGroups);
        match self {
            _ if self.serves_media() => true,
            AccessState::Standby => always || groups || parameters,
            AccessState::Unavailable | AccessState::Offline => always || groups,
            _ => always,
        }
    }

    /// Whether reads and writes are carried out in this state.
    pub(crate) fn serves_media(self) -> bool {
        matches!(
            self,
            AccessState::Optimized | AccessState::NonOptimized | AccessState::LbaDependent
        )
    }

    /// What is answered to an operation that is not carried out.
    pub(crate) fn not_ready(self) -> Option<Sense> {
        let ascq = match self {
            AccessState::Optimized | AccessState::NonOptimized | AccessState::LbaDependent => {
                return None;
            }
            AccessState::Standby => 0x0b,
            AccessState::Unavailable => 0x0c,
            AccessState::Offline => 0x12,
            AccessState::Transitioning => 0x0a,
        };
        Some(Sense::new(0x02, 0x04, ascq))
    }

    /// Its bit in the byte of supported states of REPORT TARGET PORT GROUPS (SPC-4 6.37).
    pub(crate) fn supported_bit(self) -> u8 {
        match self {
            AccessState::Optimized => 0x01,
            AccessState::NonOptimized => 0x02,
            AccessState::Standby => 0x04,
            AccessState::Unavailable => 0x08,
            AccessState::LbaDependent => 0x10,
            AccessState::Offline => 0x40,
            AccessState::Transitioning => 0x80,
        }
    }
}

impl fmt::Display for AccessState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(name_of(&Self::NAMES, self))
    }
}

/// A name that is not an access state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an access state: {list}", list = choices(&AccessState::NAMES))]
pub struct ParseAccessStateError(String);

impl FromStr for AccessState {
    type Err = ParseAccessStateError;

    fn from_str(text: &str) -> Result<Self, ParseAccessStateError> {
        named(&Self::NAMES, text).ok_or_else(|| ParseAccessStateError(text.into()))
    }
}
