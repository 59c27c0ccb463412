//! Asymmetric access states (SPC-4 5.15.2.4).

use std::{fmt, str::FromStr};

use crate::{
    ids::PortId,
    names::{Names, choices, name_of, named},
};

/// The asymmetric access state of a target port group for one LUN. The discriminant is the code in
/// the ASYMMETRIC ACCESS STATE field (SPC-4 table 287).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AccessState {
    /// Active/optimized: every command is served, at full performance.
    Optimized = 0x0,
    /// Active/non-optimized: every command is served, possibly more slowly.
    NonOptimized = 0x1,
    /// Standby: INQUIRY and parameter commands are served; medium accesses are answered 02/04/0B.
    Standby = 0x2,
    /// Unavailable: only a small set of commands is served; all others are answered 02/04/0C.
    Unavailable = 0x3,
    /// Logical block dependent: performance depends on the LBA. sansim serves every block through
    /// this group.
    LbaDependent = 0x4,
    /// Offline: only INQUIRY, REPORT LUNS and the target port group commands are served; all others
    /// are answered 02/04/12.
    Offline = 0xe,
    /// Transitioning between two states: commands are answered 02/04/0A.
    Transitioning = 0xf,
}

impl AccessState {
    /// The state names that multipath-tools and sg_rtpg print.
    const NAMES: Names<AccessState, 7> = [
        ("active/optimized", AccessState::Optimized),
        ("active/non-optimized", AccessState::NonOptimized),
        ("standby", AccessState::Standby),
        ("unavailable", AccessState::Unavailable),
        ("lba-dependent", AccessState::LbaDependent),
        ("offline", AccessState::Offline),
        ("transitioning", AccessState::Transitioning),
    ];

    /// Returns `None` if `code` is not an asymmetric access state.
    pub(crate) fn of(code: u8) -> Option<AccessState> {
        Self::NAMES.into_iter().map(|(_, state)| state).find(|state| *state as u8 == code)
    }
}

/// When an array reports the target port groups of the other array that presents a LUN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FarGroups {
    /// Never.
    Never,
    /// While they reach each other.
    Connected,
    /// Always. If they do not reach each other, it takes the groups of the other one for unavailable.
    Always,
}

/// What altered an access state: the STATUS CODE field of REPORT TARGET PORT GROUPS (SPC-4 6.37).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Altered {
    /// SET TARGET PORT GROUPS.
    Explicit = 1,
    /// The array, on its own.
    Implicit = 2,
}

/// The state of a target port group for a LUN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortGroupView {
    /// The identifier of the group.
    pub group: u16,
    /// Its ports.
    pub ports: Vec<PortId>,
    /// Its access state, as its own ports report it.
    pub state: AccessState,
}

impl fmt::Display for AccessState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(name_of(&Self::NAMES, self))
    }
}

/// The error for a name that is not an asymmetric access state. It holds the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an access state: {list}", list = choices(&AccessState::NAMES))]
pub struct ParseAccessStateError(String);

impl FromStr for AccessState {
    type Err = ParseAccessStateError;

    fn from_str(text: &str) -> Result<Self, ParseAccessStateError> {
        named(&Self::NAMES, text).ok_or_else(|| ParseAccessStateError(text.into()))
    }
}
