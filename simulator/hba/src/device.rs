//! A virtio-scsi device: it receives requests, submits commands to the array and returns responses.
//! It uses virtqueues and guest memory, independent of the transport.

mod view;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sansim_array::{Array, Completion, Notice, Ticket};
use sansim_time::Clock;
use virtio_queue::{Queue, QueueT};
use vm_memory::{GuestMemory, GuestMemoryBackend};

use self::view::View;
use crate::{
    alarm::{Alarm, Doorbell},
    chain::Chain,
    command::Initiator,
    config::HbaConfig,
    events::EventBacklog,
    lun::EventAddress,
    malformed::Malformed,
    parked::RequestQueue,
    ring::{self, Kicks, Progress, Used},
    statistics::Counters,
    tape::{Request, Tape},
    wire::{self, CONTROL_QUEUE, EVENT_QUEUE, Event, FIRST_REQUEST_QUEUE},
};

/// The maximum number of commands carried out before the queue's lock is released.
pub(crate) const BATCH: usize = 64;

/// A virtio-scsi device. Its request queues may be served in parallel, each by one thread, with
/// `&self`. Everything else needs `&mut self`, and therefore waits until these threads pause. Thus
/// a task management function or a resumed command never meets a command that is between the array
/// and this device.
pub(crate) struct Device {
    pub(crate) initiator: Initiator,
    request_queues: Vec<Mutex<RequestQueue>>,
    /// The current chain of the control queue.
    pub(crate) control: Chain,
    events: EventBacklog,
    features: u64,
}

impl Device {
    /// Creates a device that is not attached to the array yet. `doorbell` must cause a call of
    /// [`Device::attend`] soon.
    pub(crate) fn new(
        config: &HbaConfig,
        array: Arc<Array>,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
        doorbell: Doorbell,
        tape: Option<Arc<Tape>>,
    ) -> Self {
        let alarm = Alarm::new(Arc::clone(&clock), doorbell);
        let queues = FIRST_REQUEST_QUEUE..FIRST_REQUEST_QUEUE + config.request_queues;
        Device {
            initiator: Initiator {
                id: config.id,
                targets: config.targets.clone(),
                array,
                clock,
                counters,
                alarm,
                tape,
            },
            request_queues: queues.map(|index| Mutex::new(RequestQueue::new(index))).collect(),
            control: Chain::new(),
            events: EventBacklog::new(),
            features: 0,
        }
    }

    pub(crate) fn set_features(&mut self, features: u64) {
        self.features = features;
    }

    /// Carries out up to [`BATCH`] commands of a request queue.
    pub(crate) fn serve_requests<M: GuestMemoryBackend>(
        &self,
        index: u16,
        ring: &mut Queue,
        memory: &M,
        kicks: Kicks,
    ) -> Result<Progress, Malformed> {
        let memory = &View(memory);
        let Some(queue) = self.request_queue(index) else { return Ok(Progress::Empty) };
        let mut queue = lock(queue);
        let size = ring.size();
        ring::drain(ring, memory, kicks, BATCH, |descriptors| {
            queue.serve(&self.initiator, size, descriptors, memory)
        })
    }

    /// Carries out a recorded request. Returns no chains, because the guest's memory already
    /// contains the responses.
    pub(crate) fn carry_out<M: GuestMemory>(&mut self, request: &Request, memory: &M) {
        if request.queue == CONTROL_QUEUE {
            self.carry_out_control(request, memory);
        } else if let Some(queue) = self.request_queue(request.queue) {
            lock(queue).carry_out(&self.initiator, request, memory);
        }
    }

    /// Discards pending events, which the guest has already received.
    pub(crate) fn forget_events(&mut self) {
        self.events = EventBacklog::new();
    }

    /// Delivers pending events to the guest.
    pub(crate) fn serve_events<M: GuestMemory>(
        &mut self,
        ring: &mut Queue,
        memory: &M,
    ) -> Result<(), Malformed> {
        let (id, counters) = (self.initiator.id, &self.initiator.counters);
        self.events.deliver(ring, memory, counters, |what| counters.report(id, EVENT_QUEUE, what))
    }

    /// Whether events are pending.
    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Acts on the notices of the array: resumes parked commands and queues events. Adds the chains
    /// of completed commands to `used`.
    pub(crate) fn attend<M: GuestMemory>(&mut self, memory: &M, used: &mut Vec<Used>) {
        self.initiator.alarm.rung();
        let now = self.initiator.clock.now();
        for notice in self.initiator.array.notices(now, self.initiator.id) {
            if let Notice::Resume(ticket) = notice {
                let (initiator, queues) = (&self.initiator, &mut self.request_queues);
                used.extend(
                    queues
                        .iter_mut()
                        .map(unlocked)
                        .find_map(|queue| queue.resume(initiator, ticket, memory)),
                );
            } else {
                self.note(notice);
            }
        }
        let event = self.initiator.array.next_event();
        let parked = self.queues_mut().filter_map(|queue| queue.next_due(now)).min();
        if let Some(due) = parked.into_iter().chain(event).min() {
            self.initiator.alarm.set(due);
        }
    }

    /// Completes the parked commands of a queue that is being stopped, so that the guest sends them
    /// again.
    pub(crate) fn stop_queue<M: GuestMemory>(&mut self, index: u16, memory: &M) -> Vec<Used> {
        let mut used = Vec::new();
        let initiator = &self.initiator;
        let place = index.checked_sub(FIRST_REQUEST_QUEUE).map(usize::from);
        if let Some(queue) = place.and_then(|place| self.request_queues.get_mut(place)) {
            unlocked(queue).interrupt(initiator, memory, &mut used);
        }
        used
    }

    /// Forgets all state of the guest, because it is gone or resets the device.
    pub(crate) fn reset(&mut self) {
        let initiator = &self.initiator;
        self.request_queues.iter_mut().map(unlocked).for_each(|queue| queue.forget(initiator));
        self.events = EventBacklog::new();
        self.features = 0;
    }

    /// Whether the guest acknowledged VIRTIO_F_NOTIFY_ON_EMPTY: it wants an interrupt when the
    /// available ring becomes empty.
    pub(crate) fn notify_on_empty(&self) -> bool {
        self.features & wire::NOTIFY_ON_EMPTY != 0
    }

    /// Counts and logs a malformed request or ring.
    pub(crate) fn report(&self, queue: u16, what: Malformed) {
        self.initiator.counters.report(self.initiator.id, queue, what);
    }

    /// Completes a parked command that the array has ended, from whichever queue it came.
    pub(crate) fn end<M: GuestMemory>(
        &mut self,
        ticket: Ticket,
        completion: &Completion,
        memory: &M,
    ) -> Option<Used> {
        let initiator = &self.initiator;
        let mut queues = self.request_queues.iter_mut().map(unlocked);
        queues.find_map(|queue| queue.end(initiator, ticket, completion, memory))
    }

    fn queues_mut(&mut self) -> impl Iterator<Item = &mut RequestQueue> {
        self.request_queues.iter_mut().map(unlocked)
    }

    fn request_queue(&self, index: u16) -> Option<&Mutex<RequestQueue>> {
        self.request_queues.get(usize::from(index.checked_sub(FIRST_REQUEST_QUEUE)?))
    }

    /// Queues an event for the guest. It does not check which of the two features was acknowledged:
    /// QEMU offers CHANGE independently and does not pass it on. A guest that wants neither offers
    /// no buffers.
    fn note(&mut self, notice: Notice) {
        if self.features & wire::HOTPLUG_OR_CHANGE == 0 {
            return;
        }
        let address =
            |port, lun| self.initiator.target(port).map(|target| EventAddress { target, lun });
        let event = match notice {
            Notice::LunAdded { port, lun } => address(port, lun).map(Event::Added),
            Notice::LunRemoved { port, lun } => address(port, lun).map(Event::Removed),
            Notice::ParametersChanged { port, lun, asc, ascq } => {
                address(port, lun).map(|at| Event::Changed(at, asc, ascq))
            }
            Notice::Resume(_) => None,
        };
        if let Some(event) = event {
            self.events.push(event, &self.initiator.counters);
        }
    }
}

fn lock(queue: &Mutex<RequestQueue>) -> MutexGuard<'_, RequestQueue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unlocked(queue: &mut Mutex<RequestQueue>) -> &mut RequestQueue {
    queue.get_mut().unwrap_or_else(PoisonError::into_inner)
}
