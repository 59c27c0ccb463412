//! The lab's end of the agent's channel: calls, events and time limits.

mod lines;
mod patience;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub(crate) use lines::Lines;
pub(crate) use patience::{Held, Patience};
use sansim_protocol::{Answer, Call, CallResult, Event, Failure, Request, VERSION, encode};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{ExitReason, LabError, Result, machine::Console};

/// Additional host time for a call, beyond the call's own time limit. An emulated guest is slow, and even
/// slower on a busy host.
const SLACK: Duration = Duration::from_secs(120);
/// How long to wait for QEMU to exit after one of its connections closed or became silent.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(2);
/// Events that may wait in the receiver.
const EVENTS: usize = 1 << 16;
/// Requests that may wait to be sent.
const REQUESTS: usize = 64;

/// A connection to the agent of a running guest. Cheap to clone. Calls may overlap.
#[derive(Debug, Clone)]
pub struct AgentLink {
    shared: Arc<Shared>,
    requests: mpsc::Sender<Vec<u8>>,
}

#[derive(Debug)]
struct Shared {
    calls: Mutex<Calls>,
    exit: watch::Receiver<Option<ExitReason>>,
    console: Console,
    patience: Patience,
}

#[derive(Debug, Default)]
struct Calls {
    last: u64,
    /// The callers that wait for replies, by request number.
    waiting: HashMap<u64, oneshot::Sender<Result<CallResult, String>>>,
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A new link and its receivers.
pub(crate) struct Connected {
    pub(crate) link: AgentLink,
    pub(crate) events: mpsc::Receiver<Event>,
    /// Receives the version and the kernel's release when the agent is ready.
    pub(crate) ready: oneshot::Receiver<Result<Ready, String>>,
}

/// The agent's first message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) version: u32,
    pub(crate) kernel: String,
}

impl AgentLink {
    /// Creates a link and its [`Lines`], which the caller must transport.
    pub(crate) fn with_lines(
        exit: watch::Receiver<Option<ExitReason>>,
        console: Console,
    ) -> (Connected, Lines) {
        let (requests, outgoing) = mpsc::channel::<Vec<u8>>(REQUESTS);
        let shared = Arc::new(Shared {
            calls: Mutex::default(),
            exit,
            console,
            patience: Patience::default(),
        });
        let (events, receiver) = mpsc::channel(EVENTS);
        let (ready_sender, ready) = oneshot::channel();
        let lines = Lines::new(Arc::clone(&shared), events, ready_sender, outgoing);
        (Connected { link: AgentLink { shared, requests }, events: receiver, ready }, lines)
    }

    /// Sends a call and waits for the reply. The limit is the call's own time limit (its `timeout_ms`) plus
    /// two minutes of host time. `PowerOff` returns `Done` when the guest has powered off.
    ///
    /// # Errors
    /// `AgentFailed` with the agent's message, `AgentTimeout`, or `GuestGone` with the reason and the end
    /// of the console.
    pub async fn call(&self, call: Call) -> Result<Answer> {
        let own = match &call {
            Call::Scan { timeout_ms, .. }
            | Call::StopWorkload { timeout_ms, .. }
            | Call::Run { timeout_ms, .. } => Duration::from_millis(*timeout_ms),
            _ => Duration::ZERO,
        };
        self.call_within(call, own.saturating_add(SLACK)).await
    }

    /// Like [`call`](AgentLink::call), with the caller's time limit. It is host time; time during which the
    /// guest is held does not count.
    ///
    /// # Errors
    /// As [`call`](AgentLink::call).
    pub async fn call_within(&self, call: Call, deadline: Duration) -> Result<Answer> {
        let name = name(&call);
        let power_off = call == Call::PowerOff;
        let (sender, answer) = oneshot::channel();
        let id = {
            let mut calls = self.shared.calls();
            calls.last += 1;
            let id = calls.last;
            calls.waiting.insert(id, sender);
            id
        };
        let _waiting = Waiting { shared: &self.shared, id };
        let mut exit = self.shared.exit.clone();
        let asked = async {
            // A failure to send means that QEMU has ended or is about to; the wait below reports its exit.
            let _ = self.requests.send(encode(&Request { id, call })).await;
            match answer.await {
                Ok(answer) => answer,
                Err(_) => std::future::pending().await,
            }
        };
        let result = tokio::select! {
            biased;
            result = asked => result,
            gone = exit.wait_for(Option::is_some) => {
                let reason = gone.ok().and_then(|reason| reason.clone());
                return match reason.unwrap_or(ExitReason::Stopped) {
                    // The agent sends no reply to `PowerOff`.
                    ExitReason::PowerOff if power_off => Ok(Answer::Done),
                    reason => Err(self.gone(reason)),
                };
            }
            () = self.shared.patience.runs_out(deadline) => {
                let console = self.shared.console.excerpt();
                return Err(LabError::AgentTimeout { call: name, seconds: deadline.as_secs(), console });
            }
        };
        match result {
            Ok(CallResult::Ok(answer)) => Ok(answer),
            Ok(CallResult::Failed(Failure { kind, why })) => {
                Err(LabError::AgentFailed { call: name, kind, why })
            }
            Err(why) => Err(LabError::AgentGarbled { why }),
        }
    }

    /// Restarts the numbering of calls. No call may be open. A link to a restored guest starts at 1, too:
    /// what the agent reads must not depend on whether the guest was restored.
    pub(crate) fn count_anew(&self) {
        self.shared.calls().last = 0;
    }

    /// Holds of this guest, shared by all waits for it.
    pub(crate) fn patience(&self) -> &Patience {
        &self.shared.patience
    }

    /// The error for an agent whose QEMU closed the connection.
    pub(crate) async fn gone_by_now(&self) -> LabError {
        self.silent("any more", Duration::ZERO).await
    }

    /// The error for a silent agent: `GuestGone` if QEMU has ended, else `AgentTimeout`.
    pub(crate) async fn silent(&self, call: &str, waited: Duration) -> LabError {
        let mut exit = self.shared.exit.clone();
        let gone = exit.wait_for(Option::is_some);
        match tokio::time::timeout(LAST_WORDS, gone).await {
            Ok(reason) => {
                let reason = reason.ok().and_then(|reason| reason.clone());
                self.gone(reason.unwrap_or(ExitReason::Stopped))
            }
            Err(_) => {
                let (call, console) = (call.to_owned(), self.shared.console.excerpt());
                LabError::AgentTimeout { call, seconds: waited.as_secs(), console }
            }
        }
    }

    fn gone(&self, reason: ExitReason) -> LabError {
        LabError::GuestGone { reason, console: self.shared.console.excerpt() }
    }
}

/// The name of a call in the protocol, for messages.
fn name(call: &Call) -> String {
    let value = serde_json::to_value(call).unwrap_or_default();
    value.get("call").and_then(|name| name.as_str()).unwrap_or("call").to_owned()
}

/// Removes a call from the list when its caller stops waiting.
struct Waiting<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.calls().waiting.remove(&self.id);
    }
}

/// Checks the agent's protocol version.
pub(crate) fn check_version(ready: &Ready) -> Result<()> {
    match ready.version {
        VERSION => Ok(()),
        agent => Err(LabError::AgentVersion { agent, ours: VERSION }),
    }
}

#[cfg(test)]
mod tests;
