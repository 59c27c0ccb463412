//! When the lab answers the guest's question, and so lets its time go on.
//!
//! The rule: time goes on when everything has been done that was to be done by now. The guest asks
//! after it has sent something, and stands still ([`exact`](crate::exact)). Its commands are served,
//! what is due by the clock is called, and whatever comes of that is dealt with by whoever drives the
//! keeper; when nothing is left, the question is answered, with the time at which the guest is to ask
//! again at the latest.

use std::{sync::Arc, time::Duration};

use sansim_protocol::hypercall::{Ask, Interrupt};
use sansim_time::{Clock, SkipClock, Time};
use tokio::sync::{oneshot, watch};

use super::register::{Answered, Register, Serving};
use crate::{AgentLink, LabError, Result};

/// How long the guest may take to ask again once it was told to go on: the host's time. An emulated
/// guest that computes asks seldom, and one that is alone in the world not at all; but it was told
/// when to wake.
const PATIENCE: Duration = Duration::from_secs(120);
/// The same for its first question, which is only asked when the kernel has booted: whoever waits for that
/// gives up earlier.
const FIRST_PATIENCE: Duration = Duration::from_secs(300);

/// A device that serves its guest when it is told to. Devices are served on the thread of whoever
/// drives the keeper: handing them to another would take longer than serving them.
pub trait Device: Send + Sync {
    /// Serves what the guest has sent, or a good part of it, and passes on what is due by the clock.
    fn serve(&self);

    /// Whether it has more to do than what the guest may have sent since.
    fn wants_service(&self) -> bool;

    /// Its number on the guest's root bus.
    fn slot(&self) -> u8;

    /// Takes the virtqueues whose guest is to be interrupted.
    fn take_interrupts(&self) -> Vec<u16>;

    /// Serves as [`Device::serve`] does, and writes down what; none if that cannot be.
    fn serve_and_write_down(&self) -> Option<Vec<u8>> {
        self.serve();
        None
    }

    /// Does what [`Device::serve`] did when this was written down, without the guest. Answers whether it
    /// can.
    fn carry_out(&self, served: &[u8]) -> bool {
        served.is_empty()
    }
}

/// Keeps a guest's clock. In real time there is nothing to keep, and it waits for ever.
#[derive(Debug)]
pub struct Keeper(Option<Box<Skipping>>);

struct Skipping {
    link: AgentLink,
    register: Arc<Register>,
    asks: watch::Receiver<Ask>,
    clock: Arc<SkipClock>,
    /// They take turns in one order, so that the order of their commands is the same in every run.
    devices: Vec<Arc<dyn Device>>,
    state: GuestState,
    /// The last question that was heard.
    round: u64,
}

#[derive(Debug, Clone, Copy)]
enum GuestState {
    /// The guest runs; at the latest it asks at this time.
    Going(Option<Time>),
    /// The guest stands still, and its devices have served. Whoever drives has had the word since.
    Served,
}

/// The guest stands still, and its commands have been served: there may be something to be done
/// about them. To be followed by another call of [`Keeper::settle`] when nothing is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled;

impl Keeper {
    /// A keeper of real time.
    pub(crate) fn real() -> Keeper {
        Keeper(None)
    }

    /// A keeper of exact time: of a guest that asks through this register, and has such devices, until
    /// [`Keeper::with`] brings more.
    pub(crate) fn exact(
        link: AgentLink,
        register: Arc<Register>,
        asks: watch::Receiver<Ask>,
        devices: Vec<Arc<dyn Device>>,
    ) -> Keeper {
        let (clock, state) = (Arc::default(), GuestState::Going(None));
        Keeper(Some(Box::new(Skipping { link, register, asks, clock, devices, state, round: 0 })))
    }

    /// From now on the guest's time is shown by `clock`, and `devices` serve, too, when it stands still,
    /// one after the other.
    #[must_use]
    pub fn with(mut self, clock: Arc<SkipClock>, devices: Vec<Arc<dyn Device>>) -> Keeper {
        if let Some(skipping) = &mut self.0 {
            clock.advance(skipping.clock.now());
            skipping.clock = clock;
            skipping.devices.extend(devices);
        }
        self
    }

    /// Writes down what the guest asks and its devices serve, from the question on that is open, so that
    /// the story can be taken up again later. Real time cannot.
    pub fn write_down(&self) {
        if let Some(skipping) = &self.0 {
            skipping.register.write_down();
        }
    }

    /// No more is written down, and what was is forgotten.
    pub(crate) fn forget(&self) {
        if let Some(skipping) = &self.0 {
            drop(skipping.register.take_recording());
        }
    }

    /// Whether time is skipped.
    pub fn skips(&self) -> bool {
        self.0.is_some()
    }

    /// Lets the guest go on, waits until it stands still again, and has its commands served. To be
    /// called when there is nothing else to do, and again after all that came of it was done. May be
    /// dropped at any point.
    ///
    /// # Errors
    /// `AgentTimeout` when the guest does not ask again; `GuestGone`.
    pub async fn settle(&mut self) -> Result<Settled> {
        match &mut self.0 {
            Some(skipping) => skipping.settle().await,
            None => std::future::pending().await,
        }
    }

    /// Waits for something that the guest has to do, while its clock goes on.
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

    /// The guest's time when it last asked; in real time nobody knows.
    pub fn now(&self) -> Option<Time> {
        self.0.as_ref().map(|skipping| skipping.clock.now())
    }

    /// Has the guest ask at this time, whoever drives the keeper then.
    pub(crate) fn have_asked_at(&mut self, at: Option<Time>) {
        if let (Some(skipping), Some(at)) = (&mut self.0, at) {
            skipping.clock.call_at(at, Box::new(|| ()));
        }
    }

    /// Lets so much of the guest's time go by.
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

    /// Lets the guest's time go by until it is so late; in real time that has been.
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
            // A guest takes a moment, in which whoever drives hears what it has said.
            tokio::task::yield_now().await;
        }
        let patience = if self.round == 0 { FIRST_PATIENCE } else { PATIENCE };
        let asked = tokio::select! {
            changed = self.asks.changed() => changed.is_ok(),
            () = self.link.patience().runs_out(patience) => false,
        };
        if asked {
            // Only looked at: it counts as heard when it is acted on.
            self.asks.mark_changed();
            return Ok(());
        }
        let until = until.map_or_else(|| "for ever".to_owned(), |until| format!("to {until}"));
        Err(self.link.silent(&format!("letting its clock go on {until}"), patience).await)
    }

    /// Has everything done that is due at the time of the last question.
    fn serve(&mut self) -> Result<()> {
        let Ask { round, at_ns, .. } = *self.asks.borrow_and_update();
        self.round = round;
        self.clock.advance(Time::from_nanos(at_ns));
        let devices = self.devices.iter();
        match self.register.service() {
            Serving::Plain => devices.for_each(|device| device.serve()),
            Serving::WrittenDown => {
                // All of them are served, whatever can be written down.
                let served: Vec<_> = devices.map(|device| device.serve_and_write_down()).collect();
                self.register.served(served.into_iter().collect());
            }
            Serving::Again(served) => {
                // Of one that was not served nothing was written down.
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

    /// Whether something came up since the devices have served.
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
