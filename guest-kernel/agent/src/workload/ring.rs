//! An io_uring for one file, with one buffer per slot.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use io_uring::{IoUring, opcode, types};

use super::stamp::SECTOR;
use sansim_protocol::IoDirection;

/// Page size in bytes. O_DIRECT requires buffers aligned to the logical block size, which is at most a
/// page.
pub(crate) const PAGE: usize = 4096;

#[repr(C, align(4096))]
#[derive(Clone)]
struct Page([[u8; SECTOR]; PAGE / SECTOR]);

pub(crate) struct Ring {
    ring: IoUring,
    file: File,
    buffers: Vec<Vec<Page>>,
    in_flight: Vec<bool>,
}

impl Ring {
    /// Creates a ring of `slots` slots with a buffer of `bytes` bytes each, a multiple of [`PAGE`].
    pub(crate) fn new(file: File, slots: u32, bytes: u32) -> io::Result<Ring> {
        let pages = bytes as usize / PAGE;
        let slots_len = slots as usize;
        let ring = IoUring::new(slots)?;
        // A multipath device does not support NOWAIT (`io_file_supports_nowait`), so io_uring submits its
        // requests from workers. A single worker submits in order, which makes a run repeatable, and in one
        // batch. Before Linux 5.15 the number of workers cannot be set.
        let _ = ring.submitter().register_iowq_max_workers(&mut [1, 1]);
        Ok(Ring {
            ring,
            file,
            buffers: vec![vec![Page([[0; SECTOR]; PAGE / SECTOR]); pages]; slots_len],
            in_flight: vec![false; slots_len],
        })
    }

    /// The sectors in an idle slot's buffer.
    pub(crate) fn sectors(&self, slot: usize) -> impl Iterator<Item = &[u8; SECTOR]> {
        assert!(!self.in_flight[slot], "the kernel owns this buffer");
        self.buffers[slot].iter().flat_map(|page| page.0.iter())
    }

    /// The sectors in an idle slot's buffer, to be filled.
    pub(crate) fn sectors_mut(&mut self, slot: usize) -> impl Iterator<Item = &mut [u8; SECTOR]> {
        assert!(!self.in_flight[slot], "the kernel owns this buffer");
        self.buffers[slot].iter_mut().flat_map(|page| page.0.iter_mut())
    }

    /// Queues a request for the whole buffer of an idle slot. [`Ring::submit`] submits it.
    pub(crate) fn queue(&mut self, slot: usize, direction: IoDirection, offset: u64) {
        assert!(!self.in_flight[slot], "one request a slot");
        let fd = types::Fd(self.file.as_raw_fd());
        let buffer = &mut self.buffers[slot];
        let len = (buffer.len() * PAGE) as u32;
        let start = buffer.as_mut_ptr().cast::<u8>();
        let entry = match direction {
            IoDirection::Read => opcode::Read::new(fd, start, len).offset(offset).build(),
            IoDirection::Write => opcode::Write::new(fd, start, len).offset(offset).build(),
        };
        let entry = entry.user_data(slot as u64);
        // SAFETY: `self` owns the file and the buffer, and neither is moved nor resized. While `in_flight`
        // is set nothing here accesses the buffer, and dropping the ring before the completion leaks it
        // (see `Drop`).
        let pushed = unsafe { self.ring.submission().push(&entry) };
        pushed.expect("there is an entry for every slot");
        self.in_flight[slot] = true;
    }

    /// Submits the queued requests.
    pub(crate) fn submit(&self) -> io::Result<()> {
        match self.ring.submit() {
            Ok(_) => Ok(()),
            // EAGAIN, EBUSY, EINTR: the entries stay queued for the next call.
            Err(error)
                if [Some(EAGAIN), Some(EBUSY), Some(EINTR)].contains(&error.raw_os_error()) =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the available completions: the slot, and success or an errno.
    pub(crate) fn completions(&mut self) -> Vec<(usize, Result<(), i32>)> {
        let mut done = Vec::new();
        for entry in self.ring.completion() {
            let slot = entry.user_data() as usize;
            self.in_flight[slot] = false;
            let whole = (self.buffers[slot].len() * PAGE) as i32;
            done.push((
                slot,
                match entry.result() {
                    bytes if bytes == whole => Ok(()),
                    // A block device returns a short count only if the rest failed.
                    bytes if bytes >= 0 => Err(EIO),
                    error => Err(-error),
                },
            ));
        }
        done
    }

    /// Whether the kernel has not accepted all queued entries yet.
    pub(crate) fn has_unsubmitted(&mut self) -> bool {
        !self.ring.submission().is_empty()
    }
}

const EINTR: i32 = 4;
const EIO: i32 = 5;
const EAGAIN: i32 = 11;
const EBUSY: i32 = 16;

impl AsFd for Ring {
    /// Readable while completions are available.
    fn as_fd(&self) -> BorrowedFd<'_> {
        let fd: RawFd = self.ring.as_raw_fd();
        // SAFETY: the ring owns its descriptor and outlives the borrow of `self`.
        unsafe { BorrowedFd::borrow_raw(fd) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        if self.in_flight.contains(&true) {
            std::mem::forget(std::mem::take(&mut self.buffers));
        }
    }
}
