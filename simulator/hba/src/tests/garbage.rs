//! Whatever a guest writes, the device does not panic, hang or use unbounded memory, and continues
//! to serve.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};
use sansim_array::{Buffers, Then};
use virtio_queue::{
    desc::{RawDescriptor, split::Descriptor},
    mock::MockSplitQueue,
};
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

use crate::{
    buffers::GuestBuffers,
    chain::Chain,
    guest::{
        ring::{NEXT, WRITE},
        san::{self, rule},
        scsi::{HEADER, Place, RESPONSE, Response, inquiry, lun},
    },
    rig::Rig,
    wire::{CONTROL_QUEUE, EVENT_QUEUE, FIRST_REQUEST_QUEUE},
};

/// The number of slots for requests.
const PLACES: u16 = 6;

#[derive(Debug, Clone)]
enum Step {
    Describe { queue: u16, index: u16, descriptor: AnyDescriptor },
    Request { place: u16, header: Vec<u8> },
    Offer { queue: u16, heads: Vec<u16> },
    Jump { queue: u16, index: u16 },
    Serve { queue: u16 },
    Attend,
    Wait { millis: u64 },
    MapLun { lun: u16 },
    Stop { queue: u16 },
    Reset,
}

#[derive(Debug, Clone, Copy)]
struct AnyDescriptor {
    address: u64,
    len: u32,
    flags: u16,
    next: u16,
}

fn place(index: u16) -> Place {
    Place { base: (1 << 20) + u64::from(index) * Place::BYTES }
}

fn address() -> impl Strategy<Value = u64> {
    let sensible = (0..PLACES, prop_oneof![Just(0u64), Just(0x100), Just(0x1000), 0..0x1_0000u64])
        .prop_map(|(index, offset)| place(index).base + offset);
    prop_oneof![
        8 => sensible,
        1 => 0..0x1_0000u64,                // the rings themselves
        1 => (4u64 << 20) - 64..(4 << 20) + 64, // the end of memory
        1 => Just(u64::MAX - 3),
        1 => any::<u64>(),
    ]
}

fn len() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => Just(HEADER as u32),
        4 => Just(RESPONSE as u32),
        2 => Just(512u32),
        2 => Just(16u32),
        2 => 0..256u32,
        1 => Just(u32::MAX),
        1 => any::<u32>(),
    ]
}

fn descriptor() -> impl Strategy<Value = AnyDescriptor> {
    let flags = prop_oneof![8 => 0..4u16, 1 => 4..8u16, 1 => any::<u16>()];
    let next = prop_oneof![8 => 0..64u16, 1 => any::<u16>()];
    (address(), len(), flags, next).prop_map(|(address, len, flags, next)| AnyDescriptor {
        address,
        len,
        flags,
        next,
    })
}

fn header() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![
        4 => prop::sample::select(vec![
            0x00u8, 0x12, 0x15, 0x1A, 0x1B, 0x25, 0x28, 0x2A, 0x35, 0x55, 0x88, 0x8A, 0x9E, 0xA0,
            0xA3, 0xA4,
        ]),
        1 => any::<u8>(),
    ];
    let sensible =
        (0..3u8, 0..3u16, code, vec(any::<u8>(), 31)).prop_map(|(at, unit, code, rest)| {
            let mut bytes = lun(at, unit).to_vec();
            bytes.extend([7; 11]);
            bytes.push(code);
            bytes.extend(rest);
            bytes
        });
    // Almost valid control requests: a type, a subtype and a LUN.
    let control = (0..4u8, 0..9u8, 0..3u8).prop_map(|(kind, subtype, target)| {
        let mut bytes = vec![kind, 0, 0, 0, subtype, 0, 0, 0];
        bytes.extend(lun(target, 0));
        bytes.extend([7; 8]);
        bytes
    });
    prop_oneof![4 => sensible, 2 => control, 1 => vec(any::<u8>(), HEADER)]
}

fn queue() -> impl Strategy<Value = u16> {
    prop_oneof![
        1 => Just(CONTROL_QUEUE),
        1 => Just(EVENT_QUEUE),
        3 => Just(FIRST_REQUEST_QUEUE),
        1 => Just(FIRST_REQUEST_QUEUE + 1),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let head = prop_oneof![16 => 0..64u16, 1 => any::<u16>()];
    prop_oneof![
        8 => (queue(), 0..64u16, descriptor())
            .prop_map(|(queue, index, descriptor)| Step::Describe { queue, index, descriptor }),
        4 => (0..PLACES, header()).prop_map(|(place, header)| Step::Request { place, header }),
        8 => (queue(), vec(head, 1..24)).prop_map(|(queue, heads)| Step::Offer { queue, heads }),
        1 => (queue(), any::<u16>()).prop_map(|(queue, index)| Step::Jump { queue, index }),
        8 => queue().prop_map(|queue| Step::Serve { queue }),
        2 => Just(Step::Attend),
        2 => (0..40u64).prop_map(|millis| Step::Wait { millis }),
        1 => (1..4u16).prop_map(|lun| Step::MapLun { lun }),
        1 => queue().prop_map(|queue| Step::Stop { queue }),
        1 => Just(Step::Reset),
    ]
}

fn take(rig: &mut Rig, step: Step) {
    match step {
        Step::Describe {
            queue,
            index,
            descriptor: AnyDescriptor { address, len, flags, next },
        } => {
            let guest = &rig.queues[usize::from(queue)].guest;
            guest.describe(&rig.memory, index, address, len, flags, next);
        }
        Step::Request { place: index, header } => {
            let at = GuestAddress(place(index).base);
            rig.memory.write_slice(&header, at).expect("it is in memory");
        }
        Step::Offer { queue, heads } => {
            for head in heads {
                rig.queues[usize::from(queue)].guest.publish(&rig.memory, head);
            }
        }
        Step::Jump { queue, index } => {
            rig.queues[usize::from(queue)].guest.set_available_index(&rig.memory, index);
        }
        Step::Serve { queue } => serve(rig, queue),
        Step::Attend => rig.attend(),
        Step::Wait { millis } => rig.clock.advance(Duration::from_millis(millis)),
        Step::MapLun { lun } => {
            let now = sansim_time::Clock::now(&*rig.clock);
            // The LUN may already be mapped.
            let _ =
                rig.array.apply(now, sansim_array::VolumeChange::Map(san::lun(lun, 4096)).into());
        }
        Step::Stop { queue } => {
            let used = rig.device.stop_queue(queue, &rig.memory);
            assert!(used.len() <= 64);
            let _ = rig.give_back_what_fits(used);
        }
        Step::Reset => rig.device.reset(),
    }
}

fn serve(rig: &mut Rig, queue: u16) {
    // An invalid ring is an error that persists, with no other consequence.
    match queue {
        CONTROL_QUEUE => drop(rig.try_serve_control()),
        EVENT_QUEUE => drop(rig.serve_events()),
        _ => drop(rig.serve(queue)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn garbage_in_the_queues_harms_nobody(
        table in vec((queue(), 0..64u16, descriptor()), 64),
        steps in vec(step(), 1..60),
    ) {
        let hold = Then::held("gate");
        let delay = Then::delayed(Duration::from_millis(15));
        let mut rig = Rig::new(vec![rule("hold", "READ", hold), rule("slow", "MODE SENSE", delay)]);
        for (queue, index, descriptor) in table {
            take(&mut rig, Step::Describe { queue, index, descriptor });
        }
        for step in steps {
            take(&mut rig, step);
        }
        let commands = rig.statistics().commands;

        // The guest resets the device and behaves correctly.
        rig.device.reset();
        rig.fresh_rings();
        let parts = rig.place(0).reading(36);
        let (len, response) = rig.run(lun(0, 0), &inquiry(36), &parts);
        prop_assert_eq!((len, response), (144, Response::GOOD));
        prop_assert_eq!(rig.statistics().commands, commands + 1);
    }

    #[test]
    fn any_chain_is_read_within_bounds(
        descriptors in vec(descriptor(), 1..16),
        indirect in vec(descriptor(), 0..16),
    ) {
        let memory = GuestMemoryMmap::<()>::from_ranges(&[(GuestAddress(0), 2 << 20)])
            .expect("so little memory is there");
        let table = place(0).base;
        for (n, any) in indirect.iter().enumerate() {
            let raw: RawDescriptor = split(any).into();
            memory.write_obj(raw, GuestAddress(table + 16 * n as u64)).expect("it is in memory");
        }
        let queue = MockSplitQueue::new(&memory, 16);
        let raw: Vec<RawDescriptor> = descriptors.iter().map(|any| split(any).into()).collect();
        let Ok(descriptors) = queue.build_multiple_desc_chains(&raw) else { return Ok(()) };
        let mut chain = Chain::new();
        let _ = chain.load(descriptors);

        let mut buffers = GuestBuffers::new(&chain, &memory);
        let (into, from) = (buffers.data_in_len(), buffers.data_out_len());
        prop_assert!(into <= chain.writable().left() && from <= chain.readable().left());
        let mut bytes = [0; 4096];
        if let Ok(put) = buffers.put(&bytes) {
            prop_assert_eq!(put, into.min(bytes.len()));
        }
        if let Ok(taken) = buffers.take(&mut bytes) {
            prop_assert_eq!(taken, from.min(bytes.len()));
        }
        prop_assert!(buffers.filled() <= into && buffers.taken() <= from);
    }
}

fn split(any: &AnyDescriptor) -> Descriptor {
    Descriptor::new(any.address, any.len, any.flags, any.next)
}

#[test]
fn a_chain_that_loops_is_answered_with_failure() {
    let mut rig = Rig::new(vec![]);
    let at = rig.place(0);
    at.command(&rig.memory, lun(0, 0), 0, &inquiry(36));
    let guest = &mut rig.queues[usize::from(FIRST_REQUEST_QUEUE)].guest;
    guest.describe(&rig.memory, 0, at.base, HEADER as u32, NEXT, 1);
    let answer = at.response_address();
    guest.describe(&rig.memory, 1, answer, RESPONSE as u32, NEXT | WRITE, 1);
    guest.publish(&rig.memory, 0);
    rig.serve(FIRST_REQUEST_QUEUE).expect("the ring is sound");
    assert_eq!(rig.queue(FIRST_REQUEST_QUEUE).take_used(), Some((0, 108)));
    assert_eq!(at.response(&rig.memory).code, 9);
    assert_eq!(rig.statistics().malformed, 1);
}

#[test]
fn requests_that_cannot_be_carried_out_are_answered_where_possible() {
    use crate::guest::ring::{Part, readable, writable};

    let mut rig = Rig::new(vec![]);
    let at = rig.place(0);
    let (head, answer) = (readable(at.base, HEADER), writable(at.response_address(), RESPONSE));
    let nowhere = 1 << 40;
    let cases: [(&str, Vec<Part>, u32); 8] = [
        ("short header", vec![readable(at.base, 50), answer], 108),
        ("header outside of memory", vec![readable(nowhere, HEADER), answer], 108),
        ("short response", vec![head, writable(at.response_address(), 107)], 107),
        ("no response to speak of", vec![head, writable(at.response_address(), 11)], 0),
        ("no response", vec![head], 0),
        ("response outside of memory", vec![head, writable(nowhere, RESPONSE)], 0),
        ("data behind the response", vec![head, answer, readable(at.data(), 512)], 108),
        ("both ways", vec![head, readable(at.data(), 8), answer, writable(at.data(), 8)], 108),
    ];
    for (n, (what, parts, len)) in cases.into_iter().enumerate() {
        at.command(&rig.memory, lun(0, 0), 0, &inquiry(36));
        rig.queue(FIRST_REQUEST_QUEUE).offer_parts(0, &parts);
        rig.serve(FIRST_REQUEST_QUEUE).expect("the ring is sound");
        assert_eq!(rig.queue(FIRST_REQUEST_QUEUE).take_used(), Some((0, len)), "{what}");
        if len > 0 {
            assert_eq!(at.response(&rig.memory).code, 9, "{what}");
        }
        assert_eq!(rig.statistics().malformed, n as u64 + 1, "{what}");
    }
}

#[test]
fn data_outside_of_memory_fails_the_command() {
    use crate::guest::ring::{readable, writable};

    let mut rig = Rig::new(vec![]).settle();
    let at = rig.place(0);
    let parts = [
        readable(at.base, HEADER),
        writable(at.response_address(), RESPONSE),
        writable(1 << 40, 512),
    ];
    let read = crate::guest::scsi::read10(0, 1);
    assert_eq!(rig.run(lun(0, 0), &read, &parts).1.code, 9);
    assert_eq!(rig.statistics().malformed, 0, "the request itself is sound");
}
