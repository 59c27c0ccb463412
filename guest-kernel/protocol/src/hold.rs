//! Holding the guest's clock: the words between the agent, which keeps it, and the lab.
//!
//! In skipped time an idle guest's clock jumps to its next timer. So that nothing happens meanwhile
//! that the guest did not wait for, the agent does not let the guest idle after it has sent a
//! command or a message: it [asks](Ask), and keeps the processor busy until the lab lets it
//! [go](Go). Both travel in the same streams as everything else, so that the lab has read all that
//! was sent before an `Ask`, and the agent all that was sent before a `Go`.

use serde::{Deserialize, Serialize};

use crate::Request;

/// "Something has happened; may time go on?"
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Counts the questions from 1. A later one stands for all before it.
    pub round: u64,
    /// When it was asked, by the guest's `CLOCK_MONOTONIC`, in nanoseconds.
    pub at_ns: u64,
}

/// "Everything is done that was to be done by then; go on."
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Go {
    /// The question that this answers.
    pub round: u64,
    /// When the agent is to ask again if nothing happens before, by the guest's `CLOCK_MONOTONIC`,
    /// in nanoseconds.
    pub wake_ns: Option<u64>,
}

/// Everything the lab sends. Tagged from outside, since an emulated guest is quicker at reading that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromLab {
    /// Something is to be done.
    Request(Request),
    /// Time may go on.
    Go(Go),
}
