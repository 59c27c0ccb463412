//! The driver's side of a split virtqueue (virtio 1.2 2.7).

use std::sync::atomic::{Ordering, fence};

use vm_memory::{Bytes, GuestAddress, GuestMemory};

pub const NEXT: u16 = 1;
pub const WRITE: u16 = 2;
pub const INDIRECT: u16 = 4;

/// The maximum number of descriptors in a chain. The chain of slot `n` starts at descriptor `n *
/// SLOT_DESCRIPTORS`, so that no descriptor allocator is needed.
pub const SLOT_DESCRIPTORS: u16 = 4;

/// A buffer in guest memory.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    pub address: u64,
    pub len: u32,
    /// Whether the buffer is device-writable.
    pub writable: bool,
}

pub fn readable(address: u64, len: usize) -> Part {
    Part { address, len: len as u32, writable: false }
}

pub fn writable(address: u64, len: usize) -> Part {
    Part { address, len: len as u32, writable: true }
}

#[derive(Debug, Clone)]
pub struct Ring {
    pub descriptors: u64,
    pub available: u64,
    pub used: u64,
    pub size: u16,
    pub event_idx: bool,
    next_available: u16,
    kicked: u16,
    next_used: u16,
}

impl Ring {
    /// Creates a virtqueue at `base`, which must be aligned to 16 bytes.
    pub fn new(base: u64, size: u16, event_idx: bool) -> Self {
        let available = base + 16 * u64::from(size);
        let used = (available + 6 + 2 * u64::from(size)).next_multiple_of(4);
        Ring {
            descriptors: base,
            available,
            used,
            size,
            event_idx,
            next_available: 0,
            kicked: 0,
            next_used: 0,
        }
    }

    /// The first address after the virtqueue.
    pub fn end(&self) -> u64 {
        self.used + 6 + 8 * u64::from(self.size)
    }

    pub fn slots(&self) -> u16 {
        self.size / SLOT_DESCRIPTORS
    }

    /// Makes a chain of descriptors available.
    pub fn offer<M: GuestMemory>(&mut self, memory: &M, slot: u16, parts: &[Part]) {
        assert!(parts.len() <= usize::from(SLOT_DESCRIPTORS));
        let head = slot * SLOT_DESCRIPTORS;
        for (place, part) in parts.iter().enumerate() {
            let index = head + place as u16;
            let more = if place + 1 < parts.len() { NEXT } else { 0 };
            let write = if part.writable { WRITE } else { 0 };
            self.describe(memory, index, part.address, part.len, more | write, index + 1);
        }
        self.publish(memory, head);
    }

    /// Makes a chain available whose descriptors are in an indirect table at `table`.
    pub fn offer_indirect<M: GuestMemory>(
        &mut self,
        memory: &M,
        slot: u16,
        table: u64,
        parts: &[Part],
    ) {
        for (place, part) in parts.iter().enumerate() {
            let more = if place + 1 < parts.len() { NEXT } else { 0 };
            let write = if part.writable { WRITE } else { 0 };
            let next = place as u16 + 1;
            let address = table + 16 * place as u64;
            write_descriptor(memory, address, part.address, part.len, more | write, next);
        }
        let head = slot * SLOT_DESCRIPTORS;
        self.describe(memory, head, table, 16 * parts.len() as u32, INDIRECT, 0);
        self.publish(memory, head);
    }

    /// Writes a descriptor without checking it.
    pub fn describe<M: GuestMemory>(
        &self,
        memory: &M,
        index: u16,
        address: u64,
        len: u32,
        flags: u16,
        next: u16,
    ) {
        let at = self.descriptors + 16 * u64::from(index);
        write_descriptor(memory, at, address, len, flags, next);
    }

    /// Adds a chain to the available ring.
    pub fn publish<M: GuestMemory>(&mut self, memory: &M, head: u16) {
        let entry = self.available + 4 + 2 * u64::from(self.next_available % self.size);
        memory.write_obj(head.to_le(), GuestAddress(entry)).expect("the ring is in memory");
        self.next_available = self.next_available.wrapping_add(1);
        self.set_available_index(memory, self.next_available);
    }

    pub fn set_available_index<M: GuestMemory>(&self, memory: &M, index: u16) {
        let at = GuestAddress(self.available + 2);
        memory.store(index.to_le(), at, Ordering::Release).expect("the ring is in memory");
    }

    /// Whether the device wants a kick for the chains that were added since the last call.
    pub fn kick_wanted<M: GuestMemory>(&mut self, memory: &M) -> bool {
        fence(Ordering::SeqCst);
        let (old, new) = (self.kicked, self.next_available);
        self.kicked = new;
        if self.event_idx {
            let event: u16 = load(memory, self.used + 4 + 8 * u64::from(self.size));
            new.wrapping_sub(event).wrapping_sub(1) < new.wrapping_sub(old)
        } else {
            load(memory, self.used) & 1 == 0
        }
    }

    /// Requests an interrupt for the next used chain. Returns whether a chain is already used.
    pub fn ask_for_interrupt<M: GuestMemory>(&self, memory: &M) -> bool {
        let event = GuestAddress(self.available + 4 + 2 * u64::from(self.size));
        memory.store(self.next_used.to_le(), event, Ordering::Relaxed).expect("in memory");
        fence(Ordering::SeqCst);
        load(memory, self.used + 2) != self.next_used
    }

    /// Takes the next used chain: its slot, and the number of bytes written to it.
    pub fn take_used<M: GuestMemory>(&mut self, memory: &M) -> Option<(u16, u32)> {
        if load(memory, self.used + 2) == self.next_used {
            return None;
        }
        let at = self.used + 4 + 8 * u64::from(self.next_used % self.size);
        self.next_used = self.next_used.wrapping_add(1);
        let head: u32 = memory.read_obj(GuestAddress(at)).expect("the ring is in memory");
        let len: u32 = memory.read_obj(GuestAddress(at + 4)).expect("the ring is in memory");
        Some(((u32::from_le(head) / u32::from(SLOT_DESCRIPTORS)) as u16, u32::from_le(len)))
    }
}

fn load<M: GuestMemory>(memory: &M, at: u64) -> u16 {
    u16::from_le(memory.load(GuestAddress(at), Ordering::Acquire).expect("the ring is in memory"))
}

fn write_descriptor<M: GuestMemory>(
    memory: &M,
    at: u64,
    address: u64,
    len: u32,
    flags: u16,
    next: u16,
) {
    let mut bytes = [0; 16];
    bytes[0..8].copy_from_slice(&address.to_le_bytes());
    bytes[8..12].copy_from_slice(&len.to_le_bytes());
    bytes[12..14].copy_from_slice(&flags.to_le_bytes());
    bytes[14..16].copy_from_slice(&next.to_le_bytes());
    memory.write_slice(&bytes, GuestAddress(at)).expect("descriptors are in memory");
}
