//! Tests of kicks and interrupts.

use crate::{
    guest::scsi::TEST_UNIT_READY,
    malformed::Malformed,
    rig::Rig,
    ring::{self, Progress},
    wire::FIRST_REQUEST_QUEUE,
};

const QUEUE: usize = FIRST_REQUEST_QUEUE as usize;

fn offer(rig: &mut Rig, slot: u16) {
    let parts = rig.place(slot).plain();
    rig.offer(slot, &TEST_UNIT_READY, &parts);
}

#[test]
fn with_event_idx_the_device_asks_for_one_kick_and_gives_one_interrupt() {
    let mut rig = Rig::new(vec![]);
    offer(&mut rig, 0);
    let queue = &mut rig.queues[QUEUE];
    assert!(queue.guest.kick_wanted(&rig.memory), "the first kick starts it");
    assert!(!queue.guest.ask_for_interrupt(&rig.memory));
    for slot in 1..4 {
        offer(&mut rig, slot);
        let wanted = rig.queues[QUEUE].guest.kick_wanted(&rig.memory);
        assert!(!wanted, "it has been kicked and not looked yet");
    }
    rig.serve(FIRST_REQUEST_QUEUE).expect("the ring is sound");
    let queue = &mut rig.queues[QUEUE];
    assert!(ring::interrupt_wanted(&mut queue.device, &rig.memory, false));
    assert!(!ring::interrupt_wanted(&mut queue.device, &rig.memory, false), "nothing new");
    offer(&mut rig, 4);
    assert!(rig.queues[QUEUE].guest.kick_wanted(&rig.memory), "it is asleep again");
    // The guest has not requested another interrupt.
    rig.serve(FIRST_REQUEST_QUEUE).expect("the ring is sound");
    assert!(!ring::interrupt_wanted(&mut rig.queues[QUEUE].device, &rig.memory, false));
}

#[test]
fn without_event_idx_the_flags_say_it() {
    let mut rig = Rig::new(vec![]);
    rig.queues[QUEUE].guest.event_idx = false;
    virtio_queue::QueueT::set_event_idx(&mut rig.queues[QUEUE].device, false);
    offer(&mut rig, 0);
    rig.serve(FIRST_REQUEST_QUEUE).expect("the ring is sound");
    let available = vm_memory::GuestAddress(rig.queues[QUEUE].guest.available);
    let queue = &mut rig.queues[QUEUE];
    assert!(ring::interrupt_wanted(&mut queue.device, &rig.memory, false));
    vm_memory::Bytes::write_obj(&rig.memory, 1u16, available).expect("it is in memory");
    assert!(!ring::interrupt_wanted(&mut queue.device, &rig.memory, false));
    assert!(ring::interrupt_wanted(&mut queue.device, &rig.memory, true), "all are taken");
}

#[test]
fn a_long_queue_is_served_in_turns() {
    let mut rig = Rig::new(vec![]);
    for slot in 0..16 {
        offer(&mut rig, slot);
    }
    let queue = &mut rig.queues[QUEUE].device;
    let mut seen = 0;
    let progress = ring::drain(queue, &rig.memory, ring::Kicks::Wanted, 10, |_| {
        seen += 1;
        None
    });
    assert_eq!((progress, seen), (Ok(Progress::More), 10));
    let progress = ring::drain(queue, &rig.memory, ring::Kicks::Wanted, 10, |_| {
        seen += 1;
        None
    });
    assert_eq!((progress, seen), (Ok(Progress::Empty), 16));
}

#[test]
fn an_index_that_runs_away_stops_the_queue_and_nothing_else() {
    let mut rig = Rig::new(vec![]);
    rig.queues[QUEUE].guest.set_available_index(&rig.memory, 1000);
    assert_eq!(rig.serve(FIRST_REQUEST_QUEUE), Err(Malformed::BadRing));
    assert_eq!(rig.serve(FIRST_REQUEST_QUEUE + 1), Ok(()));
}
