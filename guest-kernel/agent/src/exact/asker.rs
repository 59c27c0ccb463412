//! The thread that asks the lab whenever the lab should know something, and so keeps the clock.
//!
//! It wakes when a request is put into a virtqueue, when there is a message for the lab, and when the lab
//! wanted to be asked. It asks, and gets its answer at the same instant of the guest's time; then it
//! raises the interrupts that are due and sleeps again.

use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use sansim_protocol::LineBuffer;

use super::hypercall::Hypercall;
use super::interrupts::Interrupts;
use crate::bell::Bell;
use crate::clock::now_ns;
use crate::fail::{Doing, Result};
use crate::init;
use crate::outbox::Outbox;
use crate::probe::Queued;

/// What the thread is woken by.
const BELL: u64 = 0;
const TIMER: u64 = 1;
const QUEUED: u64 = 2;

/// Never, for a timer.
const NEVER: u64 = u64::MAX;

/// What the thread shares with those who wake it.
pub(crate) struct Asker {
    /// An epoll of all that wakes the thread.
    awaited: OwnedFd,
    /// What is put into virtqueues.
    queued: Mutex<Queued>,
    /// Rung when there is a message for the lab.
    bell: Arc<Bell>,
    /// Fires when the lab wants to be asked.
    timer: OwnedFd,
    /// Rung by requests that go out, and by interrupts that come back.
    activity: Arc<Bell>,
}

impl Asker {
    /// The one of a guest whose time is exact; none in real time. It is told of everything that comes into
    /// the outbox.
    ///
    /// # Errors
    /// When the kernel cannot tell what it puts into virtqueues.
    pub(crate) fn start(outbox: &mut Outbox) -> Result<Option<Arc<Asker>>> {
        if !super::is_exact() {
            return Ok(None);
        }
        let asker = Asker::new()?;
        outbox.ring_with(Arc::clone(&asker.bell));
        Ok(Some(Arc::new(asker)))
    }

    fn new() -> Result<Asker> {
        let queued = Queued::open()?;
        let make = || -> rustix::io::Result<Asker> {
            let timer_flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let asker = Asker {
                awaited: epoll::create(CreateFlags::CLOEXEC)?,
                queued: Mutex::new(queued),
                bell: Arc::new(Bell::new()?),
                timer: timerfd_create(TimerfdClockId::Monotonic, timer_flags)?,
                activity: Arc::new(Bell::new()?),
            };
            asker.wait_for(&*asker.bell, BELL)?;
            asker.wait_for(&asker.timer, TIMER)?;
            let queued = asker.queued.lock().unwrap_or_else(PoisonError::into_inner);
            queued.descriptors().try_for_each(|probe| asker.wait_for(probe, QUEUED))?;
            drop(queued);
            Ok(asker)
        };
        make().doing(|| "make timers".to_owned())
    }

    fn wait_for(&self, fd: impl AsFd, what: u64) -> rustix::io::Result<()> {
        epoll::add(&self.awaited, fd, EventData::new_u64(what), EventFlags::IN)
    }

    /// Rung by requests that go out, and by interrupts that come back.
    pub(crate) fn activity(&self) -> Arc<Bell> {
        Arc::clone(&self.activity)
    }

    /// Asks, sends what is in the outbox, and hands the lab's lines to `deliver`; for ever.
    ///
    /// # Errors
    /// When this kernel or this machine cannot do exact time.
    pub(crate) fn keep_asking(&self, outbox: &Outbox, deliver: impl Fn(Vec<u8>)) -> Result<()> {
        let (mut hypercall, mut interrupts) = (Hypercall::open()?, Interrupts::open()?);
        let (mut text, mut lines, mut timer_ns) = (Vec::new(), LineBuffer::default(), NEVER);
        loop {
            self.wait();
            // More than once for text that does not fit into one question.
            loop {
                self.bell.hush();
                outbox.take_all(&mut text);
                let (go, answer) = hypercall.ask(now_ns(), &mut text);
                let wake_ns = go.wake_ns.unwrap_or(NEVER);
                // One that has passed has fired, and is to fire again.
                if wake_ns != timer_ns || wake_ns <= now_ns() {
                    timer_ns = wake_ns;
                    self.set_timer(wake_ns);
                }
                if !go.interrupts.is_empty() {
                    self.activity.ring();
                    interrupts.raise(&go.interrupts)?;
                }
                lines.push(&answer);
                while let Some(line) = lines.next_line() {
                    match line {
                        Ok(line) => deliver(line),
                        Err(error) => init::say(&error.to_string()),
                    }
                }
                if text.is_empty() {
                    break;
                }
            }
        }
    }

    /// Sleeps until something has happened that the lab should know; the guest may idle meanwhile.
    fn wait(&self) {
        let mut events = Vec::with_capacity(8);
        while events.is_empty() {
            // Interrupted by a signal, it is called again.
            let _ = epoll::wait(&self.awaited, spare_capacity(&mut events), None);
        }
        for event in &events {
            match event.data.u64() {
                TIMER => drop(rustix::io::read(&self.timer, &mut [0; 8])),
                BELL => self.bell.drain(),
                _ => {
                    self.activity.ring();
                    self.queued.lock().unwrap_or_else(PoisonError::into_inner).drain();
                }
            }
        }
    }

    /// Has the thread woken at a point of time. One that has passed is due at once.
    fn set_timer(&self, at_ns: u64) {
        // A time of zero disarms the timer.
        let at = if at_ns == NEVER { 0 } else { at_ns.clamp(1, i64::MAX as u64) } as i64;
        let at = Timespec { tv_sec: at / 1_000_000_000, tv_nsec: at % 1_000_000_000 };
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let spec = Itimerspec { it_interval: once, it_value: at };
        let _ = timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &spec);
    }
}
