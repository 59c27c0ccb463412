//! The userland's disk. QEMU's own disk would complete a request when the host's read is done; this one
//! completes requests only while a question is open.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileExt,
    },
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sansim_protocol::{USERLAND_SERIAL, hypercall::slot};
use tokio::net::{UnixListener, unix::pipe::Receiver};
use virtio_queue::{DescriptorChain, QueueOwnedT, QueueT};
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

use super::{
    block_device::{BlockConfig, BlockDevice},
    vhost_user::Connection,
};
use crate::Device;

const SECTOR: u64 = 512;
/// VIRTIO_BLK_F_RO and VIRTIO_BLK_F_SEG_MAX (virtio 1.2, 5.2.3).
const FEATURES: u64 = 1 << 5 | 1 << 2;
/// `seg_max`, the most data segments in a request, and its offset in the configuration.
const SEGMENTS: u32 = 64;
const SEG_MAX: usize = 12;

/// Request types and status values (virtio 1.2, 5.2.6).
const IN: u32 = 0;
const GET_ID: u32 = 8;
const OK: u8 = 0;
const IOERR: u8 = 1;
const UNSUPP: u8 = 2;
/// VIRTIO_BLK_ID_BYTES (linux/virtio_blk.h): length of a serial number.
const ID_BYTES: usize = 20;
/// Bytes that are read from the file at once.
const PIECE: usize = 128 << 10;
/// Most bytes that a request may read. Linux asks for less than 2 MiB. All descriptors of a hostile guest may name
/// the same memory, and each of them all of the file.
const LONGEST: u64 = 64 << 20;
/// Most requests that are served in one go while the guest runs, which may offer more of them all the time.
const BATCH: usize = 1024;

/// A read-only virtio-blk disk with the image's squashfs.
pub(crate) struct UserlandDisk {
    inner: Mutex<DiskState>,
}

struct DiskState {
    device: BlockDevice<Squashfs>,
    connection: Option<Connection>,
    /// The agent has asked its first question. A kernel with a built-in virtio_blk reads the disk before
    /// that; those requests are served as they arrive.
    asked: bool,
    /// Requests were completed, and their interrupt is still due.
    due: bool,
}

struct Squashfs {
    file: File,
    bytes: u64,
}

impl BlockConfig for Squashfs {
    fn features(&self) -> u64 {
        FEATURES
    }

    fn bytes(&self) -> [u8; 64] {
        let mut config = [0; 64];
        config[..8].copy_from_slice(&self.bytes.div_ceil(SECTOR).to_le_bytes());
        config[SEG_MAX..SEG_MAX + 4].copy_from_slice(&SEGMENTS.to_le_bytes());
        config
    }

    fn written(&mut self, _at: usize, _byte: u8) -> bool {
        false
    }
}

impl UserlandDisk {
    /// Creates the disk. `ram` is the file with the guest's memory. `asked`: the guest is restored, and its
    /// agent was running when it was saved.
    pub(crate) fn new(userland: &Path, ram: &File, asked: bool) -> io::Result<Arc<UserlandDisk>> {
        let file = File::open(userland)?;
        let bytes = file.metadata()?.len();
        let device = BlockDevice::new(Squashfs { file, bytes }, ram.try_clone()?)?;
        let inner = DiskState { device, connection: None, asked, due: false };
        Ok(Arc::new(UserlandDisk { inner: Mutex::new(inner) }))
    }

    /// Accepts QEMU's connection and handles its messages until the connection ends.
    pub(crate) async fn attach(self: Arc<UserlandDisk>, listener: UnixListener) -> io::Result<()> {
        let (connection, waiter) = Connection::accept(listener).await?;
        self.lock().connection = Some(connection);
        loop {
            let kick = self.lock().early_kick()?;
            tokio::select! {
                pumped = waiter.next(|| self.lock().pump()) => pumped?,
                () = rung(kick) => self.lock().serve_early(),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, DiskState> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a kick; forever if there is no eventfd.
async fn rung(kick: Option<Receiver>) {
    let Some(kick) = kick else { return std::future::pending().await };
    if kick.readable().await.is_err() {
        std::future::pending().await
    }
}

impl Device for UserlandDisk {
    fn serve(&self) {
        let mut inner = self.lock();
        inner.asked = true;
        // QEMU's messages about the queue come first. A closed connection is noticed elsewhere.
        if inner.pump().is_ok() {
            // The guest stands still, and a virtqueue has no more requests than this.
            inner.due |= inner.device.serve() > 0;
        }
    }

    fn wants_service(&self) -> bool {
        false
    }

    fn slot(&self) -> u8 {
        slot::USERLAND
    }

    fn serve_and_write_down(&self) -> Option<Vec<u8>> {
        self.serve();
        // The disk only reads, and what it has read is in the guest's memory.
        Some(Vec::new())
    }

    fn take_interrupts(&self) -> Vec<u16> {
        std::mem::take(&mut self.lock().due).then_some(0).into_iter().collect()
    }
}

impl DiskState {
    fn pump(&mut self) -> io::Result<()> {
        match &mut self.connection {
            Some(connection) => self.device.pump(connection).map(drop),
            None => Ok(()),
        }
    }

    /// The kick eventfd, until the agent asks its first question.
    fn early_kick(&self) -> io::Result<Option<Receiver>> {
        match &self.device.kick {
            // tokio can poll an eventfd like a pipe.
            Some(kick) if !self.asked => {
                Receiver::from_file_unchecked(File::from(kick.try_clone()?)).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn serve_early(&mut self) {
        let device = &mut self.device;
        if let Some(kick) = &device.kick {
            let _ = rustix::io::read(kick, &mut [0; 8]);
        }
        if self.asked {
            return;
        }
        let served = device.serve();
        if served > 0 {
            ring(device.call.as_ref());
        }
        if served == BATCH {
            // The rest follows when others have had their turn.
            ring(device.kick.as_ref());
        }
    }
}

/// Writes to an eventfd.
fn ring(eventfd: Option<&OwnedFd>) {
    if let Some(eventfd) = eventfd {
        // EAGAIN means that the counter is full. The eventfd is readable then, which is all that matters.
        let _ = rustix::io::write(eventfd.as_fd(), &1u64.to_ne_bytes());
    }
}

impl BlockDevice<Squashfs> {
    /// Serves the available requests, at most [`BATCH`]. Returns how many there were.
    fn serve(&mut self) -> usize {
        if !self.is_running() {
            return 0;
        }
        let mut served = 0;
        // An invalid ring is not served.
        while served < BATCH
            && let Ok(mut available) = self.queue.iter(&self.memory)
            && let Some(chain) = available.next()
        {
            let head = chain.head_index();
            let written = self.config.request(chain, &self.memory).unwrap_or(0);
            if self.queue.add_used(&self.memory, head, written).is_err() {
                break;
            }
            served += 1;
        }
        served
    }
}

impl Squashfs {
    /// Carries out a request. Returns the number of bytes written to the chain, or `None` for a malformed
    /// request.
    fn request(
        &self,
        chain: DescriptorChain<&GuestMemoryMmap<()>>,
        memory: &GuestMemoryMmap<()>,
    ) -> Option<u32> {
        let parts: Vec<_> = chain.collect();
        let [header, data @ .., status] = parts.as_slice() else { return None };
        let mut head = [0; 16];
        memory.read_slice(&mut head, header.addr()).ok()?;
        let kind = u32::from_le_bytes(head[..4].try_into().ok()?);
        let mut from = u64::from_le_bytes(head[8..].try_into().ok()?).checked_mul(SECTOR)?;
        let (mut result, mut written, mut room) = (OK, 1_u32, LONGEST);
        for part in data.iter().filter(|part| part.is_write_only()) {
            let len = u64::from(part.len());
            let fits = room.checked_sub(len);
            let done = match kind {
                IN => fits.and_then(|_| self.read(from, len, part.addr(), memory)),
                GET_ID => fits.and_then(|_| identify(len as usize, part.addr(), memory)),
                _ => break,
            };
            match done {
                Some(()) => written += part.len(),
                None => result = IOERR,
            }
            room = fits.unwrap_or(0);
            from = from.saturating_add(len);
        }
        if kind != IN && kind != GET_ID {
            result = UNSUPP;
        }
        memory.write_slice(&[result], status.addr()).ok()?;
        Some(written)
    }

    fn read(
        &self,
        mut from: u64,
        mut len: u64,
        mut to: GuestAddress,
        memory: &GuestMemoryMmap<()>,
    ) -> Option<()> {
        if from.checked_add(len)? > self.bytes.next_multiple_of(SECTOR) {
            return None;
        }
        let mut buffer = vec![0; PIECE.min(len as usize)];
        while len > 0 {
            let piece = (len as usize).min(PIECE);
            // The last sector may extend beyond the end of the file.
            let there = self.bytes.saturating_sub(from).min(piece as u64) as usize;
            self.file.read_exact_at(&mut buffer[..there], from).ok()?;
            buffer[there..piece].fill(0);
            memory.write_slice(&buffer[..piece], to).ok()?;
            (from, len) = (from + piece as u64, len - piece as u64);
            to = GuestAddress(to.0.checked_add(piece as u64)?);
        }
        Some(())
    }
}

/// VIRTIO_BLK_T_GET_ID: writes the serial number.
fn identify(len: usize, to: GuestAddress, memory: &GuestMemoryMmap<()>) -> Option<()> {
    let mut id = [0; ID_BYTES];
    id[..USERLAND_SERIAL.len()].copy_from_slice(USERLAND_SERIAL.as_bytes());
    memory.write_slice(&id[..len.min(ID_BYTES)], to).ok()
}

#[cfg(test)]
mod tests;
