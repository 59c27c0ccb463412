//! Disks and multipath maps of the guest.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A target of one HBA, as the guest addresses it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetAddress {
    /// The HBA's PCI address, `0000:00:10.0`.
    pub hba: String,
    /// SCSI target id on that HBA.
    pub target: u8,
}

/// One path: a target and a LUN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PathAddress {
    /// The target on its HBA.
    #[serde(flatten)]
    pub target: TargetAddress,
    /// The LUN number seen there.
    pub lun: u16,
}

/// A disk of the guest: one path to one LUN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Which path it is.
    pub path: PathAddress,
    /// The name that the kernel gave it, `sda`.
    pub name: String,
    /// Its device number, `major:minor`.
    pub dev: String,
    /// Size in 512-byte sectors.
    pub sectors: u64,
    /// Vendor of the INQUIRY data, trimmed.
    pub vendor: String,
    /// Product of the INQUIRY data, trimmed.
    pub model: String,
    /// `dh_state`: the attached device handler, or `detached`.
    pub handler: String,
    /// `access_state`, where the handler has one.
    pub access_state: Option<String>,
}

/// A multipath map to build, in terms of paths rather than of device numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapSpec {
    /// Name of the dm device.
    pub map: String,
    /// Feature words, for instance `["queue_if_no_path", "pg_init_retries", "5"]`.
    pub features: Vec<String>,
    /// Hardware handler with its arguments, for instance `["rdac"]`; empty for none.
    pub handler: Vec<String>,
    /// Path selector with its arguments, for instance `["service-time"]`.
    pub selector: Vec<String>,
    /// Path groups in order of preference.
    pub groups: Vec<Vec<PathAddress>>,
}

/// A multipath map as the kernel shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapStatus {
    /// Name of the dm device.
    pub map: String,
    /// The name that the kernel gave it, `dm-0`.
    pub name: String,
    /// The table line as the kernel shows it, without start and length: `multipath 1 …`.
    pub table: String,
    /// The status line as read, without start and length: `multipath 2 …`.
    pub line: String,
    /// `pg_init_count`: rounds since the last switch of path groups.
    pub rounds: u32,
    /// QUEUE_IO: I/O is held until pg_init is done.
    pub queueing: bool,
    /// The current path group, counted from 1.
    pub current_group: u32,
    /// The path groups in table order.
    pub groups: Vec<GroupStatus>,
}

/// One path group of a [`MapStatus`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupStatus {
    /// As the status line says.
    pub state: GroupState,
    /// Its paths in table order.
    pub paths: Vec<PathStatus>,
}

/// One path of a [`GroupStatus`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathStatus {
    /// Its device number, `major:minor`.
    pub dev: String,
    /// As the status line says.
    pub state: PathState,
    /// How often it has failed since the table was loaded.
    pub fail_count: u32,
}

/// The state of a path group (`dm-mpath.c:multipath_status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupState {
    /// `A`: I/O goes over its paths.
    #[serde(rename = "A")]
    Current,
    /// `E`: another is current; this one can be switched to.
    #[serde(rename = "E")]
    Enabled,
    /// `D`: it is passed over while another can be used (`bypass_pg`).
    #[serde(rename = "D")]
    Bypassed,
}

impl GroupState {
    /// The state that a letter of the status line stands for.
    pub fn of_letter(letter: char) -> Option<GroupState> {
        match letter {
            'A' => Some(GroupState::Current),
            'E' => Some(GroupState::Enabled),
            'D' => Some(GroupState::Bypassed),
            _ => None,
        }
    }

    /// Its letter in the status line, which events carry as well.
    pub fn letter(self) -> char {
        match self {
            GroupState::Current => 'A',
            GroupState::Enabled => 'E',
            GroupState::Bypassed => 'D',
        }
    }
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.letter().fmt(f)
    }
}

/// The state of a path (`dm-mpath.c:multipath_status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PathState {
    /// `A`: I/O may be sent over it.
    #[serde(rename = "A")]
    Active,
    /// `F`: it failed, and nothing is sent over it until it is reinstated.
    #[serde(rename = "F")]
    Failed,
}

impl PathState {
    /// The state that a letter of the status line stands for.
    pub fn of_letter(letter: char) -> Option<PathState> {
        match letter {
            'A' => Some(PathState::Active),
            'F' => Some(PathState::Failed),
            _ => None,
        }
    }

    /// Its letter in the status line, which events carry as well.
    pub fn letter(self) -> char {
        match self {
            PathState::Active => 'A',
            PathState::Failed => 'F',
        }
    }
}

impl fmt::Display for PathState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.letter().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decode, encode};

    #[test]
    fn states_are_the_letters_of_the_status_line_everywhere() {
        let groups = [GroupState::Current, GroupState::Enabled, GroupState::Bypassed];
        for (letter, state) in "AED".chars().zip(groups) {
            assert_eq!(GroupState::of_letter(letter), Some(state));
            assert_eq!(state.to_string(), letter.to_string());
            assert_eq!(encode(&state), encode(&letter));
            assert_eq!(decode::<GroupState>(&encode(&letter)).unwrap(), state);
        }
        for (letter, state) in "AF".chars().zip([PathState::Active, PathState::Failed]) {
            assert_eq!(PathState::of_letter(letter), Some(state));
            assert_eq!(state.to_string(), letter.to_string());
            assert_eq!(encode(&state), encode(&letter));
            assert_eq!(decode::<PathState>(&encode(&letter)).unwrap(), state);
        }
        assert_eq!((GroupState::of_letter('F'), PathState::of_letter('D')), (None, None));
    }
}
