//! A timer for the first parked command that is due.

use std::sync::Arc;
#[cfg(not(all(test, loom)))]
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(test, loom))]
use loom::sync::atomic::{AtomicU64, Ordering};
use sansim_time::{Clock, Time};

/// Called when a device has work that did not come from its virtqueues.
pub(crate) type Doorbell = Arc<dyn Fn() + Send + Sync>;

/// Rings the doorbell at the earliest due time. However many commands are parked, it uses only a
/// few timers: a new one is set only for a time earlier than the current one.
pub(crate) struct Alarm {
    clock: Arc<dyn Clock>,
    doorbell: Doorbell,
    /// The earliest due time in nanoseconds; [`Alarm::NEVER`] if no timer is set.
    earliest: AtomicU64,
}

impl Alarm {
    const NEVER: u64 = u64::MAX;

    pub(crate) fn new(clock: Arc<dyn Clock>, doorbell: Doorbell) -> Self {
        Alarm { clock, doorbell, earliest: AtomicU64::new(Self::NEVER) }
    }

    /// Rings the doorbell at `due` or earlier.
    pub(crate) fn set(&self, due: Time) {
        let at = due.as_nanos();
        if self.earliest.fetch_min(at, Ordering::AcqRel) > at {
            let doorbell = Arc::clone(&self.doorbell);
            self.clock.call_at(due, Box::new(move || doorbell()));
        }
    }

    /// Records that the doorbell rang. The next call of [`Alarm::set`] sets a new timer.
    pub(crate) fn rung(&self) {
        self.earliest.store(Self::NEVER, Ordering::Release);
    }
}

/// Every order in which threads can park commands and attend to them; run by `ci/loom`.
#[cfg(all(test, loom))]
mod every_order {
    use std::sync::Mutex as StdMutex;

    use loom::sync::RwLock;

    use super::*;

    /// A clock that only remembers the timers.
    #[derive(Default)]
    struct Timers(StdMutex<Vec<u64>>);

    impl Clock for Timers {
        fn now(&self) -> Time {
            Time::ZERO
        }

        fn call_at(&self, due: Time, _: Box<dyn FnOnce() + Send>) {
            self.0.lock().expect("nothing panics with it").push(due.as_nanos());
        }
    }

    /// The parked commands' times, and the lock that a backend has around its device: whoever serves a virtqueue
    /// shares it, whoever attends to the doorbell has it alone (`backend.rs`).
    struct Parking {
        alarm: Alarm,
        timers: Arc<Timers>,
        device: RwLock<()>,
        parked: StdMutex<Vec<u64>>,
    }

    impl Parking {
        /// `RequestQueue::park`.
        fn park(&self, due: u64) {
            let _shared = self.device.read().expect("nothing panics with it");
            self.alarm.set(Time::from_nanos(due));
            loom::thread::yield_now();
            self.parked.lock().expect("nothing panics with it").push(due);
        }

        /// `Device::attend`, because a timer has rung that is no longer in the clock.
        fn attend(&self) {
            let _alone = self.device.write().expect("nothing panics with it");
            self.timers.0.lock().expect("nothing panics with it").clear();
            self.alarm.rung();
            let first = self.parked.lock().expect("nothing panics with it").iter().min().copied();
            if let Some(due) = first {
                self.alarm.set(Time::from_nanos(due));
            }
        }
    }

    /// Whatever the order, a timer is set for the first command that is due.
    #[test]
    fn no_command_is_parked_without_a_timer() {
        loom::model(|| {
            let timers = Arc::new(Timers::default());
            let clock = Arc::clone(&timers) as Arc<dyn Clock>;
            let parking = Arc::new(Parking {
                alarm: Alarm::new(clock, Arc::new(|| ())),
                timers,
                device: RwLock::new(()),
                parked: StdMutex::default(),
            });
            let on = |act: fn(&Parking)| {
                let parking = Arc::clone(&parking);
                loom::thread::spawn(move || act(&parking))
            };
            let threads = [on(|it| it.park(5)), on(|it| it.park(3))];
            parking.attend();
            threads.map(|thread| thread.join().expect("it does not panic"));
            let timers = parking.timers.0.lock().expect("nothing panics with it").clone();
            assert_eq!(timers.iter().min(), Some(&3), "{timers:?}");
        });
    }
}
