//! Asking the lab whether time may go on, and standing still until it answers.
//!
//! One thread does it all. It wakes when a command is dispatched, when a message is to be sent, and
//! when the lab wanted to be asked; it sends what there is to be sent, asks, and keeps the processor
//! busy until it has the answer.
//!
//! It is scheduled as SCHED_BATCH (sched(7)), which preempts nobody when it wakes: one question stands
//! for everything that a thread did in one go, while a program that computes does not keep it waiting
//! for more than a few ticks. The thread that brings the answer preempts it at once (SCHED_FIFO).
//! SCHED_IDLE would have to wait much longer for a program that computes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, OwnedFd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use sansim_protocol::{Ask, FromAgent, Go, encode};

use super::linger::linger;
use super::probe::Probes;
use crate::clock::now_ns;
use crate::outbox::Outbox;
use crate::port::Port;

/// What the thread is woken by.
const BELL: u64 = 0;
const TIMER: u64 = 1;
const COMMAND: u64 = 2;
const DISK: u64 = 3;

/// Never, for a timer.
const NEVER: u64 = u64::MAX;

/// What the keeping thread shares with those who wake and answer it.
pub(crate) struct Clock {
    probes: Arc<OnceLock<Mutex<Probes>>>,
    /// Everything that wakes.
    awaited: OwnedFd,
    /// Rung when there is a message for the lab.
    bell: OwnedFd,
    rung: AtomicBool,
    /// Fires when the lab wants to be asked.
    timer: OwnedFd,
    /// The last question that was answered, and when the lab wanted to be asked again.
    answered: AtomicU64,
    wake_ns: AtomicU64,
}

impl Clock {
    /// A clock that nobody keeps yet.
    pub(super) fn new(probes: Arc<OnceLock<Mutex<Probes>>>) -> rustix::io::Result<Clock> {
        let timer_flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let clock = Clock {
            probes,
            awaited: epoll::create(CreateFlags::CLOEXEC)?,
            bell: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?,
            rung: AtomicBool::new(false),
            timer: timerfd_create(TimerfdClockId::Monotonic, timer_flags)?,
            answered: AtomicU64::new(0),
            wake_ns: AtomicU64::new(NEVER),
        };
        clock.wait_for(&clock.bell, BELL)?;
        clock.wait_for(&clock.timer, TIMER)?;
        Ok(clock)
    }

    /// Wakes for what the kernel sends to the HBAs, too.
    pub(super) fn await_commands(&self, probes: &Probes) -> rustix::io::Result<()> {
        probes.commands().try_for_each(|probe| self.wait_for(probe, COMMAND))
    }

    /// Wakes for what it sends to the userland's disk, too.
    pub(super) fn await_disk(&self, probes: &Probes) -> rustix::io::Result<()> {
        probes.disk_requests().try_for_each(|probe| self.wait_for(probe, DISK))
    }

    fn wait_for(&self, fd: impl AsFd, what: u64) -> rustix::io::Result<()> {
        epoll::add(&self.awaited, fd, EventData::new_u64(what), EventFlags::IN)
    }

    /// There is a message for the lab.
    pub(super) fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            // A counter that is full has been written to, which is all that matters.
            let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
        }
    }

    /// The lab's answer.
    pub(super) fn go(&self, go: Go) {
        self.wake_ns.store(go.wake_ns.unwrap_or(NEVER), Ordering::Relaxed);
        self.answered.fetch_max(go.round, Ordering::Release);
    }

    /// Keeps the clock and sends what is in the outbox, for ever.
    pub(crate) fn keep(&self, outbox: &Outbox, port: &Port) -> ! {
        schedule_as(libc::SCHED_BATCH, 0);
        let (mut round, mut timer_ns) = (0, NEVER);
        loop {
            let disk = self.wait();
            round += 1;
            self.ask(round, outbox, port);
            while self.answered.load(Ordering::Acquire) < round {
                if self.rung.load(Ordering::Relaxed) {
                    // An answer to the lab, which may wait for it before it lets time go on.
                    round += 1;
                    self.ask(round, outbox, port);
                }
                linger();
            }
            if disk {
                self.with_probes(Probes::wait_for_disk);
            }
            let wake_ns = self.wake_ns.load(Ordering::Relaxed);
            // One that has passed has fired, and is to fire again.
            if wake_ns != timer_ns || wake_ns <= now_ns() {
                timer_ns = wake_ns;
                self.set_timer(wake_ns);
            }
        }
    }

    /// Sleeps until something has happened that the lab should know; the guest may idle meanwhile.
    /// Answers whether the userland's disk was sent a request.
    fn wait(&self) -> bool {
        let mut events = Vec::with_capacity(8);
        while events.is_empty() {
            // Interrupted by a signal, it is called again.
            let _ = epoll::wait(&self.awaited, spare_capacity(&mut events), None);
        }
        let mut disk = false;
        for event in &events {
            match event.data.u64() {
                TIMER => drop(rustix::io::read(&self.timer, &mut [0; 8])),
                // Whoever has rung may have been preempted before, while the message went out with
                // another question: that bell, which `ask` did not find, would never end.
                BELL => drop(rustix::io::read(&self.bell, &mut [0; 8])),
                DISK => disk = true,
                _ => {}
            }
        }
        self.with_probes(Probes::drain);
        disk
    }

    fn ask(&self, round: u64, outbox: &Outbox, port: &Port) {
        if self.rung.swap(false, Ordering::SeqCst) {
            let _ = rustix::io::read(&self.bell, &mut [0; 8]);
        }
        let mut lines = outbox.take_all();
        lines.extend(encode(&FromAgent::Ask(Ask { round, at_ns: now_ns() })));
        port.send(&lines);
    }

    fn with_probes(&self, act: fn(&mut Probes)) {
        if let Some(probes) = self.probes.get() {
            act(&mut probes.lock().unwrap_or_else(PoisonError::into_inner));
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

/// Has the thread that calls this, which brings the lab's answers, preempt everybody else; but not
/// the threads that it starts.
pub(super) fn preempt_all() {
    schedule_as(libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, 1);
}

/// Changes how the calling thread is scheduled.
fn schedule_as(policy: libc::c_int, priority: libc::c_int) {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: the call reads the structure it is given, and changes this thread's scheduling only.
    let done = unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) };
    assert_eq!(done, 0, "the first process may choose its scheduling");
}
