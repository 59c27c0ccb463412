//! An array for the guest, and a clock that the tests move.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sansim_array::{
    Array, ArrayConfig, CommandRecord, ControllerConfig, ControllerId, FaultRule, FrameConfig,
    HbaId, Lun, LunConfig, Mapping, Observer, OpMatcher, PersonalityConfig, PortId, RdacConfig,
    StateChange, Then,
};
use sansim_time::{Clock, Time};

pub const HBA: HbaId = HbaId(0);
pub const BLOCK: usize = 512;

pub fn port_a() -> PortId {
    PortId { controller: ControllerId::A, index: 0 }
}

pub fn port_b() -> PortId {
    PortId { controller: ControllerId::B, index: 0 }
}

/// A LUN that controller A owns.
pub fn lun(number: u16, bytes: u64) -> LunConfig {
    LunConfig {
        lun: Lun(number),
        bytes,
        block_bytes: BLOCK as u32,
        owner: ControllerId::A,
        preferred: ControllerId::A,
        partner: None,
        label: format!("lun-{number}"),
        read_only: false,
        name: None,
        mapping: Mapping::default(),
    }
}

/// An RDAC array with two controllers and one LUN.
pub fn config(bytes: u64, faults: Vec<FaultRule>) -> ArrayConfig {
    let personality = PersonalityConfig::Rdac(RdacConfig::default());
    let frame = FrameConfig::new(personality, vec![ControllerConfig { ports: 1 }; 2]);
    ArrayConfig { faults, ..ArrayConfig::new(vec![frame], vec![lun(0, bytes)], 1) }
}

pub fn array(bytes: u64, faults: Vec<FaultRule>) -> Arc<Array> {
    let array = Array::new(config(bytes, faults), Arc::new(Silent));
    Arc::new(array.expect("the array is possible"))
}

/// A fault rule for an operation.
pub fn rule(name: &str, op: &str, then: Then) -> FaultRule {
    let op: OpMatcher = op.parse().expect("it is an operation");
    FaultRule::on_commands(name, op.into(), then)
}

/// An observer that ignores all reports.
pub struct Silent;

impl Observer for Silent {
    fn command(&self, _: &CommandRecord) {}

    fn state(&self, _: &StateChange) {}
}

type Wake = Box<dyn FnOnce() + Send>;

/// A clock that stands still until a test moves it.
#[derive(Default)]
pub struct ManualClock {
    now: AtomicU64,
    timers: Mutex<Vec<(Time, Wake)>>,
}

impl ManualClock {
    /// Moves the clock forward, and calls the wakers that are due.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).expect("it is short");
        let now = Time::from_nanos(self.now.fetch_add(nanos, Ordering::SeqCst) + nanos);
        let due: Vec<_> = {
            let mut timers = self.timers.lock().expect("nothing panics with it");
            timers.extract_if(.., |(due, _)| *due <= now).collect()
        };
        due.into_iter().for_each(|(_, wake)| wake());
    }

    /// The number of pending wakers.
    pub fn waiting(&self) -> usize {
        self.timers.lock().expect("nothing panics with it").len()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time::from_nanos(self.now.load(Ordering::SeqCst))
    }

    fn call_at(&self, due: Time, wake: Box<dyn FnOnce() + Send>) {
        self.timers.lock().expect("nothing panics with it").push((due, wake));
    }
}
