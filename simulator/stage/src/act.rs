//! The acts of a driver.

use std::{fmt, time::Duration};

use sansim_array::{Action, Lun};

use crate::{PathPattern, Workload};

/// An act on the array or in the guest.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// An action on the array. It takes no time.
    Array(Action),
    /// Sends a message to a LUN's map, like `dmsetup message`.
    Message {
        /// The LUN whose map gets the message.
        lun: Lun,
        /// The message, for instance `switch_group 2`.
        text: String,
    },
    /// Sends `reinstate_path` for some paths to a LUN's map.
    Reinstate {
        /// The LUN whose map gets the message.
        lun: Lun,
        /// The paths to reinstate.
        paths: Reinstate,
    },
    /// Runs a program of the guest's userland. Placeholders such as `{map}` and `{disk:A0}` in its
    /// arguments are replaced by device paths.
    Run {
        /// The program and its arguments.
        argv: Vec<String>,
        /// The time limit, in guest time, after which the program is killed.
        timeout: Duration,
    },
    /// Writes text to a file of the guest.
    Write {
        /// The absolute path of the file. Placeholders are replaced by kernel names (`sda`).
        path: String,
        /// The text to write.
        text: String,
    },
    /// Starts a workload on a LUN's map that has none. Its `start` is not used.
    StartWorkload(Workload),
    /// Stops a workload and reads back everything that it has written.
    StopWorkload {
        /// The LUN whose workload stops. Default: [`Setup::main_lun`](crate::Setup::main_lun).
        lun: Option<Lun>,
    },
}

/// The paths of an [`Act::Reinstate`].
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
