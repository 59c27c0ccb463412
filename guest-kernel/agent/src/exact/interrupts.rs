//! Raises the interrupts of virtio devices in place of the devices.
//!
//! A device that interrupted by itself would do so at an instruction that depends on the host. So the
//! devices do not interrupt; with each answer the lab names the virtqueues that have completions for the
//! guest. This module then does what the device would do, at that point of guest time: MSI-X is a store of
//! the vector's data to the vector's address, and the kernel's driver has programmed both. The local APIC
//! accepts such a store from the processor too (QEMU's `apic.c:apic_mem_write`).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use sansim_protocol::hypercall::Interrupt;

use super::pci::{self, Configuration};
use super::window::Window;
use crate::fail::{Failure, Result};

/// Address range of message signalled interrupts (Intel SDM 3A, 11.11.1).
const MESSAGES: u32 = 0xfee0_0000;
const MESSAGES_BYTES: usize = 1 << 20;

/// Offsets in a virtio device's common configuration (virtio 1.2, 4.1.4.3).
const COMMON_BYTES: usize = 56;
const QUEUE_SELECT: usize = 22;
const QUEUE_MSIX_VECTOR: usize = 26;

/// Offsets in an MSI-X table entry (PCI 3.0, 6.8.2.6 and following): address, data, control.
const ENTRY_BYTES: usize = 16;
const ADDRESS: usize = 0;
const ADDRESS_HIGH: usize = 4;
const DATA: usize = 8;
const CONTROL: usize = 12;
const MASKED: u32 = 1;

pub(super) struct Interrupts {
    messages: Window,
    devices: BTreeMap<u8, VirtioDevice>,
    /// Interrupts whose vector was masked, like a device's pending bit array.
    pending: Vec<Interrupt>,
}

struct VirtioDevice {
    common: Window,
    table: Window,
    entries: u16,
    /// The vector of each queue. The driver sets it once, at queue setup.
    vectors: BTreeMap<u16, u16>,
}

impl Interrupts {
    pub(super) fn open() -> Result<Interrupts> {
        let messages = Window::of_memory(u64::from(MESSAGES), MESSAGES_BYTES)?;
        Ok(Interrupts { messages, devices: BTreeMap::new(), pending: Vec::new() })
    }

    /// Raises `due` and the pending interrupts.
    ///
    /// # Errors
    /// When the kernel does not use MSI-X for a queue.
    pub(super) fn raise(&mut self, due: &[Interrupt]) -> Result<()> {
        let waited = std::mem::take(&mut self.pending);
        waited.iter().chain(due).try_for_each(|interrupt| self.raise_one(*interrupt))
    }

    fn raise_one(&mut self, interrupt: Interrupt) -> Result<()> {
        let device = match self.devices.entry(interrupt.slot) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(VirtioDevice::open(interrupt.slot)?),
        };
        let entry = usize::from(device.vector(interrupt.queue)?) * ENTRY_BYTES;
        let word = |at| device.table.read::<u32>(entry + at);
        if word(CONTROL) & MASKED != 0 {
            self.pending.push(interrupt);
            return Ok(());
        }
        let offset = word(ADDRESS).wrapping_sub(MESSAGES) as usize;
        if word(ADDRESS_HIGH) != 0 || offset >= MESSAGES_BYTES {
            return Err(Failure::new(format!("{interrupt:?} is sent to {:#x}", word(ADDRESS))));
        }
        self.messages.write(offset, word(DATA));
        Ok(())
    }
}

impl VirtioDevice {
    fn open(slot: u8) -> Result<VirtioDevice> {
        let configuration = Configuration::read(slot)?;
        let common = configuration.virtio(pci::COMMON)?;
        let (table, entries) = configuration.vector_table()?;
        let bytes = usize::from(entries) * ENTRY_BYTES;
        Ok(VirtioDevice {
            common: Window::of_registers(slot, common.bar, common.offset, COMMON_BYTES)?,
            table: Window::of_registers(slot, table.bar, table.offset, bytes)?,
            entries,
            vectors: BTreeMap::new(),
        })
    }

    /// The vector of a queue. The queue is in use, so its driver no longer writes `queue_select`.
    fn vector(&mut self, queue: u16) -> Result<u16> {
        if let Some(vector) = self.vectors.get(&queue) {
            return Ok(*vector);
        }
        let selected: u16 = self.common.read(QUEUE_SELECT);
        self.common.write(QUEUE_SELECT, queue);
        let vector: u16 = self.common.read(QUEUE_MSIX_VECTOR);
        self.common.write(QUEUE_SELECT, selected);
        // VIRTIO_MSI_NO_VECTOR (0xffff) is refused, too.
        if vector >= self.entries {
            let why = "exact time needs MSI-X, which the kernel does not use; --time real does not";
            return Err(Failure::new(format!("queue {queue} has no vector of its own: {why}")));
        }
        self.vectors.insert(queue, vector);
        Ok(vector)
    }
}
