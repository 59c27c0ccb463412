//! The configuration of an HBA, and the errors when it starts.

use std::{io, path::PathBuf};

use sansim_array::{HbaId, PortId};

use crate::wire::FIRST_REQUEST_QUEUE;

/// The configuration of an HBA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HbaConfig {
    /// The number of the HBA in the array.
    pub id: HbaId,
    /// The ports that the HBA sees, at most [`HbaConfig::MAX_TARGETS`]. The index of a port is its
    /// virtio target id.
    pub targets: Vec<PortId>,
    /// The number of request queues: 1 to [`HbaConfig::MAX_REQUEST_QUEUES`]. Each is served by a
    /// separate thread. The thread of the first one also serves the control queue and the event
    /// queue.
    pub request_queues: u16,
}

impl HbaConfig {
    /// The maximum number of ports: the target id in a LUN field has one byte.
    pub const MAX_TARGETS: usize = 256;
    /// The maximum number of request queues.
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

    /// The number of virtqueues: the control queue, the event queue and the request queues.
    pub(crate) fn queues(&self) -> usize {
        usize::from(FIRST_REQUEST_QUEUE + self.request_queues)
    }
}

/// Why an HBA cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HbaError {
    /// The HBA sees more than [`HbaConfig::MAX_TARGETS`] ports.
    #[error("{hba} sees {count} ports; at most {max} are possible", max = HbaConfig::MAX_TARGETS)]
    Targets {
        /// The HBA with the invalid configuration.
        hba: HbaId,
        /// The requested number of ports.
        count: usize,
    },
    /// The number of request queues is 0, or more than [`HbaConfig::MAX_REQUEST_QUEUES`].
    #[error(
        "{hba} has {count} request queues; 1 to {max} are possible",
        max = HbaConfig::MAX_REQUEST_QUEUES
    )]
    RequestQueues {
        /// The HBA with the invalid configuration.
        hba: HbaId,
        /// The requested number of request queues.
        count: u16,
    },
    /// The path is in use: by a file that is not a socket, or by a socket on which another process
    /// listens.
    #[error("{} is in use", path.display())]
    SocketInUse {
        /// The path of the socket.
        path: PathBuf,
    },
    /// The operating system refuses to create the socket.
    #[error("cannot listen on {}", path.display())]
    Listen {
        /// The path of the socket.
        path: PathBuf,
        /// The error from the operating system.
        source: io::Error,
    },
    /// The operating system has no file descriptor or thread left.
    #[error("cannot start a thread for {hba}")]
    Start {
        /// The HBA that cannot be started.
        hba: HbaId,
        /// The error from the operating system.
        source: io::Error,
    },
}
