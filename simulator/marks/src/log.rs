//! The file that the plugin fills while the guest runs. It is mapped into QEMU's memory, so that nothing is lost
//! when QEMU is killed.
//!
//! It is an array of 64-bit words in the host's order. First the head: [`MAGIC`], the index of the first free word,
//! and how many translation blocks there was no room for. Then records, one a translation block: its address in the
//! guest, its length in bytes, whether it was executed (0 or 1), and its bytes, padded to whole words.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Name of the file, in QEMU's working directory.
pub const FILE: &str = "marks";
/// Size of the file in bytes. It is sparse: what is not written takes no room. The longest story of the library, with
/// multipathd, needs a twentieth.
pub const FILE_BYTES: u64 = 16 << 20;
/// The first word of a file that a plugin has opened.
pub const MAGIC: u64 = u64::from_le_bytes(*b"sansimM1");
/// Words of the head: the magic, the index of the first free word, the number of lost blocks.
pub const HEAD: usize = 3;
/// Words of a record before its bytes: address, length, whether it was executed.
pub const RECORD_HEAD: usize = 3;
/// The guest's addresses that are of interest: where an x86-64 kernel has its modules, with and without
/// CONFIG_RANDOMIZE_BASE (Documentation/arch/x86/x86_64/mm.rst).
pub const MODULES: core::ops::Range<u64> = 0xffff_ffff_a000_0000..0xffff_ffff_ff00_0000;
/// Longest translation block that is recorded. QEMU's have at most 512 instructions and touch two pages.
pub const LONGEST: usize = 8 << 10;

/// The mapped file, to be filled from any thread.
#[derive(Debug, Clone, Copy)]
pub struct Log<'m> {
    words: &'m [AtomicU64],
}

impl<'m> Log<'m> {
    /// An empty log in this memory; `None` if there is no room for its head.
    pub fn begin(words: &'m [AtomicU64]) -> Option<Log<'m>> {
        let [magic, next, lost, ..] = words else { return None };
        next.store(HEAD as u64, Relaxed);
        lost.store(0, Relaxed);
        magic.store(MAGIC, Relaxed);
        Some(Log { words })
    }

    /// A log that was begun in this memory.
    pub fn again(words: &'m [AtomicU64]) -> Option<Log<'m>> {
        (words.len() >= HEAD).then_some(Log { words })
    }

    /// Room for a translation block of `length` bytes at `address`; `None` if the log is full, which is counted.
    pub fn record(&self, address: u64, length: usize) -> Option<Record<'m>> {
        let [_, next, lost, ..] = self.words else { return None };
        let size = RECORD_HEAD + length.div_ceil(8);
        let taken = next.fetch_update(Relaxed, Relaxed, |at| {
            let end = at + size as u64;
            (end <= self.words.len() as u64).then_some(end)
        });
        let words = taken.ok().and_then(|at| self.words.get(at as usize..)?.get(..size));
        let Some([of_address, of_length, executed, bytes @ ..]) = words else {
            lost.fetch_add(1, Relaxed);
            return None;
        };
        of_address.store(address, Relaxed);
        of_length.store(length as u64, Relaxed);
        Some(Record { executed, bytes })
    }
}

/// The record of a translation block.
#[derive(Debug, Clone, Copy)]
pub struct Record<'m> {
    /// To be set to 1 when the block is executed.
    pub executed: &'m AtomicU64,
    bytes: &'m [AtomicU64],
}

impl Record<'_> {
    /// Sets the block's bytes from `offset` on.
    pub fn put(&self, offset: usize, bytes: &[u8]) {
        for (at, byte) in (offset..).zip(bytes) {
            if let Some(word) = self.bytes.get(at / 8) {
                word.fetch_or(u64::from(*byte) << (at % 8 * 8), Relaxed);
            }
        }
    }
}
