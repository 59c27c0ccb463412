//! A clock that follows the host's time.

use std::{
    fmt,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{Clock, Time, TimerQueue};

/// A [`Clock`] based on the host's monotonic clock, with one thread that calls the wakers.
/// [`Time::ZERO`] is the moment it was started. Dropping the clock stops the thread, and drops the
/// remaining wakers without calling them.
pub struct RealClock {
    hands: Arc<Hands>,
    timers: Arc<Timers>,
    thread: Option<JoinHandle<()>>,
}

/// Tells the time. All times are in nanoseconds.
struct Hands {
    started: Instant,
    /// For how long the clock was stopped, until it last continued.
    stopped_for: AtomicU64,
    /// The time at which the clock is stopped; [`RUNS`] while it runs.
    stopped_at: AtomicU64,
}

/// See [`Hands::stopped_at`].
const RUNS: u64 = u64::MAX;

impl Hands {
    fn start() -> Self {
        let (stopped_for, stopped_at) = (AtomicU64::new(0), AtomicU64::new(RUNS));
        Hands { started: Instant::now(), stopped_for, stopped_at }
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(RUNS)
    }

    fn now(&self) -> Time {
        let nanos = match self.stopped_at.load(SeqCst) {
            // A clock that continues has this updated before it runs, so that it never goes back.
            RUNS => self.elapsed().saturating_sub(self.stopped_for.load(SeqCst)),
            stopped_at => stopped_at,
        };
        Time::from_nanos(nanos)
    }

    fn runs(&self) -> bool {
        self.stopped_at.load(SeqCst) == RUNS
    }

    fn pause(&self, paused: bool) {
        if paused != self.runs() {
            return;
        }
        if paused {
            self.stopped_at.store(self.now().as_nanos(), SeqCst);
        } else {
            let stopped_at = self.stopped_at.load(SeqCst);
            self.stopped_for.store(self.elapsed().saturating_sub(stopped_at), SeqCst);
            self.stopped_at.store(RUNS, SeqCst);
        }
    }
}

impl RealClock {
    /// Starts the clock and its thread.
    ///
    /// # Panics
    ///
    /// Panics if the host cannot start a thread.
    pub fn start() -> Arc<RealClock> {
        let hands = Arc::new(Hands::start());
        let timers = Arc::new(Timers::default());
        let thread = thread::Builder::new()
            .name("sansim-clock".into())
            .spawn({
                let (timers, hands) = (Arc::clone(&timers), Arc::clone(&hands));
                move || timers.run(&hands)
            })
            .expect("the host can start a thread");
        Arc::new(RealClock { hands, timers, thread: Some(thread) })
    }
}

impl Clock for RealClock {
    fn now(&self) -> Time {
        self.hands.now()
    }

    fn call_at(&self, due: Time, wake: Box<dyn FnOnce() + Send>) {
        self.timers.add(due, wake);
    }

    fn pause(&self, paused: bool) {
        // The lock keeps the thread from calling a waker at the same time.
        let queue = self.timers.lock();
        self.hands.pause(paused);
        drop(queue);
        self.timers.changed.notify_one();
    }
}

impl fmt::Debug for RealClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealClock").field("now", &self.now()).finish_non_exhaustive()
    }
}

impl Drop for RealClock {
    fn drop(&mut self) {
        self.timers.stop();
        if let Some(thread) = self.thread.take() {
            // A waker may hold the last reference. Then this is the timer thread itself, which ends
            // when the waker returns.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

#[derive(Default)]
struct Timers {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    timers: TimerQueue,
    stopped: bool,
}

impl Timers {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, due: Time, wake: Box<dyn FnOnce() + Send>) {
        let first = self.lock().timers.add(due, wake);
        if first {
            self.changed.notify_one();
        }
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_one();
    }

    fn run(&self, hands: &Hands) {
        let mut queue = self.lock();
        while !queue.stopped {
            if !hands.runs() {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let now = hands.now();
            if let Some(wake) = queue.timers.take_due(now) {
                // Release the lock first: a waker may set another timer.
                drop(queue);
                wake();
                queue = self.lock();
                continue;
            }
            queue = match queue.timers.next_due() {
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(due) => self.wait(queue, due - now),
            };
        }
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue>, at_most: Duration) -> MutexGuard<'a, Queue> {
        let (queue, _) =
            self.changed.wait_timeout(queue, at_most).unwrap_or_else(PoisonError::into_inner);
        queue
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn wakers_are_called_in_order_of_their_time_and_never_early() {
        let clock = RealClock::start();
        let (called, calls) = mpsc::channel();
        let base = clock.now();
        for millis in [30, 10, 20, 10] {
            let due = base + Duration::from_millis(millis);
            let (called, on) = (called.clone(), Arc::clone(&clock));
            clock.call_at(
                due,
                Box::new(move || {
                    called.send((millis, on.now() >= due)).expect("the test waits for it");
                }),
            );
        }
        let order: Vec<_> = calls.iter().take(4).collect();
        assert_eq!(order, [(10, true), (10, true), (20, true), (30, true)]);
    }

    #[test]
    fn a_clock_that_is_stopped_shows_one_time_and_calls_nobody() {
        let clock = RealClock::start();
        clock.pause(true);
        clock.pause(true);
        let stopped = clock.now();
        let (called, calls) = mpsc::channel();
        clock.call_at(stopped, Box::new(move || called.send(()).expect("the test waits")));
        let early = calls.recv_timeout(Duration::from_millis(20));
        assert!(early.is_err() && clock.now() == stopped);
        clock.pause(false);
        calls.recv().expect("the waker is called when the clock runs");
        assert!(clock.now() - stopped < clock.hands.started.elapsed() - Duration::from_millis(20));
    }

    #[test]
    fn a_time_that_has_passed_is_due_at_once_even_behind_a_far_one() {
        let clock = RealClock::start();
        let (called, calls) = mpsc::channel();
        clock.call_at(clock.now() + Duration::from_secs(3600), Box::new(|| unreachable!()));
        clock.call_at(Time::ZERO, Box::new(move || called.send(()).expect("the test waits")));
        calls.recv().expect("the waker was called");
    }

    #[test]
    fn a_waker_may_set_another_timer() {
        let clock = RealClock::start();
        let (called, calls) = mpsc::channel();
        let again = Arc::clone(&clock);
        clock.call_at(
            Time::ZERO,
            Box::new(move || {
                again.call_at(Time::ZERO, Box::new(move || called.send(()).expect("waited for")));
            }),
        );
        calls.recv().expect("the second waker was called");
    }

    #[test]
    fn dropping_the_clock_ends_its_thread_and_drops_its_wakers() {
        let clock = RealClock::start();
        let held = Arc::new(());
        let in_waker = Arc::clone(&held);
        clock.call_at(clock.now() + Duration::from_secs(3600), Box::new(move || drop(in_waker)));
        let timers = Arc::downgrade(&clock.timers);
        drop(clock);
        assert_eq!(Arc::strong_count(&held), 1);
        assert!(timers.upgrade().is_none(), "the thread still has its timers");
    }

    #[test]
    fn the_last_reference_may_go_in_a_waker() {
        let clock = RealClock::start();
        let (called, calls) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        let last = Arc::clone(&clock);
        clock.call_at(
            Time::ZERO,
            Box::new(move || {
                gone.recv().expect("the test lets it go");
                drop(last);
                called.send(()).expect("the test waits");
            }),
        );
        drop(clock);
        go.send(()).expect("the waker waits");
        calls.recv().expect("the waker returned");
    }
}
