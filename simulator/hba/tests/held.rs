//! An HBA that serves its guest only when it is asked to, as in skipped time.

mod front_end;
mod guest;

use std::{sync::Arc, time::Duration};

use front_end::{FrontEnd, REQUESTS};
use guest::{
    san::{self, rule},
    scsi::{Response, TEST_UNIT_READY, lun, read10},
};
use sansim_array::{Action, Array, Clock, FaultRule, SkipClock, Then, Time};
use sansim_hba::{HbaConfig, HbaServer};
use tempfile::TempDir;
use vhost::VhostBackend;

struct Bench {
    _dir: TempDir,
    array: Arc<Array>,
    clock: Arc<SkipClock>,
    server: HbaServer,
    front: FrontEnd,
}

impl Bench {
    fn new(faults: Vec<FaultRule>) -> Bench {
        let dir = tempfile::tempdir().expect("a directory");
        let (array, clock) = (san::array(8 << 20, faults), Arc::new(SkipClock::default()));
        let config = HbaConfig { id: san::HBA, targets: vec![san::port_a()], request_queues: 2 };
        let (on, by) = (Arc::clone(&array), Arc::clone(&clock) as Arc<dyn Clock>);
        let socket = dir.path().join("hba0");
        let server = HbaServer::start_held(config, on, by, &socket).expect("the socket is free");
        let front = FrontEnd::connect(&socket, REQUESTS + 2, 256, 200);
        let mut bench = Bench { _dir: dir, array, clock, server, front };
        // Takes away the unit attentions that wait for the nexus.
        for _ in 0..4 {
            bench.send(REQUESTS, 0, &TEST_UNIT_READY);
            bench.server.serve();
            bench.front.take_used(REQUESTS).expect("it was served");
        }
        bench
    }

    fn send(&mut self, queue: usize, slot: u16, cdb: &[u8]) {
        let place = self.front.place(slot);
        place.command(&self.front.memory, lun(0, 0), 0, cdb);
        let parts = place.reading(san::BLOCK);
        self.front.offer(queue, slot, &parts);
    }

    fn answer(&mut self, queue: usize) -> Option<Response> {
        let (slot, _) = self.front.take_used(queue)?;
        Some(self.front.place(slot).response(&self.front.memory))
    }
}

#[test]
fn a_kick_alone_is_not_answered_and_being_asked_answers_every_queue() {
    let mut bench = Bench::new(vec![]);
    for queue in [REQUESTS, REQUESTS + 1] {
        bench.send(queue, queue as u16, &read10(0, 1));
        bench.front.kick(queue);
    }
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(bench.answer(REQUESTS), None);
    bench.server.serve();
    for queue in [REQUESTS, REQUESTS + 1] {
        assert_eq!(bench.answer(queue), Some(Response::GOOD));
        assert_eq!(bench.answer(queue), None);
    }
    assert!(!bench.server.wants_service());
}

#[test]
fn a_command_that_was_not_even_kicked_is_served() {
    let mut bench = Bench::new(vec![]);
    bench.send(REQUESTS, 3, &read10(0, 1));
    bench.server.serve();
    assert_eq!(bench.answer(REQUESTS), Some(Response::GOOD));
}

#[test]
fn a_delayed_command_is_answered_when_its_time_has_come_and_the_hba_is_asked() {
    let delay = Then { delay: Some(Duration::from_secs(10).into()), ..Then::default() };
    let mut bench = Bench::new(vec![rule("slow", "READ", delay)]);
    bench.send(REQUESTS, 1, &read10(0, 1));
    bench.server.serve();
    assert_eq!(bench.answer(REQUESTS), None);
    let due = bench.clock.next_due().expect("the clock knows when");
    assert_eq!(due, Time::ZERO + Duration::from_secs(10));
    bench.clock.advance(due);
    assert!(bench.server.wants_service());
    bench.server.serve();
    assert_eq!(bench.answer(REQUESTS), Some(Response::GOOD));
}

#[test]
fn a_command_that_a_step_lets_go_wants_service() {
    let hold = Then { hold: Some("gate".into()), ..Then::default() };
    let mut bench = Bench::new(vec![rule("hold", "READ", hold)]);
    bench.send(REQUESTS, 1, &read10(0, 1));
    bench.server.serve();
    assert!(!bench.server.wants_service());
    bench
        .array
        .apply(bench.clock.now(), Action::Release { hold: "gate".into() })
        .expect("it is held");
    assert!(bench.server.wants_service());
    bench.server.serve();
    assert_eq!(bench.answer(REQUESTS), Some(Response::GOOD));
}

#[test]
fn a_full_ring_is_served_in_one_go() {
    let mut bench = Bench::new(vec![]);
    let slots = 0..60u16;
    for slot in slots.clone() {
        bench.send(REQUESTS, slot, &read10(u32::from(slot), 1));
    }
    bench.server.serve();
    assert!(!bench.server.wants_service());
    assert!(slots.map(|_| bench.answer(REQUESTS)).all(|answer| answer == Some(Response::GOOD)));
}

#[test]
fn interrupts_are_reported_by_their_virtqueues_and_not_raised() {
    let mut bench = Bench::new(vec![]);
    bench.server.take_interrupts();
    for queue in [REQUESTS + 1, REQUESTS] {
        bench.send(queue, queue as u16, &read10(0, 1));
    }
    bench.server.serve();
    assert_eq!(bench.server.take_interrupts(), [REQUESTS as u16, REQUESTS as u16 + 1]);
    assert!(bench.server.take_interrupts().is_empty());
    for queue in [REQUESTS, REQUESTS + 1] {
        assert!(bench.front.queues[queue].call.read().is_err(), "it was not raised");
    }
}

#[test]
fn a_machine_that_is_paused_finds_commands_that_are_held_back_again() {
    let delay = Then { delay: Some(Duration::from_secs(10).into()), ..Then::default() };
    let mut bench = Bench::new(vec![rule("slow", "READ", delay)]);
    bench.send(REQUESTS, 1, &read10(0, 1));
    bench.server.serve();
    let base = bench.front.frontend.get_vring_base(REQUESTS).expect("the queue is there");
    assert_eq!(bench.answer(REQUESTS), None, "the guest would see that it was paused");
    bench.front.start_queue(REQUESTS, base as u16);
    bench.clock.advance(Time::ZERO + Duration::from_secs(10));
    bench.server.serve();
    assert_eq!(bench.answer(REQUESTS), Some(Response::GOOD));
    assert_eq!(bench.answer(REQUESTS), None);
}

#[test]
fn a_question_that_comes_before_its_queue_is_started_again_is_answered_as_ever() {
    let mut bench = Bench::new(vec![]);
    bench.server.take_interrupts();
    bench.send(REQUESTS, 1, &read10(0, 1));
    let Bench { server, front, .. } = &mut bench;
    let base = front.frontend.get_vring_base(REQUESTS).expect("the queue is there");
    std::thread::scope(|scope| {
        let served = scope.spawn(|| server.serve());
        std::thread::sleep(Duration::from_millis(20));
        assert!(!served.is_finished(), "the command is left to the next question");
        front.start_queue(REQUESTS, base as u16);
    });
    assert_eq!(bench.server.take_interrupts(), [REQUESTS as u16]);
    assert_eq!(bench.answer(REQUESTS), Some(Response::GOOD));
}
