use std::{sync::Arc, time::Duration};

use sansim_array::{Action, Lose, Then, Wait};
use sansim_time::Clock;

use crate::{
    guest::{
        ring::SLOT_DESCRIPTORS,
        san::rule,
        scsi::{Response, inquiry, lun, read10, write10},
    },
    rig::Rig,
    wire::FIRST_REQUEST_QUEUE,
};

const QUEUE: u16 = FIRST_REQUEST_QUEUE;

fn held(op: &str) -> Rig {
    let then = Then::held("gate");
    Rig::new(vec![rule("hold", op, then)]).settle()
}

fn release(rig: &mut Rig) {
    let action = Action::Release { hold: Arc::from("gate") };
    let now = rig.clock.now();
    rig.array.apply(now, action).expect("the hold is known");
    rig.attend();
}

#[test]
fn a_held_command_is_carried_out_when_it_is_released() {
    let mut rig = held("WRITE");
    let place = rig.place(1);
    place.put_data(&rig.memory, &[0xA5; 512]);
    let parts = place.writing(512);
    rig.offer(1, &write10(3, 1), &parts);
    rig.serve(QUEUE).expect("the ring is sound");
    assert_eq!(rig.queue(QUEUE).take_used(), None);
    // Other commands overtake it.
    let parts = rig.place(0).reading(512);
    assert_eq!(rig.run(lun(0, 0), &read10(3, 1), &parts).1, Response::GOOD);
    assert_eq!(rig.place(0).take_data(&rig.memory, 512), [0; 512]);
    release(&mut rig);
    assert_eq!(rig.queue(QUEUE).take_used(), Some((1, 108)));
    assert_eq!(place.response(&rig.memory), Response::GOOD);
    let parts = rig.place(0).reading(512);
    rig.run(lun(0, 0), &read10(3, 1), &parts);
    assert_eq!(rig.place(0).take_data(&rig.memory, 512), [0xA5; 512]);
    assert_eq!(rig.statistics().parked, 1);
}

#[test]
fn a_delayed_command_is_carried_out_in_its_time() {
    let delay = Duration::from_millis(20);
    let then = Then::delayed(delay);
    let mut rig = Rig::new(vec![rule("slow", "INQUIRY", then)]);
    for slot in 0..10 {
        let parts = rig.place(slot).reading(36);
        rig.offer(slot, &inquiry(36), &parts);
    }
    rig.serve(QUEUE).expect("the ring is sound");
    assert_eq!(rig.clock.waiting(), 1, "one timer does for all");
    rig.clock.advance(delay - Duration::from_nanos(1));
    rig.attend();
    assert_eq!(rig.queue(QUEUE).take_used(), None);
    rig.clock.advance(Duration::from_nanos(1));
    rig.attend();
    let used: Vec<_> = std::iter::from_fn(|| rig.queue(QUEUE).take_used()).collect();
    assert_eq!(used, (0..10).map(|slot| (slot, 144)).collect::<Vec<_>>());
    assert_eq!(rig.place(9).response(&rig.memory), Response::GOOD);
    assert_eq!(rig.clock.waiting(), 0);
}

#[test]
fn later_times_are_not_forgotten() {
    let then = |millis| Then::delayed(Duration::from_millis(millis));
    let rules = vec![rule("slow", "INQUIRY", then(30)), rule("less slow", "READ", then(10))];
    let mut rig = Rig::new(rules).settle();
    let parts = rig.place(0).reading(36);
    rig.offer(0, &inquiry(36), &parts);
    let parts = rig.place(1).reading(512);
    rig.offer(1, &read10(0, 1), &parts);
    rig.serve(QUEUE).expect("the ring is sound");
    for (millis, expected) in [(10, vec![1]), (10, vec![]), (10, vec![0])] {
        rig.clock.advance(Duration::from_millis(millis));
        rig.attend();
        assert_eq!(rig.queue(QUEUE).used_slots(), expected);
    }
}

#[test]
fn a_command_both_held_and_delayed_waits_for_both_without_waking_anybody() {
    let delay = Duration::from_millis(10);
    let then = Then::from(Wait { delay: Some(delay.into()), hold: Some("gate".into()) });
    let mut rig = Rig::new(vec![rule("both", "INQUIRY", then)]);
    let parts = rig.place(0).reading(36);
    rig.offer(0, &inquiry(36), &parts);
    rig.serve(QUEUE).expect("the ring is sound");
    for _ in 0..3 {
        rig.clock.advance(delay);
        rig.attend();
    }
    assert_eq!((rig.queue(QUEUE).take_used(), rig.clock.waiting()), (None, 0));
    release(&mut rig);
    assert_eq!(rig.queue(QUEUE).take_used(), Some((0, 144)));
}

#[test]
fn a_lost_command_fails_when_the_initiator_gives_up() {
    let then = Then::lost(Lose::Command);
    let mut rig = Rig::new(vec![rule("lost", "WRITE", then)]).settle();
    let parts = rig.place(1).writing(512);
    rig.offer(1, &write10(0, 1), &parts);
    rig.serve(QUEUE).expect("the ring is sound");
    rig.clock.advance(Duration::from_secs(30));
    rig.attend();
    assert_eq!(rig.queue(QUEUE).take_used(), Some((1, 108)));
    assert_eq!(rig.place(1).response(&rig.memory).code, 9, "FAILURE");
}

#[test]
fn the_guest_may_reuse_its_memory_only_after_the_answer() {
    // The chain was copied when the command arrived: later changes of the descriptors have no
    // effect.
    let mut rig = held("READ");
    let parts = rig.place(1).reading(512);
    rig.offer(1, &read10(0, 1), &parts);
    rig.serve(QUEUE).expect("the ring is sound");
    let elsewhere = rig.place(2).reading(512);
    let guest = &rig.queues[usize::from(QUEUE)].guest;
    for (n, part) in elsewhere.iter().enumerate() {
        guest.describe(&rig.memory, SLOT_DESCRIPTORS + n as u16, part.address, part.len, 0, 0);
    }
    release(&mut rig);
    assert_eq!(rig.queue(QUEUE).take_used(), Some((1, 620)));
    assert_eq!(rig.place(1).response(&rig.memory), Response::GOOD);
}

#[test]
fn a_queue_that_stops_has_its_commands_sent_again() {
    let mut rig = held("READ");
    let parts = rig.place(1).reading(512);
    rig.offer(1, &read10(0, 1), &parts);
    let parts = rig.place(2).reading(512);
    rig.offer_to(QUEUE + 1, 2, lun(0, 0), &read10(0, 1), &parts);
    rig.serve(QUEUE).expect("the ring is sound");
    rig.serve(QUEUE + 1).expect("the ring is sound");
    let used = rig.device.stop_queue(QUEUE, &rig.memory);
    rig.give_back(used);
    assert_eq!(rig.queue(QUEUE).take_used(), Some((1, 108)));
    let response = rig.place(1).response(&rig.memory);
    assert_eq!((response.code, response.status, response.residual), (0, 8, 512));
    // The command of the other queue stays parked. The array has forgotten the command of the
    // stopped queue.
    release(&mut rig);
    assert_eq!(rig.queue(QUEUE).take_used(), None);
    assert_eq!(rig.queue(QUEUE + 1).take_used(), Some((2, 620)));
}

#[test]
fn a_reset_forgets_all_commands_and_events() {
    let mut rig = held("READ");
    for slot in 1..5 {
        let parts = rig.place(slot).reading(512);
        rig.offer(slot, &read10(0, 1), &parts);
    }
    rig.serve(QUEUE).expect("the ring is sound");
    rig.device.reset();
    release(&mut rig);
    assert_eq!(rig.queue(QUEUE).take_used(), None);
    assert!(!rig.device.has_events());
}

#[test]
fn no_more_commands_are_parked_than_the_queue_can_hold() {
    let mut rig = held("READ");
    let parts = rig.place(1).reading(512);
    rig.offer(1, &read10(0, 1), &parts);
    // Offers the same descriptors repeatedly, which a driver must not do before they are returned.
    for _ in 0..3 {
        for _ in 0..63 {
            rig.queues[usize::from(QUEUE)].guest.publish(&rig.memory, SLOT_DESCRIPTORS);
        }
        rig.serve(QUEUE).expect("the ring is sound");
    }
    let statistics = rig.statistics();
    assert_eq!(statistics.parked, 64);
    assert_eq!(statistics.malformed, 190 - 64);
    assert_eq!(rig.place(1).response(&rig.memory).code, 9, "FAILURE");
    release(&mut rig);
    assert_eq!(rig.queue(QUEUE).used_slots().len(), 190);
}
