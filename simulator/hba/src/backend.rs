//! The vhost-user backend of a device: which thread serves which virtqueue, and the locks.
//!
//! Locks are taken in this order: the device, then a virtqueue; of two virtqueues, the control
//! queue first. The lock that vhost-user-backend holds while it handles a front end's message comes
//! before both.

mod exits;
mod held;

use std::{
    collections::BTreeSet,
    io,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    },
    thread,
    time::{Duration, Instant},
};

use vhost::vhost_user::message::{VhostUserProtocolFeatures, VhostUserVirtioFeatures};
use vhost_user_backend::{VhostUserBackend, VringT};
use virtio_queue::QueueT;
use vm_memory::GuestAddressSpace;
use vmm_sys_util::{
    epoll::EventSet,
    event::{EventConsumer, EventNotifier},
    eventfd::EventFd,
};

use self::exits::Exits;
pub(crate) use self::held::Held;
use crate::{
    config::HbaConfig,
    device::{BATCH, Device},
    ring::{self, Kicks, Progress, Used},
    statistics::Counters,
    tape::{Request, Scratch},
    vring::{DirtyPages, LockedVring, Memory, SharedMemory, Vring},
    wire::{self, CONTROL_QUEUE, EVENT_QUEUE, FIRST_REQUEST_QUEUE, MAX_QUEUE_SIZE},
};

/// In held mode: the maximum number of commands of a queue that one call serves.
const HELD_COMMANDS: usize = 1024;

/// The maximum number of control requests served before the device lock is released.
const CONTROL_BATCH: usize = 16;

/// How long a resumed machine may take to start its virtqueues again after its front end has sent
/// the messages, and the polling interval. Both are host time.
const RESUMING: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_micros(100);

/// The backend of one connection.
pub(crate) struct Backend {
    config: HbaConfig,
    device: RwLock<Device>,
    memory: SharedMemory,
    /// The virtqueues by index. vhost-user-backend creates them and passes each thread its own with
    /// an event. No command can come from a virtqueue that is not known yet.
    vrings: Vec<OnceLock<Vring>>,
    /// The eventfd that is written when the device must call [`Device::attend`].
    doorbell: Arc<EventFd>,
    counters: Arc<Counters>,
    /// In held mode, only [`Backend::serve_all`] serves the guest. Kicks and doorbells are ignored,
    /// and interrupts are only recorded.
    held: Option<Arc<Held>>,
    /// In held mode, the virtqueues that the front end stopped because the machine is paused. It
    /// will start them again.
    paused: Mutex<BTreeSet<u16>>,
    exits: Exits,
}

impl Backend {
    /// # Errors
    /// If the operating system has no file descriptor left.
    pub(crate) fn new(
        config: HbaConfig,
        device: Device,
        memory: SharedMemory,
        doorbell: Arc<EventFd>,
        counters: Arc<Counters>,
        held: Option<Arc<Held>>,
    ) -> io::Result<Self> {
        let exits = Exits::new(usize::from(config.request_queues))?;
        Ok(Backend {
            vrings: (0..config.queues()).map(|_| OnceLock::new()).collect(),
            config,
            device: RwLock::new(device),
            memory,
            doorbell,
            counters,
            held,
            paused: Mutex::default(),
            exits,
        })
    }

    /// The event number of the doorbell on the first thread. It follows those of the virtqueues and
    /// of vhost-user-backend's exit event.
    pub(crate) fn doorbell_event(&self) -> u16 {
        self.config.queues() as u16 + 1
    }

    /// Resets the device after the front end has disconnected.
    pub(crate) fn disconnect(&self) {
        self.exclusive().reset();
    }

    /// Ends the threads of vhost-user-backend, which does so itself unless it could start only some
    /// of them, and closes the file descriptors that it leaves open.
    pub(crate) fn exit(&self) {
        self.exits.exit();
    }

    fn shared(&self) -> RwLockReadGuard<'_, Device> {
        self.device.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn exclusive(&self) -> RwLockWriteGuard<'_, Device> {
        self.device.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves all virtqueues: first the notices of the array, then commands, then task management
    /// functions, which may concern these commands. Returns whether requests remain.
    pub(crate) fn serve_all(&self) -> bool {
        self.wait_for_paused();
        self.attend();
        let mut more = false;
        for (index, vring) in (0u16..).zip(&self.vrings).skip(usize::from(FIRST_REQUEST_QUEUE)) {
            let vring = vring.wait();
            let batches = HELD_COMMANDS / BATCH;
            more |= (0..batches).all(|_| self.serve_batch(index, vring) == Progress::More);
        }
        self.serve_control(self.vrings[usize::from(CONTROL_QUEUE)].wait());
        more
    }

    /// Carries out recorded requests instead of [`Backend::serve_all`]. Returns `false` if a
    /// request refers to guest memory that `scratch` does not have.
    pub(crate) fn carry_out(&self, requests: &[Request], scratch: &Scratch) -> bool {
        // The guest that continues from here has started its virtqueues.
        self.paused().extend(0..self.config.queues() as u16);
        let mut device = self.exclusive();
        device.attend(scratch.memory(), &mut Vec::new());
        let done = requests.iter().try_for_each(|request| {
            scratch.put(request).map(|()| device.carry_out(request, scratch.memory()))
        });
        device.forget_events();
        done.is_ok()
    }

    /// Waits until the stopped virtqueues are started again. QEMU sends these messages when it
    /// resumes a machine, but lets the guest run without waiting for the replies. A request to
    /// serve the guest may therefore arrive before the messages are handled.
    fn wait_for_paused(&self) {
        let end = Instant::now() + RESUMING;
        let starting = |index: &u16| {
            let vring = self.vrings.get(usize::from(*index)).and_then(OnceLock::get);
            vring.is_some_and(|vring| !is_running(&vring.get_ref()))
        };
        loop {
            let mut paused = self.paused();
            paused.retain(starting);
            if paused.is_empty() {
                return;
            }
            if Instant::now() > end {
                tracing::warn!(hba = %self.config.id, "virtqueues stay stopped: {paused:?}");
                return paused.clear();
            }
            drop(paused);
            thread::sleep(LOOK);
        }
    }

    fn paused(&self) -> MutexGuard<'_, BTreeSet<u16>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kicks(&self) -> Kicks {
        match self.held {
            Some(_) => Kicks::Unwanted,
            None => Kicks::Wanted,
        }
    }

    fn serve_requests(&self, index: u16, vring: &Vring) {
        while self.serve_batch(index, vring) == Progress::More {
            // The locks are not fair, and the front end may be waiting for one of them.
            thread::yield_now();
        }
    }

    /// Serves up to [`BATCH`] requests of a queue, and then releases all locks.
    fn serve_batch(&self, index: u16, vring: &Vring) -> Progress {
        let device = self.shared();
        let memory = self.memory.memory();
        let mut vring = vring.get_mut();
        if !is_running(&vring) {
            return Progress::Empty;
        }
        let used_before = vring.get_queue().next_used();
        let progress = device.serve_requests(index, vring.get_queue_mut(), &*memory, self.kicks());
        self.interrupt_after(index, used_before, &device, &mut vring, &memory);
        progress.unwrap_or_else(|what| {
            device.report(index, what);
            Progress::Empty
        })
    }

    fn serve_control(&self, vring: &Vring) {
        let mut used = Vec::new();
        loop {
            let mut device = self.exclusive();
            let memory = self.memory.memory();
            let mut vring = vring.get_mut();
            if !is_running(&vring) {
                return;
            }
            let used_before = vring.get_queue().next_used();
            let queue = vring.get_queue_mut();
            let progress =
                ring::drain(queue, &*memory, self.kicks(), CONTROL_BATCH, |descriptors| {
                    let len = device.serve_control(descriptors, &*memory, &mut used);
                    self.give_back(&device, &memory, &mut used);
                    len
                });
            self.interrupt_after(CONTROL_QUEUE, used_before, &device, &mut vring, &memory);
            match progress {
                Ok(Progress::More) => {}
                Ok(Progress::Empty) => return,
                Err(what) => return device.report(CONTROL_QUEUE, what),
            }
        }
    }

    fn serve_events(&self, device: &mut Device, memory: &Memory, vring: &Vring) {
        let mut vring = vring.get_mut();
        if !device.has_events() || !is_running(&vring) {
            return;
        }
        let used_before = vring.get_queue().next_used();
        let delivered = device.serve_events(vring.get_queue_mut(), memory);
        self.interrupt_after(EVENT_QUEUE, used_before, device, &mut vring, memory);
        if let Err(what) = delivered {
            device.report(EVENT_QUEUE, what);
        }
    }

    fn attend(&self) {
        if self.held.is_none() {
            // The doorbell may have rung several times, or its eventfd may have been read already.
            let _ = self.doorbell.read();
        }
        let mut device = self.exclusive();
        let memory = self.memory.memory();
        let mut used = Vec::new();
        device.attend(&*memory, &mut used);
        self.give_back(&device, &memory, &mut used);
        if let Some(vring) = self.vrings[usize::from(EVENT_QUEUE)].get() {
            self.serve_events(&mut device, &memory, vring);
        }
    }

    /// Puts the chains into their used rings.
    fn give_back(&self, device: &Device, memory: &Memory, used: &mut Vec<Used>) {
        for chains in used.chunk_by(|one, next| one.queue == next.queue) {
            let queue = chains[0].queue;
            let Some(vring) = self.vrings[usize::from(queue)].get() else { continue };
            let mut vring = vring.get_mut();
            let used_before = vring.get_queue().next_used();
            for chain in chains {
                let added = ring::add_used(vring.get_queue_mut(), memory, chain.head, chain.len);
                if let Err(what) = added {
                    device.report(queue, what);
                }
            }
            self.interrupt_after(queue, used_before, device, &mut vring, memory);
        }
        used.clear();
    }

    /// Interrupts the guest if the queue has new used buffers and the guest wants an interrupt.
    fn interrupt_after(
        &self,
        index: u16,
        used_before: u16,
        device: &Device,
        vring: &mut LockedVring<'_>,
        memory: &Memory,
    ) {
        let queue = vring.get_queue_mut();
        if queue.next_used() == used_before
            || !ring::interrupt_wanted(queue, memory, device.notify_on_empty())
        {
            return;
        }
        self.counters.notifications.add(1);
        if let Some(held) = &self.held {
            return held.interrupt(index);
        }
        if let Err(error) = vring.signal_used_queue() {
            tracing::warn!(hba = %self.config.id, "the guest cannot be interrupted: {error}");
        }
    }

    /// Stores a thread's virtqueues.
    fn meet(&self, vrings: &[Vring], thread: usize) {
        for (place, vring) in vrings.iter().enumerate() {
            let index = virtqueue(thread, place as u16);
            self.vrings[usize::from(index)].get_or_init(|| vring.clone());
        }
    }
}

/// The index of the virtqueue at position `place` of a thread. The first thread has the control
/// queue, the event queue and a request queue. Each further thread has one more request queue.
fn virtqueue(thread: usize, place: u16) -> u16 {
    if thread == 0 { place } else { FIRST_REQUEST_QUEUE + thread as u16 + place }
}

fn is_running(vring: &LockedVring<'_>) -> bool {
    vring.is_enabled() && vring.get_queue().ready()
}

impl VhostUserBackend for Backend {
    type Bitmap = DirtyPages;
    type Vring = Vring;

    fn num_queues(&self) -> usize {
        self.config.queues()
    }

    fn max_queue_size(&self) -> usize {
        usize::from(MAX_QUEUE_SIZE)
    }

    fn features(&self) -> u64 {
        // QEMU migrates its guest only if LOG_ALL is offered.
        wire::FEATURES
            | VhostUserVirtioFeatures::LOG_ALL.bits()
            | VhostUserVirtioFeatures::PROTOCOL_FEATURES.bits()
    }

    fn acked_features(&self, features: u64) {
        self.exclusive().set_features(features);
    }

    fn protocol_features(&self) -> VhostUserProtocolFeatures {
        VhostUserProtocolFeatures::MQ
            | VhostUserProtocolFeatures::LOG_SHMFD
            | VhostUserProtocolFeatures::REPLY_ACK
            | VhostUserProtocolFeatures::CONFIG
            | VhostUserProtocolFeatures::RESET_DEVICE
    }

    fn reset_device(&self) {
        self.paused().clear();
        self.exclusive().reset();
    }

    fn set_event_idx(&self, _enabled: bool) {
        // vhost-user-backend also sets it in the queues, which is sufficient.
    }

    fn get_config(&self, offset: u32, size: u32) -> Vec<u8> {
        // An empty reply is an error for the front end. It means that this part of the
        // configuration space does not exist.
        let HbaConfig { request_queues, targets, .. } = &self.config;
        wire::config_part(*request_queues, targets.len(), offset, size).unwrap_or_default()
    }

    fn set_config(&self, offset: u32, bytes: &[u8]) -> io::Result<()> {
        // A driver may write cdb_size and sense_size, but only their current values are supported.
        // An error would end the connection.
        if self.get_config(offset, bytes.len() as u32) != bytes {
            tracing::debug!(hba = %self.config.id, offset, "a change of the configuration is ignored");
        }
        Ok(())
    }

    fn update_memory(&self, _memory: SharedMemory) -> io::Result<()> {
        // Nothing to do: the content of the memory object that this backend already has was
        // replaced.
        Ok(())
    }

    fn queues_per_thread(&self) -> Vec<u64> {
        let first = (1 << (FIRST_REQUEST_QUEUE + 1)) - 1;
        let others = (1..self.config.request_queues).map(|n| 1 << (FIRST_REQUEST_QUEUE + n));
        std::iter::once(first).chain(others).collect()
    }

    fn exit_event(&self, _thread: usize) -> Option<(EventConsumer, EventNotifier)> {
        self.exits.take()
    }

    fn stop_vring(&self, index: u32) -> io::Result<()> {
        let Ok(index) = u16::try_from(index) else { return Ok(()) };
        if self.held.is_some() {
            // The machine is paused and will resume where it stopped. If the guest resets the
            // device instead, a separate message follows.
            self.paused().insert(index);
            return Ok(());
        }
        let mut device = self.exclusive();
        let memory = self.memory.memory();
        let mut used = device.stop_queue(index, &*memory);
        self.give_back(&device, &memory, &mut used);
        Ok(())
    }

    /// Always returns `Ok`, because an error would end the thread.
    fn handle_event(
        &self,
        event: u16,
        _events: EventSet,
        vrings: &[Vring],
        thread: usize,
    ) -> io::Result<()> {
        self.meet(vrings, thread);
        if self.held.is_some() {
            return Ok(());
        }
        if event == self.doorbell_event() {
            self.attend();
        } else if let Some(vring) = vrings.get(usize::from(event)) {
            match virtqueue(thread, event) {
                CONTROL_QUEUE => self.serve_control(vring),
                EVENT_QUEUE => {
                    let mut device = self.exclusive();
                    self.serve_events(&mut device, &self.memory.memory(), vring);
                }
                index => self.serve_requests(index, vring),
            }
        }
        Ok(())
    }
}
