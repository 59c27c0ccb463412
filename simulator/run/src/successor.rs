//! Who drives the stage when its script has left it.

use std::{pin::Pin, time::Duration};

use sansim_language::{Scenario, Step};
use sansim_stage::{Stage, event::StoryTime};

use crate::{RunError, Standing};

/// A stage that its script has left in the middle of the story. Time goes on in it unless it is
/// paused.
pub struct Left<'m> {
    /// The stage.
    pub stage: Stage<'m>,
    /// The scenario, with the expectations that apply.
    pub scenario: Scenario,
    /// The steps that were done, each with its story time.
    pub done: Vec<(Duration, Step)>,
    /// Converts to story time.
    pub clockwork: StoryTime,
    /// The device handlers of the disks.
    pub handler: String,
    /// What has happened so far.
    pub standing: Standing,
}

/// What a successor does with a stage.
pub type Taken<'a> = Pin<Box<dyn Future<Output = Result<(), RunError>> + Send + 'a>>;

/// Takes a stage over from its script.
pub trait Successor: Send + Sync {
    /// Drives the stage until the run is to end.
    ///
    /// # Errors
    /// When the guest is gone.
    fn take<'a>(&'a self, left: Left<'a>) -> Taken<'a>;
}
