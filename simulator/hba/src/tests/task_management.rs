use std::sync::Arc;

use sansim_array::{FaultRule, FunctionFate, FunctionThen, Then};

use crate::{
    guest::{
        san::rule,
        scsi::{Place, TEST_UNIT_READY, inquiry, lun, read10, tmf},
    },
    rig::Rig,
    wire::{CONTROL_QUEUE, FIRST_REQUEST_QUEUE},
};

const ABORT_TASK: u32 = 0;
const LOGICAL_UNIT_RESET: u32 = 5;
const QUERY_TASK: u32 = 6;

fn holding_reads() -> Rig {
    let then = Then::held("gate");
    Rig::new(vec![rule("hold reads", "READ", then)]).settle()
}

/// Parks a READ that has its slot number as tag.
fn park(rig: &mut Rig, queue: u16, slot: u16) {
    let parts = rig.place(slot).reading(512);
    rig.offer_to(queue, slot, lun(0, 0), &read10(0, 1), &parts);
    rig.serve(queue).expect("the ring is sound");
    assert_eq!(rig.queue(queue).take_used(), None, "the command is held");
}

/// Offers ABORT TASK in slot 9 of the control queue.
fn offer_abort(rig: &mut Rig, tag: u64) -> Place {
    let place = rig.place(9);
    let request = tmf(ABORT_TASK, lun(0, 0), tag);
    vm_memory::Bytes::write_slice(&rig.memory, &request, vm_memory::GuestAddress(place.base))
        .expect("it is in memory");
    let parts = [
        crate::guest::ring::readable(place.base, request.len()),
        crate::guest::ring::writable(place.data(), 1),
    ];
    rig.queue(CONTROL_QUEUE).offer_parts(9, &parts);
    place
}

#[test]
fn an_aborted_command_comes_back_before_the_answer_from_whichever_queue() {
    let mut rig = holding_reads();
    park(&mut rig, FIRST_REQUEST_QUEUE, 1);
    park(&mut rig, FIRST_REQUEST_QUEUE + 1, 2);
    let place = offer_abort(&mut rig, 2);
    let order = rig.serve_control();
    assert_eq!(order, [(FIRST_REQUEST_QUEUE + 1, 2), (CONTROL_QUEUE, 9)]);
    assert_eq!(place.take_data(&rig.memory, 1), [0], "FUNCTION COMPLETE");
    assert_eq!(rig.place(2).response(&rig.memory).code, 2, "ABORTED");
    assert_eq!(rig.queue(FIRST_REQUEST_QUEUE + 1).used_slots(), [2]);
    assert_eq!(rig.queue(FIRST_REQUEST_QUEUE).take_used(), None, "the other one stays");
}

#[test]
fn a_unit_reset_gives_all_its_commands_back() {
    let mut rig = holding_reads();
    for slot in 1..5 {
        park(&mut rig, FIRST_REQUEST_QUEUE, slot);
    }
    assert_eq!(rig.control(&tmf(LOGICAL_UNIT_RESET, lun(0, 0), 0), 1), (vec![0], 1));
    let mut slots = rig.queue(FIRST_REQUEST_QUEUE).used_slots();
    slots.sort_unstable();
    assert_eq!(slots, [1, 2, 3, 4]);
    // After their release, the commands are not answered a second time.
    let release = sansim_array::Action::Release { hold: Arc::from("gate") };
    let now = sansim_time::Clock::now(&*rig.clock);
    rig.array.apply(now, release).expect("the hold is known");
    rig.attend();
    assert_eq!(rig.queue(FIRST_REQUEST_QUEUE).take_used(), None);
}

#[test]
fn a_query_says_whether_the_command_is_there() {
    let mut rig = holding_reads();
    park(&mut rig, FIRST_REQUEST_QUEUE, 1);
    assert_eq!(rig.control(&tmf(QUERY_TASK, lun(0, 0), 1), 1), (vec![10], 1));
    assert_eq!(rig.control(&tmf(QUERY_TASK, lun(0, 0), 77), 1), (vec![0], 1));
    assert_eq!(rig.queue(FIRST_REQUEST_QUEUE).take_used(), None);
}

#[test]
fn functions_nobody_can_carry_out_are_refused() {
    let mut rig = Rig::new(vec![]);
    assert_eq!(rig.control(&tmf(8, lun(0, 0), 0), 1).0, [11], "FUNCTION REJECTED");
    assert_eq!(rig.control(&tmf(5, lun(9, 0), 0), 1).0, [3], "BAD TARGET");
    assert_eq!(rig.control(&tmf(5, [0; 8], 0), 1).0, [12], "INCORRECT LUN");
    assert_eq!(rig.statistics().task_management, 3);
}

#[test]
fn no_asynchronous_notification_is_supported() {
    let mut rig = Rig::new(vec![]);
    for kind in [1, 2] {
        let mut request = [0; 16];
        request[0] = kind;
        request[4..12].copy_from_slice(&lun(0, 0));
        request[12] = 0x7E;
        assert_eq!(rig.control(&request, 5), (vec![0; 5], 5));
        request[5] = 200;
        assert_eq!(rig.control(&request, 5), (vec![0, 0, 0, 0, 3], 5));
    }
}

#[test]
fn control_requests_that_make_no_sense_are_dropped_and_counted() {
    let mut rig = Rig::new(vec![]);
    assert_eq!(rig.control(&[9, 0, 0, 0, 1, 2, 3, 4], 4).1, 0, "of no known type");
    assert_eq!(rig.control(&tmf(0, lun(0, 0), 0)[..20], 1).1, 0, "too short");
    assert_eq!(rig.control(&tmf(0, lun(0, 0), 0), 0).1, 0, "no room for the answer");
    assert_eq!(rig.statistics().malformed, 3);
    // The queue still works.
    assert_eq!(rig.control(&tmf(QUERY_TASK, lun(0, 0), 1), 1), (vec![0], 1));
    let parts = rig.place(0).reading(36);
    assert_eq!(rig.run(lun(0, 0), &inquiry(36), &parts).1.code, 0);
    let parts = rig.place(0).plain();
    assert_eq!(rig.run(lun(0, 0), &TEST_UNIT_READY, &parts).1.code, 0);
}

#[test]
fn a_function_that_is_never_answered_keeps_its_chain_and_the_next_one_is_served() {
    let abort = "ABORT TASK".parse().expect("it is a function");
    let then = FunctionThen { action: None, fate: FunctionFate::Lost };
    let lost = FaultRule::on_functions("lost", abort, then);
    let mut rig = Rig::new(vec![lost]).settle();
    offer_abort(&mut rig, 2);
    assert_eq!(rig.serve_control(), []);
    assert_eq!(rig.queue(CONTROL_QUEUE).take_used(), None);
    assert_eq!(rig.control(&tmf(LOGICAL_UNIT_RESET, lun(0, 0), 0), 1), (vec![0], 1));
}
