//! Asymmetric access states (SPC-4 5.15.2.4).

use std::{fmt, str::FromStr};

use crate::names::{Names, choices, name_of, named};

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
