//! The agent's other end.

use std::time::Duration;

use sansim_protocol::{Answer, Call};

use crate::Result;

/// Asks the agent of a running guest. Cheap to clone; calls may overlap.
#[derive(Debug, Clone)]
pub struct AgentLink {
    _private: (),
}

impl AgentLink {
    /// Asks, and waits for the answer: as long as the call itself may take (its `timeout_ms`) and two minutes
    /// of the host's time on top.
    ///
    /// # Errors
    /// `AgentFailed` with the agent's own sentence, `AgentTimeout`, or `GuestGone` with the reason and the
    /// end of the console.
    pub async fn call(&self, call: Call) -> Result<Answer> {
        let _ = call;
        todo!()
    }

    /// The same with a deadline of the caller's choice, in host time.
    pub async fn call_within(&self, call: Call, deadline: Duration) -> Result<Answer> {
        let _ = (call, deadline);
        todo!()
    }
}
