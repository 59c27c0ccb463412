//! The thread that asks the lab whenever the lab has something to learn, and so keeps the guest's clock.
//!
//! It wakes when a request is put into a virtqueue, when there is a message for the lab, and at the time
//! that the lab asked for. The answer arrives at the same instant of guest time. The thread then raises the
//! interrupts that are due and sleeps again.

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

/// epoll user data of the events that wake the thread.
const BELL: u64 = 0;
const TIMER: u64 = 1;
const QUEUED: u64 = 2;

/// A timer that never fires.
const NEVER: u64 = u64::MAX;

/// State shared by the thread and those who wake it.
pub(crate) struct Asker {
    /// An epoll descriptor over everything that wakes the thread.
    awaited: OwnedFd,
    /// Readable when a request is put into a virtqueue.
    queued: Mutex<Queued>,
    /// Rung when there is a message for the lab.
    bell: Arc<Bell>,
    /// A timerfd for the time at which the lab wants to be asked.
    timer: OwnedFd,
    /// Rung when a request is sent, and when an interrupt is raised.
    activity: Arc<Bell>,
}

impl Asker {
    /// Creates the asker in exact time; returns `None` in real time. It is woken for every message in the
    /// outbox.
    ///
    /// # Errors
    /// When the kernel cannot report what it puts into virtqueues (no kprobes).
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

    /// The bell that is rung when a request is sent, and when an interrupt is raised.
    pub(crate) fn activity(&self) -> Arc<Bell> {
        Arc::clone(&self.activity)
    }

    /// The thread's main loop: asks, sends the contents of the outbox, and passes the lab's lines to
    /// `deliver`. Returns only on error.
    pub(crate) fn keep_asking(&self, outbox: &Outbox, deliver: impl Fn(Vec<u8>)) -> Result<()> {
        let (mut hypercall, mut interrupts) = (Hypercall::open()?, Interrupts::open()?);
        let (mut text, mut lines, mut timer_ns) = (Vec::new(), LineBuffer::default(), NEVER);
        loop {
            self.wait();
            // Repeated while there is text that did not fit into one question.
            loop {
                self.bell.hush();
                outbox.take_all(&mut text);
                let (go, answer) = hypercall.ask(now_ns(), &mut text);
                let wake_ns = go.wake_ns.unwrap_or(NEVER);
                // A timer in the past has fired and must fire again.
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

    /// Sleeps until there is something to ask. The guest may idle meanwhile.
    fn wait(&self) {
        let mut events = Vec::with_capacity(8);
        while events.is_empty() {
            // EINTR leaves `events` empty, and the loop waits again.
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

    /// Sets the timer. A time in the past fires at once.
    fn set_timer(&self, at_ns: u64) {
        // Zero would disarm the timer (timerfd_settime(2)).
        let at = if at_ns == NEVER { 0 } else { at_ns.clamp(1, i64::MAX as u64) } as i64;
        let at = Timespec { tv_sec: at / 1_000_000_000, tv_nsec: at % 1_000_000_000 };
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let spec = Itimerspec { it_interval: once, it_value: at };
        let _ = timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &spec);
    }
}
