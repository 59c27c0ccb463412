//! Memory mappings of physical memory and of PCI device registers.

use std::fs::OpenOptions;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::ptr::{self, NonNull};

use crate::fail::{Doing, Result};

const PAGE: u64 = 4096;

/// A mapped range of physical memory or device registers. It is never unmapped.
pub(super) struct Window {
    at: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping is never unmapped and is not bound to a thread.
unsafe impl Send for Window {}

/// Types that are read and written in one access, as registers require.
pub(super) trait Word: Copy {}

impl Word for u8 {}
impl Word for u16 {}
impl Word for u32 {}

impl Window {
    /// Maps physical memory that the kernel does not use (`/dev/mem`).
    pub(super) fn of_memory(at: u64, len: usize) -> Result<Window> {
        Window::map("/dev/mem", at, len).doing(|| {
            "map physical memory (exact time needs a kernel with DEVMEM; --time real does not)"
                .to_owned()
        })
    }

    /// Maps registers of a device on the root bus (sysfs `resourceN`).
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

    /// The address of a word.
    ///
    /// # Panics
    /// When the word is outside the window or not aligned.
    fn word<T: Word>(&self, offset: usize) -> *mut T {
        assert!(offset.checked_add(size_of::<T>()).is_some_and(|end| end <= self.len));
        // SAFETY: the assertion above checked that the word is within the mapping.
        let at = unsafe { self.at.as_ptr().add(offset) }.cast::<T>();
        assert!(at.is_aligned());
        at
    }

    /// Reads a register in one access of the word's size.
    pub(super) fn read<T: Word>(&self, offset: usize) -> T {
        // SAFETY: `word` returns an address within the mapping, and every bit pattern is a valid word.
        unsafe { self.word::<T>(offset).read_volatile() }
    }

    /// Writes a register in one access of the word's size.
    pub(super) fn write<T: Word>(&self, offset: usize, word: T) {
        // SAFETY: `word` returns an address within the mapping.
        unsafe { self.word::<T>(offset).write_volatile(word) }
    }

    /// Copies bytes out of the window.
    ///
    /// # Panics
    /// When the range is outside the window.
    pub(super) fn copy_out(&self, offset: usize, bytes: &mut [u8]) {
        assert!(offset.checked_add(bytes.len()).is_some_and(|end| end <= self.len));
        // SAFETY: the range is within the mapping. The lab writes there only while this processor stands
        // still.
        unsafe {
            ptr::copy_nonoverlapping(self.at.as_ptr().add(offset), bytes.as_mut_ptr(), bytes.len());
        }
    }

    /// Copies bytes into the window.
    ///
    /// # Panics
    /// When the range is outside the window.
    pub(super) fn copy_in(&self, offset: usize, bytes: &[u8]) {
        assert!(offset.checked_add(bytes.len()).is_some_and(|end| end <= self.len));
        // SAFETY: the range is within the mapping. The lab reads there only while this processor stands
        // still.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.at.as_ptr().add(offset), bytes.len());
        }
    }
}
