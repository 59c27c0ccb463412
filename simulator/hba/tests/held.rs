//! An HBA in held mode, which serves its guest only on request, as in skipped time.

mod front_end;
mod guest;

use std::{sync::Arc, time::Duration};

use front_end::{FrontEnd, REQUESTS};
use guest::{
    ring::readable,
    san::{self, rule},
    scsi::{Response, TEST_UNIT_READY, lun, read10, write10},
};
use sansim_array::{Action, Array, FaultRule, Then};
use sansim_hba::{HbaConfig, HbaServer, Request, Scratch};
use sansim_time::{Clock, SkipClock, Time};
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
        // Takes the pending unit attentions of the nexus.
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

    /// Offers a write of one block that is filled with `byte`.
    fn write(&mut self, slot: u16, block: u32, byte: u8) {
        let place = self.front.place(slot);
        place.command(&self.front.memory, lun(0, 0), 0, &write10(block, 1));
        place.put_data(&self.front.memory, &vec![byte; san::BLOCK]);
        let parts = place.writing(san::BLOCK);
        self.front.offer(REQUESTS, slot, &parts);
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
    let delay = Then::delayed(Duration::from_secs(10));
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
    let hold = Then::held("gate");
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
    let delay = Then::delayed(Duration::from_secs(10));
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

/// Serves the bench, and returns the recorded requests.
fn written(bench: &Bench) -> Vec<Request> {
    bench.server.serve_and_write_down().expect("it makes sense")
}

#[test]
fn an_hba_that_carries_out_what_another_has_served_is_where_that_one_is() {
    let delay = Then::delayed(Duration::from_secs(10));
    let slow = || vec![rule("slow", "READ", delay.clone())];
    let mut first = Bench::new(slow());
    first.write(3, 5, b'x');
    let done = written(&first);
    assert_eq!(first.answer(REQUESTS), Some(Response::GOOD));
    first.send(REQUESTS, 7, &read10(5, 1));
    let waiting = written(&first);
    assert_eq!((done.len(), waiting.len(), first.answer(REQUESTS)), (1, 1, None));

    // Another array. Its guest has sent these requests and waits only for the last one.
    let mut second = Bench::new(slow());
    let scratch = Scratch::new(1 << 30).expect("addresses cost nothing");
    second.server.take_interrupts();
    for requests in [&done, &waiting] {
        assert!(second.server.carry_out(requests, &scratch));
    }
    assert!(second.server.take_interrupts().is_empty(), "it was interrupted long ago");
    assert_eq!(second.server.statistics().received, first.server.statistics().received);
    for bench in [&mut first, &mut second] {
        assert_eq!(bench.clock.next_due(), Some(Time::ZERO + Duration::from_secs(10)));
        bench.clock.advance(Time::ZERO + Duration::from_secs(10));
        bench.server.serve();
        assert_eq!(bench.answer(REQUESTS), Some(Response::GOOD));
        let data = bench.front.place(7).take_data(&bench.front.memory, san::BLOCK);
        assert_eq!(data, vec![b'x'; san::BLOCK]);
    }
    assert!(written(&first).is_empty());
}

#[test]
fn what_cannot_be_written_down_or_carried_out_is_said() {
    let mut bench = Bench::new(vec![]);
    bench.send(REQUESTS, 1, &read10(0, 1));
    let requests = written(&bench);
    let small = Scratch::new(1 << 20).expect("a mebibyte");
    assert!(!bench.server.carry_out(&requests, &small), "the guest had more memory");
    bench.front.offer(REQUESTS, 2, &[readable(0xffff_ffff_0000, 51)]);
    assert_eq!(bench.server.serve_and_write_down(), None, "there is no such memory");
}
