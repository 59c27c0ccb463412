//! A clock that follows the host's time.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{Clock, Time, TimerQueue};

/// A [`Clock`] based on the host's monotonic clock, with one thread that calls the wakers.
/// [`Time::ZERO`] is the moment it was started. Dropping the clock stops the thread, and drops the
/// remaining wakers without calling them.
pub struct RealClock {
    started: Instant,
    timers: Arc<Timers>,
    thread: Option<JoinHandle<()>>,
}

impl RealClock {
    /// Starts the clock and its thread.
    ///
    /// # Panics
    ///
    /// Panics if the host cannot start a thread.
    pub fn start() -> Arc<RealClock> {
        let started = Instant::now();
        let timers = Arc::new(Timers::default());
        let thread = thread::Builder::new()
            .name("sansim-clock".into())
            .spawn({
                let timers = Arc::clone(&timers);
                move || timers.run(started)
            })
            .expect("the host can start a thread");
        Arc::new(RealClock { started, timers, thread: Some(thread) })
    }
}

impl Clock for RealClock {
    fn now(&self) -> Time {
        Time::ZERO + self.started.elapsed()
    }

    fn call_at(&self, due: Time, wake: Box<dyn FnOnce() + Send>) {
        self.timers.add(due, wake);
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

    fn run(&self, started: Instant) {
        let mut queue = self.lock();
        while !queue.stopped {
            let now = Time::ZERO + started.elapsed();
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
