//! The agent's other end: asking it, hearing it, and how long it is waited for.

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

/// What a call may take beyond its own time limit. The host's time: an emulated guest is slow, and
/// a busy host slower.
const SLACK: Duration = Duration::from_secs(120);
/// How long is waited for QEMU to end once one of its connections has, or is silent.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(2);
/// Events that may wait for their reader.
const EVENTS: usize = 1 << 16;
/// Requests that may wait to be written.
const REQUESTS: usize = 64;

/// Asks the agent of a running guest. Cheap to clone; calls may overlap.
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
    /// Who waits for which answer.
    waiting: HashMap<u64, oneshot::Sender<Result<CallResult, String>>>,
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a new link comes with.
pub(crate) struct Connected {
    pub(crate) link: AgentLink,
    pub(crate) events: mpsc::Receiver<Event>,
    /// Told the version and the kernel's release when the agent has said that it is ready.
    pub(crate) ready: oneshot::Receiver<Result<Ready, String>>,
}

/// The agent's first words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) version: u32,
    pub(crate) kernel: String,
}

impl AgentLink {
    /// A link, and its lines, which somebody has to carry.
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

    /// Asks, and waits for the answer: as long as the call itself may take (its `timeout_ms`) and
    /// two minutes of the host's time on top. `PowerOff` is answered with `Done` when the guest has
    /// powered itself off.
    ///
    /// # Errors
    /// `AgentFailed` with the agent's own sentence, `AgentTimeout`, or `GuestGone` with the reason
    /// and the end of the console.
    pub async fn call(&self, call: Call) -> Result<Answer> {
        let own = match &call {
            Call::Scan { timeout_ms, .. }
            | Call::StopWorkload { timeout_ms, .. }
            | Call::Run { timeout_ms, .. } => Duration::from_millis(*timeout_ms),
            _ => Duration::ZERO,
        };
        self.call_within(call, own.saturating_add(SLACK)).await
    }

    /// The same with a deadline of the caller's choice, in host time in which the guest is not held.
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
            // When the writer is gone QEMU is, or will be in a moment: its exit is waited for.
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
                    // There is no other answer to it.
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

    /// Counts calls from the beginning again, when none is open: a link to a guest that was restored does,
    /// and what the agent reads should not depend on which it is.
    pub(crate) fn count_anew(&self) {
        self.shared.calls().last = 0;
    }

    /// How long others wait for the same guest.
    pub(crate) fn patience(&self) -> &Patience {
        &self.shared.patience
    }

    /// The error of an agent whose QEMU has hung up.
    pub(crate) async fn gone_by_now(&self) -> LabError {
        self.silent("any more", Duration::ZERO).await
    }

    /// The error of an agent that is silent: gone with its guest, or only that.
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

/// The call as the agent names it, for messages.
fn name(call: &Call) -> String {
    let value = serde_json::to_value(call).unwrap_or_default();
    value.get("call").and_then(|name| name.as_str()).unwrap_or("call").to_owned()
}

/// Forgets a call when its caller does not wait any more.
struct Waiting<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.calls().waiting.remove(&self.id);
    }
}

/// Refuses an agent that speaks another version.
pub(crate) fn check_version(ready: &Ready) -> Result<()> {
    match ready.version {
        VERSION => Ok(()),
        agent => Err(LabError::AgentVersion { agent, ours: VERSION }),
    }
}

#[cfg(test)]
mod tests;
