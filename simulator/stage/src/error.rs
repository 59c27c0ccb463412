//! Errors when a stage is set up or running.

use sansim_lab::LabError;

use crate::SanError;

/// Errors when a stage is set up or running.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The machine failed.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The array or an HBA failed.
    #[error(transparent)]
    San(#[from] SanError),
    /// The guest's kernel does not have this module, which the setup needs.
    #[error("there is no such module: {0}")]
    NoModule(String),
    /// The configuration has a keyword that needs newer multipath-tools than the image has.
    #[error("the configuration needs newer tools: {0}")]
    NewerTools(String),
    /// The guest is not in the state that the story needs at its beginning.
    #[error("the story could not begin: {0}")]
    Unready(String),
}
