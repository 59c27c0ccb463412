//! What can be wrong with a report.

use std::{io, path::PathBuf};

use sansim_language::Diagnostics;

/// Why there is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// There is nothing in it that shows an array.
    #[error(
        "nothing here shows a disk array: sansim reads `multipath -ll`, `multipathd show maps json`, `dmsetup table`, \
         `lsscsi`, /proc/scsi/scsi, and kernel logs with disks in them"
    )]
    NoArray,
    /// A log in which nothing of a failover was found.
    #[error("{0}: no line tells of a path, a sense code or a device handler")]
    NothingHappened(String),
    /// What was made is not a scenario: a mistake in sansim.
    #[error("what was made of it is no scenario; please report this, with the file:\n{0}")]
    NoScenario(Box<Diagnostics>),
}
