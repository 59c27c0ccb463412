use std::io::Write;

use arbitrary::{Result, Unstructured};

use super::*;

/// The guest's memory: the virtqueue at 0, headers and buffers behind it.
const MEMORY: usize = 1 << 20;
const AVAILABLE: u64 = 0x1000;
const USED: u64 = 0x2000;
const PLACES: u64 = 0x1_0000;
const QUEUE: u16 = 64;
/// The last sector extends beyond the end of the file.
const FILE: usize = 3000;

/// A descriptor's flags.
const NEXT: u16 = 1;
const WRITE: u16 = 2;

struct Guest {
    device: BlockDevice<Squashfs>,
    memory: GuestMemoryMmap<()>,
    offered: u16,
}

impl Guest {
    fn new() -> Guest {
        let range = (GuestAddress(0), MEMORY);
        let memory = GuestMemoryMmap::from_ranges(&[range]).expect("so little memory is there");
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content()).unwrap();
        let ram = file.try_clone().unwrap();
        let mut device = BlockDevice::new(Squashfs { file, bytes: FILE as u64 }, ram).unwrap();
        device.queue.set_size(QUEUE);
        device.queue.set_desc_table_address(Some(0), Some(0));
        device.queue.set_avail_ring_address(Some(AVAILABLE as u32), Some(0));
        device.queue.set_used_ring_address(Some(USED as u32), Some(0));
        device.start_with(memory.clone());
        Guest { device, memory, offered: 0 }
    }

    fn write(&self, at: u64, bytes: &[u8]) {
        self.memory.write_slice(bytes, GuestAddress(at)).unwrap();
    }

    fn describe(&self, index: u16, address: u64, len: u32, flags: u16, next: u16) {
        let mut bytes = [address.to_le_bytes(), [0; 8]].concat();
        bytes[8..12].copy_from_slice(&len.to_le_bytes());
        bytes[12..14].copy_from_slice(&flags.to_le_bytes());
        bytes[14..].copy_from_slice(&next.to_le_bytes());
        self.write(16 * u64::from(index % QUEUE), &bytes);
    }

    fn offer(&mut self, head: u16) {
        self.write(AVAILABLE + 4 + 2 * u64::from(self.offered % QUEUE), &head.to_le_bytes());
        self.offered = self.offered.wrapping_add(1);
        self.write(AVAILABLE + 2, &self.offered.to_le_bytes());
    }

    /// Writes a request's header: type and sector.
    fn header(&self, at: u64, kind: u32, sector: u64) {
        self.write(at, &[&kind.to_le_bytes()[..], &[0; 4], &sector.to_le_bytes()].concat());
    }

    /// The data and the status of a request with these data buffers, and the used length.
    fn run(&mut self, kind: u32, sector: u64, lens: &[u32]) -> (Vec<u8>, u8, u32) {
        let (header, status, data) = (PLACES, PLACES + 16, PLACES + 0x1000);
        self.header(header, kind, sector);
        self.write(status, &[0xee]);
        self.describe(0, header, 16, NEXT, 1);
        let mut at = data;
        for (n, len) in (1..).zip(lens) {
            self.describe(n, at, *len, NEXT | WRITE, n + 1);
            at += u64::from(*len);
        }
        self.describe(lens.len() as u16 + 1, status, 1, WRITE, 0);
        self.offer(0);
        assert_eq!(self.device.serve(), 1);
        let whole = (at - data).min(0x8000) as usize;
        let (mut bytes, mut result) = (vec![0; whole], [0]);
        self.memory.read_slice(&mut bytes, GuestAddress(data)).unwrap();
        self.memory.read_slice(&mut result, GuestAddress(status)).unwrap();
        let place = USED + 4 + 8 * u64::from(self.offered.wrapping_sub(1) % QUEUE) + 4;
        let used: u32 = self.memory.read_obj(GuestAddress(place)).unwrap();
        (bytes, result[0], used)
    }
}

fn content() -> Vec<u8> {
    (0..FILE).map(|at| at as u8).collect()
}

#[test]
fn what_is_in_the_file_is_read_with_zeros_to_the_end_of_its_last_sector() {
    let mut guest = Guest::new();
    let whole = [&content()[..], &[0; 72]].concat();
    assert_eq!(guest.run(IN, 0, &[1024, 2048]), (whole.clone(), OK, 3073));
    assert_eq!(guest.run(IN, 5, &[512]), (whole[2560..].to_vec(), OK, 513));
    assert_eq!(guest.run(IN, 6, &[512]).1, IOERR);
    assert_eq!(guest.run(IN, u64::MAX >> 9, &[512]).1, IOERR);
    assert!(guest.run(GET_ID, 0, &[20]).0.starts_with(USERLAND_SERIAL.as_bytes()));
    assert_eq!(guest.run(1, 0, &[512]).1, UNSUPP, "the disk is read-only");
}

#[test]
fn the_buffers_of_a_request_have_a_bound() {
    let mut guest = Guest::new();
    let (_, result, used) = guest.run(GET_ID, 0, &[LONGEST as u32 + 1]);
    assert_eq!((result, used), (IOERR, 1));
}

/// What a guest does to the disk's virtqueue.
fn step(guest: &mut Guest, input: &mut Unstructured<'_>) -> Result<()> {
    let kind: u8 = input.arbitrary()?;
    let place = PLACES + 0x1000 * u64::from(kind >> 3 & 7);
    match kind & 7 {
        0..=2 => {
            let index = input.int_in_range(0..=QUEUE - 1)?;
            let (at, len): (u8, u8) = (input.arbitrary()?, input.arbitrary()?);
            let address = match at {
                0..=199 => place + 8 * u64::from(at),
                200..=229 => 16 * u64::from(at),
                230..=249 => MEMORY as u64 - u64::from(at - 229),
                _ => input.arbitrary()?,
            };
            let len = match len {
                0..=127 => 16,
                128..=191 => 512 * u32::from(len - 127),
                192..=239 => 1,
                240..=247 => u32::MAX,
                _ => input.arbitrary()?,
            };
            let (flags, next) = (input.arbitrary::<u8>()?, input.arbitrary::<u8>()?);
            let flags = u16::from(flags & 7);
            guest.describe(index, address, len, flags, u16::from(next & 0x7f));
        }
        3 => {
            let (request, sector): (u8, u8) = (input.arbitrary()?, input.arbitrary()?);
            let far = if sector == 255 { u64::MAX >> (request & 63) } else { 0 };
            guest.header(place, u32::from(request & 15), u64::from(sector & 15) | far);
        }
        4 => {
            let (at, len): (u16, u8) = (input.arbitrary()?, input.arbitrary()?);
            let bytes = input.bytes(usize::from(len).min(input.len()))?;
            guest.write(u64::from(at), bytes);
        }
        5 => guest.offer(u16::from(input.arbitrary::<u8>()? & 0x7f)),
        _ => {
            assert!(guest.device.serve() <= usize::from(QUEUE));
        }
    }
    Ok(())
}

/// Whatever a guest does with its virtqueue, the disk serves the next request that is sound.
fn disk(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let mut guest = Guest::new();
    for _ in 0..300 {
        if input.is_empty() || step(&mut guest, &mut input).is_err() {
            break;
        }
    }
    guest.device.serve();
    // The guest starts the virtqueue anew.
    guest.write(AVAILABLE, &[0; 4]);
    guest.write(USED, &[0; 4]);
    guest.device.queue.set_next_avail(0);
    guest.device.queue.set_next_used(0);
    guest.offered = 0;
    assert_eq!(guest.run(IN, 0, &[512]), (content()[..512].to_vec(), OK, 513));
}

#[test]
fn garbage_in_the_disks_virtqueue_harms_nobody() {
    sansim_fuzz::fuzz("disk", disk);
}
