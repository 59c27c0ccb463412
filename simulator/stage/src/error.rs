//! Why a stage could not be set, or broke down.

use sansim_lab::LabError;

use crate::SanError;

/// Why a stage could not be set, or broke down.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The machine failed.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The array or an HBA failed.
    #[error(transparent)]
    San(#[from] SanError),
    /// The guest's kernel does not have a module that the setup needs.
    #[error("there is no such module: {0}")]
    NoModule(String),
    /// The guest is not as the story needs it when it begins.
    #[error("the story could not begin: {0}")]
    Unready(String),
}
