use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use super::*;
use crate::exact::testing::{self, Guest, LabEnds};

/// A device that records when it was served.
#[derive(Default)]
struct Hba {
    clock: Mutex<Arc<SkipClock>>,
    served: Mutex<Vec<u64>>,
    /// Serving the device creates further work.
    again: AtomicBool,
    wants: AtomicBool,
}

impl Device for Hba {
    fn serve(&self) {
        self.wants.store(self.again.swap(false, SeqCst), SeqCst);
        self.served.lock().unwrap().push(self.clock.lock().unwrap().now().as_nanos());
    }

    fn wants_service(&self) -> bool {
        self.wants.load(SeqCst)
    }

    fn slot(&self) -> u8 {
        0x10
    }

    fn take_interrupts(&self) -> Vec<u16> {
        vec![2]
    }
}

async fn keeper() -> (Guest, Keeper, Arc<SkipClock>, Arc<Hba>) {
    let (guest, ends) = testing::guest().await;
    let LabEnds { connected, register, asks } = ends;
    let (clock, hba) = (Arc::new(SkipClock::default()), Arc::new(Hba::default()));
    *hba.clock.lock().unwrap() = Arc::clone(&clock);
    let keeper = Keeper::exact(connected.link, register, asks, Vec::new());
    let keeper = keeper.with(Arc::clone(&clock), vec![Arc::clone(&hba) as Arc<dyn Device>]);
    (guest, keeper, clock, hba)
}

#[tokio::test]
async fn commands_are_served_at_the_time_of_the_question_and_before_its_answer() {
    let (mut guest, mut keeper, clock, hba) = keeper().await;
    guest.ask(5, b"").await;
    keeper.settle().await.unwrap();
    assert_eq!(*hba.served.lock().unwrap(), [5]);
    clock.call_at(Time::from_nanos(90), Box::new(|| ()));
    let (go, ()) = tokio::join!(guest.go(), async {
        // Answers the question, and waits for the next one.
        assert!(tokio::time::timeout(Duration::from_millis(50), keeper.settle()).await.is_err());
    });
    assert_eq!((go.0.round, go.0.wake_ns), (1, Some(90)));
    assert_eq!(go.0.interrupts, [Interrupt { slot: 0x10, queue: 2 }]);
}

#[tokio::test]
async fn what_is_due_is_called_and_what_comes_of_it_served_before_time_goes_on() {
    let (mut guest, mut keeper, clock, hba) = keeper().await;
    let due = Arc::clone(&hba);
    clock.call_at(Time::from_nanos(7), Box::new(move || due.again.store(true, SeqCst)));
    guest.ask(10, b"").await;
    keeper.settle().await.unwrap();
    keeper.settle().await.unwrap();
    assert_eq!(*hba.served.lock().unwrap(), [10, 10]);
    assert!(tokio::time::timeout(Duration::from_millis(50), keeper.settle()).await.is_err());
    assert_eq!(guest.go().await.0.wake_ns, None);
}

#[tokio::test]
async fn work_is_waited_for_while_time_goes_on() {
    let (mut guest, mut keeper, ..) = keeper().await;
    let (done, work) = oneshot::channel();
    let story = async {
        guest.ask(1, b"").await;
        assert_eq!(guest.go().await.0.round, 1);
        done.send(42).unwrap();
    };
    let (result, ()) = tokio::join!(keeper.drive(work), story);
    assert_eq!(result.unwrap().unwrap(), 42);
}

#[tokio::test]
async fn sleeping_takes_the_guests_time_and_not_the_hosts() {
    let (mut guest, mut keeper, clock, _) = keeper().await;
    guest.ask(1_000, b"").await;
    keeper.settle().await.unwrap();
    let hour = Duration::from_secs(3600);
    let asleep = AtomicU64::new(0);
    let story = async {
        let (go, _) = guest.go().await;
        asleep.store(go.wake_ns.unwrap(), SeqCst);
        guest.ask(go.wake_ns.unwrap(), b"").await;
    };
    let (slept, ()) = tokio::join!(keeper.sleep(hour), story);
    slept.unwrap();
    assert_eq!(clock.now(), Time::from_nanos(1_000) + hour);
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_does_not_ask_again_is_given_up_on_with_what_was_waited_for() {
    let (mut guest, mut keeper, clock, _) = keeper().await;
    clock.call_at(Time::from_nanos(30_000_000_000), Box::new(|| ()));
    guest.ask(1, b"").await;
    keeper.settle().await.unwrap();
    let (go, lost) = tokio::join!(guest.go(), keeper.settle());
    assert_eq!(go.0.round, 1);
    let error = lost.unwrap_err().to_string();
    assert!(error.contains("letting its clock go on to 30.000000s within 120 s"), "{error}");
}
