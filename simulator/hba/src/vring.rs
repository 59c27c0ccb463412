//! A virtqueue of vhost-user-backend, with a different handling of kicks.
//!
//! The worker thread of vhost-user-backend reads a kick before the queue is served, and exits if
//! the read fails. The read fails or blocks if the front end replaced the kick's eventfd after the
//! thread woke up and before it reads. QEMU does that when a guest is stopped and resumed. Here,
//! such a kick is ignored.

mod dirty;

use std::{fs::File, io, sync::MutexGuard};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use vhost_user_backend::{VringMutex, VringState, VringStateGuard, VringStateMutGuard, VringT};
use virtio_queue::Error;
use vm_memory::{GuestMemoryAtomic, GuestMemoryMmap};

pub(crate) use self::dirty::DirtyPages;

/// Guest memory that records the pages written during migration.
pub(crate) type Memory = GuestMemoryMmap<DirtyPages>;
/// Guest memory whose layout the front end can change at any time.
pub(crate) type SharedMemory = GuestMemoryAtomic<Memory>;
pub(crate) type LockedVring<'a> = MutexGuard<'a, VringState<SharedMemory>>;

#[derive(Clone)]
pub(crate) struct Vring(VringMutex<SharedMemory>);

impl<'a> VringStateGuard<'a, SharedMemory> for Vring {
    type G = LockedVring<'a>;
}

impl<'a> VringStateMutGuard<'a, SharedMemory> for Vring {
    type G = LockedVring<'a>;
}

impl VringT<SharedMemory> for Vring {
    fn new(memory: SharedMemory, max_queue_size: u16) -> Result<Self, Error> {
        VringMutex::new(memory, max_queue_size).map(Vring)
    }

    fn get_ref(&self) -> LockedVring<'_> {
        self.0.get_ref()
    }

    fn get_mut(&self) -> LockedVring<'_> {
        self.0.get_mut()
    }

    fn add_used(&self, desc_index: u16, len: u32) -> Result<(), Error> {
        self.0.add_used(desc_index, len)
    }

    fn signal_used_queue(&self) -> io::Result<()> {
        self.0.signal_used_queue()
    }

    fn enable_notification(&self) -> Result<bool, Error> {
        self.0.enable_notification()
    }

    fn disable_notification(&self) -> Result<(), Error> {
        self.0.disable_notification()
    }

    fn needs_notification(&self) -> Result<bool, Error> {
        self.0.needs_notification()
    }

    fn set_enabled(&self, enabled: bool) {
        self.0.set_enabled(enabled);
    }

    fn set_queue_info(&self, desc_table: u64, avail: u64, used: u64) -> Result<(), Error> {
        self.0.set_queue_info(desc_table, avail, used)
    }

    fn queue_next_avail(&self) -> u16 {
        self.0.queue_next_avail()
    }

    fn set_queue_next_avail(&self, base: u16) {
        self.0.set_queue_next_avail(base);
    }

    fn set_queue_next_used(&self, index: u16) {
        self.0.set_queue_next_used(index);
    }

    fn queue_used_idx(&self) -> Result<u16, Error> {
        self.0.queue_used_idx()
    }

    fn set_queue_size(&self, size: u16) {
        self.0.set_queue_size(size);
    }

    fn set_queue_event_idx(&self, enabled: bool) {
        self.0.set_queue_event_idx(enabled);
    }

    fn set_queue_ready(&self, ready: bool) {
        self.0.set_queue_ready(ready);
    }

    fn set_kick(&self, file: Option<File>) {
        // Non-blocking is safe, because the front end only writes to the eventfd, and its counter
        // never becomes full.
        let file = file.filter(|file| {
            let set =
                fcntl_getfl(file).and_then(|flags| fcntl_setfl(file, flags | OFlags::NONBLOCK));
            set.is_ok()
        });
        self.0.set_kick(file);
    }

    fn read_kick(&self) -> io::Result<bool> {
        let vring = self.0.get_ref();
        if let Some(kick) = vring.get_kick()
            && let Err(error) = kick.consume()
            && error.kind() != io::ErrorKind::WouldBlock
        {
            // Not an eventfd: the front end is broken, and its queue is no longer served.
            tracing::warn!("a kick cannot be read: {error}");
            return Err(error);
        }
        Ok(vring.is_enabled())
    }

    fn set_call(&self, file: Option<File>) {
        self.0.set_call(file);
    }

    fn set_err(&self, file: Option<File>) {
        self.0.set_err(file);
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::{FromRawFd, IntoRawFd};

    use vmm_sys_util::eventfd::EventFd;

    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "an eventfd becomes a file in no other way")]
    fn a_kick_that_nobody_gave_is_none_and_nothing_is_waited_for() {
        let memory = SharedMemory::new(Memory::default());
        let vring = Vring::new(memory, 16).expect("the size is a power of two");
        vring.set_enabled(true);
        // A read of this eventfd would block.
        let eventfd = EventFd::new(0).expect("an eventfd");
        let kick = eventfd.try_clone().expect("a descriptor");
        // SAFETY: the number was given up by its only owner.
        vring.set_kick(Some(unsafe { File::from_raw_fd(kick.into_raw_fd()) }));
        assert!(vring.read_kick().expect("it is no error"));
        eventfd.write(3).expect("there is room");
        assert!(vring.read_kick().expect("it is readable"));
        assert!(eventfd.read().is_err(), "the kicks were taken");
    }
}
