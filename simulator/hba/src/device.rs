//! A virtio-scsi device: requests in, commands to the array, answers out. It knows virtqueues and
//! guest memory, and nothing of how either came to this process.

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
    lun::Address,
    malformed::Malformed,
    parked::RequestQueue,
    ring::{self, Kicks, Progress, Used},
    statistics::Counters,
    tape::{Request, Tape},
    wire::{self, CONTROL_QUEUE, EVENT_QUEUE, Event, FIRST_REQUEST_QUEUE},
};

/// Commands carried out before others get their turn at the queue.
pub(crate) const BATCH: usize = 64;

/// One device. Its request queues may be served at once, each by one thread: that takes `&self`.
/// Everything else waits until they pause, `&mut self`: a task management function or a released
/// command therefore never meets a command halfway between the array and this device.
pub(crate) struct Device {
    pub(crate) initiator: Initiator,
    request_queues: Vec<Mutex<RequestQueue>>,
    /// The chain in hand of the control queue.
    pub(crate) control: Chain,
    events: EventBacklog,
    /// The features that the guest acknowledged.
    features: u64,
}

impl Device {
    /// A device that the array knows nothing of yet. `doorbell` is to have [`Device::attend`]
    /// called soon.
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

    /// Takes the features that the guest acknowledged.
    pub(crate) fn set_features(&mut self, features: u64) {
        self.features = features;
    }

    /// Carries out what a request queue has to offer, or a good part of it.
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

    /// Carries out a request that was written down. Who gets a chain back is in the guest's memory
    /// already.
    pub(crate) fn carry_out<M: GuestMemory>(&mut self, request: &Request, memory: &M) {
        if request.queue == CONTROL_QUEUE {
            self.carry_out_control(request, memory);
        } else if let Some(queue) = self.request_queue(request.queue) {
            lock(queue).carry_out(&self.initiator, request, memory);
        }
    }

    /// Forgets the events that the guest has been told of.
    pub(crate) fn forget_events(&mut self) {
        self.events = EventBacklog::new();
    }

    /// Tells the guest what it has not been told yet.
    pub(crate) fn serve_events<M: GuestMemory>(
        &mut self,
        ring: &mut Queue,
        memory: &M,
    ) -> Result<(), Malformed> {
        let (id, counters) = (self.initiator.id, &self.initiator.counters);
        self.events.deliver(ring, memory, counters, |what| counters.report(id, EVENT_QUEUE, what))
    }

    /// Whether there is something to tell the guest.
    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Acts on what the array has to say: goes on with parked commands, notes events. The chains in
    /// `used` are done with.
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

    /// Has the guest send again what is parked from a queue that is being stopped.
    pub(crate) fn stop_queue<M: GuestMemory>(&mut self, index: u16, memory: &M) -> Vec<Used> {
        let mut used = Vec::new();
        let initiator = &self.initiator;
        let place = index.checked_sub(FIRST_REQUEST_QUEUE).map(usize::from);
        if let Some(queue) = place.and_then(|place| self.request_queues.get_mut(place)) {
            unlocked(queue).interrupt(initiator, memory, &mut used);
        }
        used
    }

    /// Forgets everything: the guest is gone, or starts afresh.
    pub(crate) fn reset(&mut self) {
        let initiator = &self.initiator;
        self.request_queues.iter_mut().map(unlocked).for_each(|queue| queue.forget(initiator));
        self.events = EventBacklog::new();
        self.features = 0;
    }

    /// Whether the guest wants an interrupt whenever its buffers run out.
    pub(crate) fn notify_on_empty(&self) -> bool {
        self.features & wire::NOTIFY_ON_EMPTY != 0
    }

    /// Counts and logs something malformed.
    pub(crate) fn report(&self, queue: u16, what: Malformed) {
        self.initiator.counters.report(self.initiator.id, queue, what);
    }

    /// Answers a command that the array has given up, whichever queue it is from.
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

    /// Keeps an event for the guest. Which of the two features it acknowledged is not asked: QEMU
    /// offers CHANGE on its own account and does not pass it on, and a guest that wants to hear of
    /// neither offers no buffers.
    fn note(&mut self, notice: Notice) {
        if self.features & wire::HOTPLUG_OR_CHANGE == 0 {
            return;
        }
        let address = |port, lun| self.initiator.target(port).map(|target| Address { target, lun });
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
