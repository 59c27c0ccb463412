//! What an HBA is made of, and what is refused.

use std::{io, path::PathBuf};

use sansim_array::{HbaId, PortId};

use crate::wire::FIRST_REQUEST_QUEUE;

/// An HBA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HbaConfig {
    /// Which one it is, as the array knows it.
    pub id: HbaId,
    /// The ports it sees. The index of each is its virtio target id; at most
    /// [`HbaConfig::MAX_TARGETS`].
    pub targets: Vec<PortId>,
    /// Its request queues: 1 to [`HbaConfig::MAX_REQUEST_QUEUES`]. Each is served by a thread of its
    /// own; the first one's also serves the control and the event queue.
    pub request_queues: u16,
}

impl HbaConfig {
    /// The most ports an HBA can see: what the target byte of a LUN field holds.
    pub const MAX_TARGETS: usize = 256;
    /// The most request queues an HBA can have.
    pub const MAX_REQUEST_QUEUES: u16 = 64 - FIRST_REQUEST_QUEUE;

    pub(crate) fn check(&self) -> Result<(), HbaError> {
        if self.targets.len() > Self::MAX_TARGETS {
            return Err(HbaError::Targets { hba: self.id, count: self.targets.len() });
        }
        if self.request_queues == 0 || self.request_queues > Self::MAX_REQUEST_QUEUES {
            return Err(HbaError::RequestQueues { hba: self.id, count: self.request_queues });
        }
        Ok(())
    }

    /// All virtqueues: the control queue, the event queue, the request queues.
    pub(crate) fn queues(&self) -> usize {
        usize::from(FIRST_REQUEST_QUEUE + self.request_queues)
    }
}

/// Why an HBA cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HbaError {
    /// More ports than target ids.
    #[error("{hba} sees {count} ports; at most {max} are possible", max = HbaConfig::MAX_TARGETS)]
    Targets {
        /// Which HBA.
        hba: HbaId,
        /// How many ports were asked for.
        count: usize,
    },
    /// No request queue, or too many.
    #[error(
        "{hba} has {count} request queues; 1 to {max} are possible",
        max = HbaConfig::MAX_REQUEST_QUEUES
    )]
    RequestQueues {
        /// Which HBA.
        hba: HbaId,
        /// How many were asked for.
        count: u16,
    },
    /// Something else is at the socket's path: a file that is no socket, or a socket that answers.
    #[error("{} is in use", path.display())]
    SocketInUse {
        /// Where the socket was to be.
        path: PathBuf,
    },
    /// The operating system refuses the socket.
    #[error("cannot listen on {}", path.display())]
    Listen {
        /// Where the socket was to be.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system has no file descriptor or thread left.
    #[error("cannot start a thread for {hba}")]
    Start {
        /// Which HBA.
        hba: HbaId,
        /// What the operating system said.
        source: io::Error,
    },
}
