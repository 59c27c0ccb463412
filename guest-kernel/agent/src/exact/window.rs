//! Windows into physical memory and into the registers of PCI devices.

use std::fs::OpenOptions;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::ptr::{self, NonNull};

use crate::fail::{Doing, Result};

const PAGE: u64 = 4096;

/// A piece of physical memory or of a device's registers, mapped for as long as the guest lives.
pub(super) struct Window {
    at: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping is there for ever and is not bound to a thread.
unsafe impl Send for Window {}

/// What is read and written in one piece, as registers demand.
pub(super) trait Word: Copy {}

impl Word for u8 {}
impl Word for u16 {}
impl Word for u32 {}

impl Window {
    /// Physical memory that is not the kernel's own.
    pub(super) fn of_memory(at: u64, len: usize) -> Result<Window> {
        Window::map("/dev/mem", at, len).doing(|| {
            "map physical memory (exact time needs a kernel with DEVMEM; --time real does not)"
                .to_owned()
        })
    }

    /// Registers of a device that is on the root bus.
    pub(super) fn of_registers(slot: u8, bar: u8, at: u64, len: usize) -> Result<Window> {
        let path = format!("{}/resource{bar}", super::pci::directory(slot));
        Window::map(&path, at, len).doing(|| format!("map {path}"))
    }

    fn map(path: &str, at: u64, len: usize) -> std::io::Result<Window> {
        let file =
            OpenOptions::new().read(true).write(true).custom_flags(libc::O_SYNC).open(path)?;
        let within = (at % PAGE) as usize;
        let (start, whole) = ((at - at % PAGE) as libc::off_t, within + len);
        let rights = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address that the kernel chooses.
        let mapped = unsafe {
            libc::mmap(ptr::null_mut(), whole, rights, libc::MAP_SHARED, file.as_raw_fd(), start)
        };
        match NonNull::new(mapped.cast::<u8>()).filter(|_| mapped != libc::MAP_FAILED) {
            // SAFETY: `within` lies in the mapping's first page.
            Some(base) => Ok(Window { at: unsafe { base.add(within) }, len }),
            None => Err(std::io::Error::last_os_error()),
        }
    }

    /// Where a word of this type is.
    ///
    /// # Panics
    /// When it is not within the window, or not aligned.
    fn word<T: Word>(&self, offset: usize) -> *mut T {
        assert!(offset.checked_add(size_of::<T>()).is_some_and(|end| end <= self.len));
        // SAFETY: within the mapping, as was just seen.
        let at = unsafe { self.at.as_ptr().add(offset) }.cast::<T>();
        assert!(at.is_aligned());
        at
    }

    /// Reads a register of the word's size, in one access.
    pub(super) fn read<T: Word>(&self, offset: usize) -> T {
        // SAFETY: `word` gives a place within the mapping, and any bytes are such a word.
        unsafe { self.word::<T>(offset).read_volatile() }
    }

    /// Writes a register of the word's size, in one access.
    pub(super) fn write<T: Word>(&self, offset: usize, word: T) {
        // SAFETY: `word` gives a place within the mapping.
        unsafe { self.word::<T>(offset).write_volatile(word) }
    }

    /// Copies bytes out.
    ///
    /// # Panics
    /// When they are not within the window.
    pub(super) fn copy_out(&self, offset: usize, bytes: &mut [u8]) {
        assert!(offset.checked_add(bytes.len()).is_some_and(|end| end <= self.len));
        // SAFETY: within the mapping; whoever else writes there does so while this processor stands
        // still.
        unsafe {
            ptr::copy_nonoverlapping(self.at.as_ptr().add(offset), bytes.as_mut_ptr(), bytes.len());
        }
    }

    /// Copies bytes in.
    ///
    /// # Panics
    /// When there is no room for them in the window.
    pub(super) fn copy_in(&self, offset: usize, bytes: &[u8]) {
        assert!(offset.checked_add(bytes.len()).is_some_and(|end| end <= self.len));
        // SAFETY: within the mapping; whoever else reads there does so while this processor stands
        // still.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.at.as_ptr().add(offset), bytes.len());
        }
    }
}
