//! Whatever a guest writes, the device does not panic, hang or use unbounded memory, and continues
//! to serve.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use sansim_array::{Buffers, OPERATIONS, Then};
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

use crate::{
    buffers::GuestBuffers,
    chain::Chain,
    guest::{
        ring::{INDIRECT, NEXT, WRITE},
        san::{self, rule},
        scsi::{HEADER, Place, RESPONSE, Response, inquiry, lun},
    },
    rig::{self, Rig},
    ring,
    wire::{CONTROL_QUEUE, EVENT_QUEUE, FIRST_REQUEST_QUEUE},
};

/// The number of slots for requests.
const PLACES: u8 = 6;
/// Most steps of one input.
const STEPS: usize = 200;

#[derive(Debug, Clone)]
enum Step<'a> {
    Describe {
        queue: u16,
        index: u16,
        descriptor: AnyDescriptor,
    },
    Request {
        place: u8,
        header: Vec<u8>,
    },
    /// Writes any bytes anywhere: into requests, indirect tables or the rings themselves.
    Scribble {
        address: u64,
        bytes: &'a [u8],
    },
    Offer {
        queue: u16,
        heads: Vec<u16>,
    },
    Jump {
        queue: u16,
        index: u16,
    },
    Serve {
        queue: u16,
    },
    Attend,
    Wait {
        millis: u64,
    },
    MapLun {
        lun: u16,
    },
    Stop {
        queue: u16,
    },
    Reset,
}

impl<'a> Step<'a> {
    fn of(input: &mut Unstructured<'a>) -> Result<Step<'a>> {
        let kind: u8 = input.arbitrary()?;
        Ok(match kind & 31 {
            0..=5 => Step::Describe {
                queue: queue(input)?,
                index: input.int_in_range(0..=63)?,
                descriptor: AnyDescriptor::of(input)?,
            },
            6..=8 => Step::Request { place: place_index(input)?, header: header(input)? },
            9 => Step::Request { place: place_index(input)?, header: control(input)? },
            10 => {
                let (address, len) = (address(input)?, input.arbitrary::<u8>()?);
                Step::Scribble { address, bytes: input.bytes(usize::from(len).min(input.len()))? }
            }
            11..=17 => {
                let (queue, count) = (queue(input)?, input.int_in_range(1..=24)?);
                let heads =
                    (0..count).map(|_| input.arbitrary::<u8>()).collect::<Result<Vec<_>>>()?;
                Step::Offer { queue, heads: heads.into_iter().map(head).collect() }
            }
            18 => Step::Jump { queue: queue(input)?, index: input.arbitrary()? },
            19..=25 => Step::Serve { queue: queue(input)? },
            26 | 27 => Step::Attend,
            28 => Step::Wait { millis: input.int_in_range(0..=40)? },
            29 => Step::MapLun { lun: input.int_in_range(1..=3)? },
            30 => Step::Stop { queue: queue(input)? },
            _ => Step::Reset,
        })
    }
}

/// A descriptor's index; the highest numbers are beyond the table.
fn head(byte: u8) -> u16 {
    if byte < 250 { u16::from(byte) % 64 } else { u16::from(byte) << 8 | 0x40 }
}

#[derive(Debug, Clone, Copy)]
struct AnyDescriptor {
    address: u64,
    len: u32,
    flags: u16,
    next: u16,
}

impl AnyDescriptor {
    fn of(input: &mut Unstructured<'_>) -> Result<AnyDescriptor> {
        let flags: u8 = input.arbitrary()?;
        let flags = match flags {
            0..=191 => u16::from(flags) & (NEXT | WRITE),
            192..=239 => u16::from(flags) & (NEXT | WRITE) | INDIRECT,
            _ => input.arbitrary()?,
        };
        Ok(AnyDescriptor {
            address: address(input)?,
            len: len(input)?,
            flags,
            next: head(input.arbitrary()?),
        })
    }

    fn bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.address.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.len.to_le_bytes());
        bytes[12..14].copy_from_slice(&self.flags.to_le_bytes());
        bytes[14..].copy_from_slice(&self.next.to_le_bytes());
        bytes
    }
}

fn place(index: u8) -> Place {
    Place { base: (1 << 20) + u64::from(index) * Place::BYTES }
}

fn place_index(input: &mut Unstructured<'_>) -> Result<u8> {
    input.int_in_range(0..=PLACES - 1)
}

fn address(input: &mut Unstructured<'_>) -> Result<u64> {
    let kind: u8 = input.arbitrary()?;
    let at = place(kind % PLACES).base;
    Ok(match kind {
        0..=59 => at,
        60..=109 => at + 0x100,
        110..=159 => at + 0x1000,
        160..=199 => at + u64::from(input.arbitrary::<u16>()?),
        // The rings themselves, and the end of memory.
        200..=224 => u64::from(input.arbitrary::<u16>()?),
        225..=239 => (4 << 20) - 64 + u64::from(kind - 225) * 9,
        240..=244 => u64::MAX - 3,
        _ => input.arbitrary()?,
    })
}

fn len(input: &mut Unstructured<'_>) -> Result<u32> {
    let kind: u8 = input.arbitrary()?;
    Ok(match kind {
        0..=63 => HEADER as u32,
        64..=127 => RESPONSE as u32,
        128..=159 => 512,
        160..=191 => 16 * u32::from(kind - 159),
        192..=223 => input.arbitrary::<u8>()?.into(),
        224..=231 => u32::MAX,
        _ => input.arbitrary()?,
    })
}

/// A request to a LUN that may be there, usually with an operation code that the array knows.
fn header(input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let (at, code): (u8, u8) = (input.arbitrary()?, input.arbitrary()?);
    let mut bytes = lun(at & 3, u16::from(at >> 2 & 3)).to_vec();
    bytes.extend([7; 11]);
    bytes.push(OPERATIONS.get(usize::from(code)).map_or(code, |known| known.opcode));
    let rest = usize::from(at >> 3).min(input.len());
    bytes.extend(input.bytes(rest)?);
    bytes.resize(HEADER, 0);
    Ok(bytes)
}

/// An almost valid control request: a type, a subtype and a LUN.
fn control(input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let kind: u8 = input.arbitrary()?;
    let mut bytes = vec![kind & 3, 0, 0, 0, kind >> 2 & 15, 0, 0, 0];
    bytes.extend(lun(kind >> 6, 0));
    bytes.extend([7; 8]);
    Ok(bytes)
}

fn queue(input: &mut Unstructured<'_>) -> Result<u16> {
    let queues = [
        FIRST_REQUEST_QUEUE,
        FIRST_REQUEST_QUEUE,
        FIRST_REQUEST_QUEUE,
        FIRST_REQUEST_QUEUE + 1,
        CONTROL_QUEUE,
        EVENT_QUEUE,
    ];
    input.choose(&queues).copied()
}

fn take(rig: &mut Rig, step: Step<'_>) {
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
        Step::Scribble { address, bytes } => {
            // Where no memory is, a guest cannot write.
            let _ = rig.memory.write_slice(bytes, GuestAddress(address));
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

/// Whatever a guest does with its queues, the device serves the next guest that behaves.
fn rings(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let hold = Then::held("gate");
    let delay = Then::delayed(Duration::from_millis(15));
    let mut rig = Rig::new(vec![rule("hold", "READ", hold), rule("slow", "MODE SENSE", delay)]);
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        let Ok(step) = Step::of(&mut input) else { break };
        take(&mut rig, step);
    }
    let commands = rig.statistics().commands;

    // The guest resets the device and behaves correctly.
    rig.device.reset();
    rig.fresh_rings();
    let parts = rig.place(0).reading(36);
    let (len, response) = rig.run(lun(0, 0), &inquiry(36), &parts);
    assert_eq!((len, response), (144, Response::GOOD));
    assert_eq!(rig.statistics().commands, commands + 1);
}

/// Any descriptors, direct or in an indirect table, are read within bounds.
fn chains(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let memory = GuestMemoryMmap::<()>::from_ranges(&[(GuestAddress(0), 2 << 20)])
        .expect("so little memory is there");
    let mut queue = rig::both(0, true);
    let mut tables = [(queue.guest.descriptors, 16), (place(0).base, 16), (place(1).base, 64)];
    for (at, most) in &mut tables {
        let count = input.int_in_range(0..=*most).unwrap_or_default();
        for n in 0..count {
            let Ok(any) = AnyDescriptor::of(&mut input) else { break };
            let at = GuestAddress(*at + 16 * n);
            memory.write_slice(&any.bytes(), at).expect("it is in memory");
        }
    }
    queue.guest.publish(&memory, 0);
    let Ok(Some(descriptors)) = ring::next(&mut queue.device, &memory) else { return };
    let mut chain = Chain::new();
    let _ = chain.load(descriptors);

    let mut buffers = GuestBuffers::new(&chain, &memory);
    let (into, from) = (buffers.data_in_len(), buffers.data_out_len());
    assert!(into <= chain.writable().left() && from <= chain.readable().left());
    let mut bytes = [0; 4096];
    if let Ok(put) = buffers.put(&bytes) {
        assert_eq!(put, into.min(bytes.len()));
    }
    if let Ok(taken) = buffers.take(&mut bytes) {
        assert_eq!(taken, from.min(bytes.len()));
    }
    assert!(buffers.filled() <= into && buffers.taken() <= from);
}

#[test]
fn garbage_in_the_queues_harms_nobody() {
    sansim_fuzz::fuzz("rings", rings);
}

#[test]
fn any_chain_is_read_within_bounds() {
    sansim_fuzz::fuzz("chains", chains);
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
