//! What a driver can do.

use std::{fmt, time::Duration};

use sansim_array::{Action, Lun};

use crate::PathPattern;

/// Something done to the array or to the guest.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Something done to the array. It takes no time.
    Array(Action),
    /// A message to a LUN's map, as `dmsetup message` sends it.
    Message {
        /// The LUN of the map.
        lun: Lun,
        /// For instance `switch_group 2`.
        text: String,
    },
    /// The message `reinstate_path` for some paths of a LUN's map.
    Reinstate {
        /// The LUN of the map.
        lun: Lun,
        /// The paths.
        paths: Reinstate,
    },
    /// A program of the guest's userland is run. Placeholders such as `{map}` and `{disk:A0}` in its
    /// words stand for device paths.
    Run {
        /// The program and its arguments.
        argv: Vec<String>,
        /// The program is killed after this much guest time.
        timeout: Duration,
    },
    /// A file of the guest is written.
    Write {
        /// Its absolute path; placeholders stand for kernel names (`sda`).
        path: String,
        /// Its new contents.
        text: String,
    },
    /// The workload is stopped, and everything that it wrote is read back.
    StopWorkload,
}

/// The paths that [`Act::Reinstate`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reinstate {
    /// Every path of the map.
    All,
    /// The paths that match.
    Paths(PathPattern),
}

impl fmt::Display for Reinstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reinstate::All => f.write_str("all"),
            Reinstate::Paths(pattern) => pattern.fmt(f),
        }
    }
}
