//! Why a lab does not answer as it should.

use std::{fmt::Display, io, path::PathBuf};

use crate::api::Refused;

/// Why a lab does not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The lab refuses.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Nobody answers at the socket.
    #[error("cannot reach the lab at {}: {} (has it ended?)", .0.display(), .1)]
    Unreachable(PathBuf, #[source] io::Error),
    /// The connection was lost.
    #[error("the lab has ended, or the connection to it was lost: {0}")]
    Lost(String),
    /// What came back is not what this version understands.
    #[error("the lab's answer is not understood: {0} (is it another version of sansim?)")]
    Strange(String),
}

impl ClientError {
    pub(super) fn lost(why: impl Display) -> Self {
        ClientError::Lost(why.to_string())
    }

    pub(super) fn strange(why: impl Display) -> Self {
        ClientError::Strange(why.to_string())
    }
}
