use crate::{
    guest::{
        ring::{readable, writable},
        scsi::{
            HEADER, RESPONSE, Response, TEST_UNIT_READY, inquiry, lun, read10, report_luns, write10,
        },
    },
    rig::Rig,
    wire::FIRST_REQUEST_QUEUE,
};

#[test]
fn what_is_written_is_read_back_and_counted() {
    let mut rig = Rig::new(vec![]).settle();
    let before = rig.statistics();
    let place = rig.place(0);
    let data: Vec<u8> = (0..4096u32).map(|i| (i % 251) as u8).collect();
    place.put_data(&rig.memory, &data);
    let parts = place.writing(4096);
    assert_eq!(rig.run(lun(0, 0), &write10(16, 8), &parts), (108, Response::GOOD));
    place.put_data(&rig.memory, &[0; 4096]);
    let parts = place.reading(4096);
    assert_eq!(rig.run(lun(0, 0), &read10(16, 8), &parts), (108 + 4096, Response::GOOD));
    assert_eq!(place.take_data(&rig.memory, 4096), data);
    let after = rig.statistics();
    assert_eq!(after.commands - before.commands, 2);
    assert_eq!(after.bytes_in - before.bytes_in, 4096);
    assert_eq!(after.bytes_out - before.bytes_out, 4096);
    assert_eq!(after.malformed, 0);
}

#[test]
fn data_may_lie_anywhere_in_indirect_tables_too() {
    let mut rig = Rig::new(vec![]).settle();
    let place = rig.place(0);
    let data: Vec<u8> = (0..1024u32).map(|i| (i % 241) as u8).collect();
    // Header and response share descriptors with data, which modern drivers may do.
    place.put_data(&rig.memory, &data[10..]);
    place.command(&rig.memory, lun(0, 0), 0, &write10(0, 2));
    let tail = place.base + HEADER as u64;
    vm_memory::Bytes::write_slice(&rig.memory, &data[..10], vm_memory::GuestAddress(tail))
        .expect("it is in memory");
    let table = place.base + 0x800;
    let parts = [
        readable(place.base, 20),
        readable(place.base + 20, HEADER - 20 + 10),
        readable(place.data(), 0),
        readable(place.data(), 1014),
        writable(place.response_address(), 50),
        writable(place.response_address() + 50, RESPONSE - 50),
    ];
    let both = &mut rig.queues[usize::from(FIRST_REQUEST_QUEUE)];
    both.guest.offer_indirect(&rig.memory, 0, table, &parts);
    rig.serve(FIRST_REQUEST_QUEUE).expect("the ring is sound");
    assert_eq!(rig.queue(FIRST_REQUEST_QUEUE).take_used(), Some((0, 108)));
    assert_eq!(place.response(&rig.memory), Response::GOOD);
    let parts = place.reading(1024);
    assert_eq!(rig.run(lun(0, 0), &read10(0, 2), &parts).1, Response::GOOD);
    assert_eq!(place.take_data(&rig.memory, 1024), data);
}

#[test]
fn inquiry_names_the_array_and_leaves_a_residual() {
    let mut rig = Rig::new(vec![]);
    let place = rig.place(0);
    let parts = place.reading(36);
    let (len, response) = rig.run(lun(0, 0), &inquiry(36), &parts);
    assert_eq!((len, response), (144, Response::GOOD));
    assert_eq!(&place.take_data(&rig.memory, 16)[8..11], b"IBM");
    // 36 bytes are requested with a buffer of 100 bytes, so the residual is 64.
    let parts = place.reading(100);
    let (len, response) = rig.run(lun(0, 0), &inquiry(36), &parts);
    assert_eq!((len, response), (144, Response { residual: 64, ..Response::GOOD }));
}

#[test]
fn check_conditions_carry_their_sense() {
    let mut rig = Rig::new(vec![]).settle();
    let place = rig.place(0);
    // Controller A owns LUN 0. Controller B of an rdac array returns 05/94/01.
    let parts = place.reading(512);
    let (len, response) = rig.run(lun(1, 0), &read10(0, 1), &parts);
    assert_eq!(len, 108);
    assert_eq!((response.code, response.status), (0, 2));
    assert_eq!(response.sense, Some((5, 0x94, 1)));
    assert_eq!(response.residual, 512);
}

#[test]
fn a_target_that_is_not_there_is_a_bad_target_at_once() {
    let mut rig = Rig::new(vec![]);
    let place = rig.place(0);
    let bad = Response { code: 3, status: 0, residual: 36, sense: None };
    let not_flat = [1, 0, 0x80, 0, 0, 0, 0, 0];
    for field in [lun(2, 0), lun(255, 7), [0; 8], not_flat] {
        let parts = place.reading(36);
        assert_eq!(rig.run(field, &inquiry(36), &parts), (108, bad), "{field:02x?}");
    }
    assert_eq!(rig.statistics().malformed, 0);
}

/// SYNCHRONIZE CACHE(10) of everything.
const SYNCHRONIZE_CACHE: [u8; 10] = [0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn report_luns_is_answered_at_its_well_known_unit() {
    let mut rig = Rig::new(vec![]).settle();
    let place = rig.place(0);
    let well_known = [1, 0, 0xC1, 1, 0, 0, 0, 0];
    let parts = place.reading(64);
    let (_, response) = rig.run(well_known, &report_luns(64), &parts);
    assert_eq!((response.code, response.status), (0, 0));
    assert_eq!(place.take_data(&rig.memory, 16), [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let parts = place.plain();
    assert_eq!(rig.run(well_known, &TEST_UNIT_READY, &parts).1, Response::GOOD);
    // It has no medium.
    let parts = place.plain();
    let (_, response) = rig.run(well_known, &SYNCHRONIZE_CACHE, &parts);
    assert_eq!((response.status, response.sense), (2, Some((5, 0x20, 0))));
}

#[test]
fn each_request_queue_is_served() {
    let mut rig = Rig::new(vec![]).settle();
    let parts = rig.place(3).plain();
    rig.offer_to(FIRST_REQUEST_QUEUE + 1, 3, lun(0, 0), &TEST_UNIT_READY, &parts);
    rig.serve(FIRST_REQUEST_QUEUE).expect("the ring is sound");
    assert_eq!(rig.queue(FIRST_REQUEST_QUEUE + 1).take_used(), None);
    rig.serve(FIRST_REQUEST_QUEUE + 1).expect("the ring is sound");
    assert_eq!(rig.queue(FIRST_REQUEST_QUEUE + 1).take_used(), Some((3, 108)));
    assert_eq!(rig.place(3).response(&rig.memory), Response::GOOD);
}
