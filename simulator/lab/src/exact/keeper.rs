//! Decides when the lab answers the guest's question, which lets guest time continue.
//!
//! The rule: time continues when everything due by now is done. The guest asks after it has sent something,
//! and stands still ([`exact`](crate::exact)). The keeper has its commands served and runs the timers that
//! are due; its caller then processes the results. When nothing is left to do, the keeper answers the
//! question, with the time at which the guest must ask again at the latest.

use std::{sync::Arc, time::Duration};

use sansim_protocol::hypercall::{Ask, Interrupt};
use sansim_time::{Clock, SkipClock, Time};
use tokio::sync::{oneshot, watch};

use super::register::{Answered, Register, Serving};
use crate::{AgentLink, LabError, Result};

/// How long the guest may take to ask again after an answer, in host time. A guest that computes under TCG
/// asks rarely, and a guest without any I/O does not ask at all, but each answer tells it when to ask
/// again.
const PATIENCE: Duration = Duration::from_secs(120);
/// The same for the first question, which comes only after the kernel has booted. The wait for that has a
/// shorter limit of its own.
const FIRST_PATIENCE: Duration = Duration::from_secs(300);

/// A device that serves requests when the keeper calls it. It runs on the keeper's thread: handing requests
/// to another thread would take longer than serving them.
pub trait Device: Send + Sync {
    /// Serves the requests that the guest has sent, or a large part of them, and runs the device's timers
    /// that are due.
    fn serve(&self);

    /// Whether the device has work left, apart from requests that the guest may have sent since.
    fn wants_service(&self) -> bool;

    /// PCI device number on the guest's root bus.
    fn slot(&self) -> u8;

    /// Takes the indexes of the virtqueues with a due interrupt.
    fn take_interrupts(&self) -> Vec<u16>;

    /// Serves like [`Device::serve`] and records what was served; `None` if that cannot be recorded.
    fn serve_and_write_down(&self) -> Option<Vec<u8>> {
        self.serve();
        None
    }

    /// Repeats what [`Device::serve`] did when `served` was recorded, without the guest. Returns whether
    /// that was possible.
    fn carry_out(&self, served: &[u8]) -> bool {
        served.is_empty()
    }
}

/// Keeps a guest's clock. In real time the guest's clock runs by itself, and [`Keeper::settle`] never
/// returns.
#[derive(Debug)]
pub struct Keeper(Option<Box<Skipping>>);

struct Skipping {
    link: AgentLink,
    register: Arc<Register>,
    asks: watch::Receiver<Ask>,
    clock: Arc<SkipClock>,
    /// In a fixed order, so that their commands are in the same order in every run.
    devices: Vec<Arc<dyn Device>>,
    state: GuestState,
    /// The last question that was handled.
    round: u64,
}

#[derive(Debug, Clone, Copy)]
enum GuestState {
    /// The guest runs, and asks at this time at the latest.
    Going(Option<Time>),
    /// The guest stands still, and the devices have been served. The caller has had its turn since.
    Served,
}

/// The guest stands still and its commands have been served. The caller processes the results, and then
/// calls [`Keeper::settle`] again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled;

impl Keeper {
    pub(crate) fn real() -> Keeper {
        Keeper(None)
    }

    /// A keeper for exact time. The guest asks through `register`. [`Keeper::with`] adds further devices.
    pub(crate) fn exact(
        link: AgentLink,
        register: Arc<Register>,
        asks: watch::Receiver<Ask>,
        devices: Vec<Arc<dyn Device>>,
    ) -> Keeper {
        let (clock, state) = (Arc::default(), GuestState::Going(None));
        Keeper(Some(Box::new(Skipping { link, register, asks, clock, devices, state, round: 0 })))
    }

    /// Sets the clock that shows the guest's time, and adds devices to be served in this order.
    #[must_use]
    pub fn with(mut self, clock: Arc<SkipClock>, devices: Vec<Arc<dyn Device>>) -> Keeper {
        if let Some(skipping) = &mut self.0 {
            clock.advance(skipping.clock.now());
            skipping.clock = clock;
            skipping.devices.extend(devices);
        }
        self
    }

    /// Starts recording questions and served requests, from the open question on, so that the story can be
    /// restored later. Does nothing in real time.
    pub fn write_down(&self) {
        if let Some(skipping) = &self.0 {
            skipping.register.write_down();
        }
    }

    /// Stops recording, and drops the recording.
    pub(crate) fn forget(&self) {
        if let Some(skipping) = &self.0 {
            drop(skipping.register.take_recording());
        }
    }

    /// Whether guest time is skipped, rather than real.
    pub fn skips(&self) -> bool {
        self.0.is_some()
    }

    /// Lets the guest continue, waits until it stands still again, and has its commands served. Call it
    /// when there is nothing else to do, and again after processing the results. Cancel safe.
    ///
    /// # Errors
    /// `AgentTimeout` when the guest does not ask again; `GuestGone`.
    pub async fn settle(&mut self) -> Result<Settled> {
        match &mut self.0 {
            Some(skipping) => skipping.settle().await,
            None => std::future::pending().await,
        }
    }

    /// Runs `work`, which depends on the guest, while guest time continues.
    ///
    /// # Errors
    /// As [`Keeper::settle`].
    pub async fn drive<T>(&mut self, work: impl Future<Output = T>) -> Result<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                settled = self.settle() => { settled?; }
            }
        }
    }

    /// Guest time of the last question; `None` in real time.
    pub fn now(&self) -> Option<Time> {
        self.0.as_ref().map(|skipping| skipping.clock.now())
    }

    /// Makes the guest ask at this time.
    pub(crate) fn have_asked_at(&mut self, at: Option<Time>) {
        if let (Some(skipping), Some(at)) = (&mut self.0, at) {
            skipping.clock.call_at(at, Box::new(|| ()));
        }
    }

    /// Waits for `time` of guest time.
    ///
    /// # Errors
    /// As [`Keeper::settle`].
    pub async fn sleep(&mut self, time: Duration) -> Result<()> {
        match self.now() {
            Some(now) => self.sleep_until(now + time).await,
            None => {
                tokio::time::sleep(time).await;
                Ok(())
            }
        }
    }

    /// Waits until guest time reaches `until`. Returns at once in real time.
    ///
    /// # Errors
    /// As [`Keeper::settle`].
    pub async fn sleep_until(&mut self, until: Time) -> Result<()> {
        let Some(skipping) = &mut self.0 else { return Ok(()) };
        let (woken, over) = oneshot::channel();
        skipping.clock.call_at(until, Box::new(move || woken.send(()).unwrap_or_default()));
        self.drive(over).await.map(drop)
    }
}

impl Skipping {
    async fn settle(&mut self) -> Result<Settled> {
        loop {
            match self.state {
                GuestState::Going(until) => self.wait_for_question(until).await?,
                GuestState::Served if self.is_unsettled() => {}
                GuestState::Served => {
                    self.go().await?;
                    continue;
                }
            }
            self.serve()?;
            return Ok(Settled);
        }
    }

    async fn wait_for_question(&mut self, until: Option<Time>) -> Result<()> {
        if self.register.is_retelling() {
            // A running guest takes a moment to ask, in which the caller receives its messages. A recording
            // must yield instead.
            tokio::task::yield_now().await;
        }
        let patience = if self.round == 0 { FIRST_PATIENCE } else { PATIENCE };
        let asked = tokio::select! {
            changed = self.asks.changed() => changed.is_ok(),
            () = self.link.patience().runs_out(patience) => false,
        };
        if asked {
            // The question is only peeked at here; `serve` marks it as seen.
            self.asks.mark_changed();
            return Ok(());
        }
        let until = until.map_or_else(|| "for ever".to_owned(), |until| format!("to {until}"));
        Err(self.link.silent(&format!("letting its clock go on {until}"), patience).await)
    }

    /// Serves everything that is due at the time of the last question.
    fn serve(&mut self) -> Result<()> {
        let Ask { round, at_ns, .. } = *self.asks.borrow_and_update();
        self.round = round;
        self.clock.advance(Time::from_nanos(at_ns));
        let devices = self.devices.iter();
        match self.register.service() {
            Serving::Plain => devices.for_each(|device| device.serve()),
            Serving::WrittenDown => {
                // All devices are served, even if one of them cannot be recorded.
                let served: Vec<_> = devices.map(|device| device.serve_and_write_down()).collect();
                self.register.served(served.into_iter().collect());
            }
            Serving::Again(served) => {
                // A device that served nothing has no entry.
                let mut served = served.iter().map(Vec::as_slice).chain(std::iter::repeat(&[][..]));
                let mut pairs = devices.zip(&mut served);
                if !pairs.all(|(device, served)| device.carry_out(served)) {
                    let why = "a device cannot do again what it did".to_owned();
                    return Err(LabError::AnotherStory { why });
                }
            }
        }
        self.state = GuestState::Served;
        Ok(())
    }

    /// Whether there is new work since the devices were served.
    fn is_unsettled(&self) -> bool {
        let overdue = self.clock.next_due().is_some_and(|due| due <= self.clock.now());
        let wants = |device: &Arc<dyn Device>| device.wants_service();
        overdue || self.devices.iter().any(wants) || self.asks.has_changed().unwrap_or(false)
    }

    async fn go(&mut self) -> Result<()> {
        let due = self.clock.next_due();
        let interrupts = self.devices.iter().flat_map(|device| {
            let slot = device.slot();
            device.take_interrupts().into_iter().map(move |queue| Interrupt { slot, queue })
        });
        let answered =
            self.register.answer(self.round, due.map(Time::as_nanos), interrupts.collect());
        self.state = GuestState::Going(due);
        match answered {
            Answered::Yes => Ok(()),
            Answered::Otherwise(why) => Err(LabError::AnotherStory { why }),
            Answered::Gone(error) => {
                tracing::debug!("a question cannot be answered: {error}");
                Err(self.link.gone_by_now().await)
            }
        }
    }
}

impl std::fmt::Debug for Skipping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Skipping").field("clock", &self.clock).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
