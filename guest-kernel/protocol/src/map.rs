//! The guest's disks and multipath maps.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A target of an HBA, as the guest addresses it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetAddress {
    /// PCI address of the HBA, `0000:00:10.0`.
    pub hba: String,
    /// SCSI target ID on that HBA.
    pub target: u8,
}

/// Address of a path: a target and a LUN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PathAddress {
    /// The target, with its HBA.
    #[serde(flatten)]
    pub target: TargetAddress,
    /// The LUN's number on this target.
    pub lun: u16,
}

/// A SCSI disk of the guest: one path to one LUN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Address of the path.
    pub path: PathAddress,
    /// The kernel's name for the disk, `sda`.
    pub name: String,
    /// Device number of the disk, `major:minor`.
    pub dev: String,
    /// Size in sectors of 512 bytes.
    pub sectors: u64,
    /// Vendor from the INQUIRY data, without trailing blanks.
    pub vendor: String,
    /// Product from the INQUIRY data, without trailing blanks.
    pub model: String,
    /// sysfs `dh_state`: the attached device handler, or `detached`.
    pub handler: String,
    /// sysfs `access_state`; null if the device handler does not report it.
    pub access_state: Option<String>,
}

/// A multipath map to build. It names paths, not device numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapSpec {
    /// Name of the dm device.
    pub map: String,
    /// Features of the table line, for instance `["queue_if_no_path", "pg_init_retries", "5"]`.
    pub features: Vec<String>,
    /// Hardware handler with its arguments, for instance `["rdac"]`; empty for none.
    pub handler: Vec<String>,
    /// Path selector with its arguments, for instance `["service-time"]`.
    pub selector: Vec<String>,
    /// Path groups, in order of preference.
    pub groups: Vec<Vec<PathAddress>>,
}

/// A multipath map as the kernel reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapStatus {
    /// Name of the dm device.
    pub map: String,
    /// The kernel's name for the map, `dm-0`.
    pub name: String,
    /// UUID of the dm device; empty if it has none. Of a map of multipath-tools it is `mpath-` and the
    /// WWID.
    pub uuid: String,
    /// The table line, without start and length: `multipath 1 …`.
    pub table: String,
    /// The status line, without start and length: `multipath 2 …`.
    pub line: String,
    /// `pg_init_count`: rounds since the last switch of path groups.
    pub rounds: u32,
    /// `MPATHF_QUEUE_IO`: I/O is queued until pg_init is done.
    pub queueing: bool,
    /// The current path group, counted from 1.
    pub current_group: u32,
    /// The path groups, in table order.
    pub groups: Vec<GroupStatus>,
}

impl MapStatus {
    /// The WWID of the map; `None` if its UUID is not in the form of multipath-tools.
    pub fn wwid(&self) -> Option<&str> {
        self.uuid.strip_prefix("mpath-").filter(|wwid| !wwid.is_empty())
    }

    /// The paths of all groups, in table order.
    pub fn paths(&self) -> impl Iterator<Item = &PathStatus> {
        self.groups.iter().flat_map(|group| &group.paths)
    }
}

/// One path group of a [`MapStatus`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupStatus {
    /// State from the status line.
    pub state: GroupState,
    /// The paths, in table order.
    pub paths: Vec<PathStatus>,
}

/// One path of a [`GroupStatus`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathStatus {
    /// Device number of the path's disk, `major:minor`.
    pub dev: String,
    /// State from the status line.
    pub state: PathState,
    /// Number of failures since the table was loaded.
    pub fail_count: u32,
}

/// State of a path group (`dm-mpath.c:multipath_status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupState {
    /// `A`: I/O is sent over its paths.
    #[serde(rename = "A")]
    Current,
    /// `E`: another group is current; dm-multipath can switch to this one.
    #[serde(rename = "E")]
    Enabled,
    /// `D`: dm-multipath skips the group while another is usable (`bypass_pg`).
    #[serde(rename = "D")]
    Bypassed,
}

impl GroupState {
    /// The state for a letter of the status line; `None` for another letter.
    pub fn of_letter(letter: char) -> Option<GroupState> {
        match letter {
            'A' => Some(GroupState::Current),
            'E' => Some(GroupState::Enabled),
            'D' => Some(GroupState::Bypassed),
            _ => None,
        }
    }

    /// The letter in the status line, and in events.
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

/// State of a path (`dm-mpath.c:multipath_status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PathState {
    /// `A`: I/O may be sent over the path.
    #[serde(rename = "A")]
    Active,
    /// `F`: the path failed; no I/O is sent over it until it is reinstated.
    #[serde(rename = "F")]
    Failed,
}

impl PathState {
    /// The state for a letter of the status line; `None` for another letter.
    pub fn of_letter(letter: char) -> Option<PathState> {
        match letter {
            'A' => Some(PathState::Active),
            'F' => Some(PathState::Failed),
            _ => None,
        }
    }

    /// The letter in the status line, and in events.
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
