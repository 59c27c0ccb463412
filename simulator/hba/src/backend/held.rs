//! Held mode, for exact time: the HBA serves its guest only on request, while the guest's processor
//! stands still and the time is known. It raises no interrupts, but reports which virtqueues have
//! pending ones.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::Backend;
use crate::{
    alarm::Doorbell,
    tape::{Request, Scratch, Tape},
};

/// The state that outlives a connection.
#[derive(Default)]
pub(crate) struct Held {
    /// Set if there is work that did not come from the guest's queues.
    attention: AtomicBool,
    backend: Mutex<Option<Arc<Backend>>>,
    /// The virtqueues with pending interrupts.
    due: Mutex<BTreeSet<u16>>,
    tape: Arc<Tape>,
}

impl Held {
    /// Returns a doorbell that only sets `attention`.
    pub(crate) fn doorbell(self: &Arc<Self>) -> Doorbell {
        let held = Arc::clone(self);
        Arc::new(move || held.attention.store(true, Ordering::Release))
    }

    /// Whether [`Held::serve`] has work other than new requests in the guest's queues.
    pub(crate) fn wants_service(&self) -> bool {
        self.attention.load(Ordering::Acquire)
    }

    /// Serves the guest's requests, up to a limit for each queue, and delivers pending events.
    pub(crate) fn serve(&self) {
        // Cleared first, so that a doorbell during service sets it again.
        self.attention.store(false, Ordering::Release);
        let more = self.backend().as_ref().is_some_and(|backend| backend.serve_all());
        if more {
            self.attention.store(true, Ordering::Release);
        }
    }

    /// Serves and records the requests; `None` if one of them cannot be recorded.
    pub(crate) fn serve_and_write_down(&self) -> Option<Vec<Request>> {
        self.tape.start();
        self.serve();
        self.tape.finish()
    }

    /// Carries out recorded requests, and resumes the commands that are due. Returns whether this
    /// succeeded.
    pub(crate) fn carry_out(&self, requests: &[Request], scratch: &Scratch) -> bool {
        self.attention.store(false, Ordering::Release);
        self.backend().as_ref().is_some_and(|backend| backend.carry_out(requests, scratch))
    }

    pub(crate) fn tape(&self) -> Arc<Tape> {
        Arc::clone(&self.tape)
    }

    /// Records an interrupt for a virtqueue.
    pub(crate) fn interrupt(&self, queue: u16) {
        self.due().insert(queue);
    }

    /// Takes the virtqueues with pending interrupts, in the order of their indices.
    pub(crate) fn take_interrupts(&self) -> Vec<u16> {
        std::mem::take(&mut *self.due()).into_iter().collect()
    }

    fn due(&self) -> MutexGuard<'_, BTreeSet<u16>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the backend that [`Held::serve`] uses; `None` if no front end is connected.
    pub(crate) fn set_backend(&self, backend: Option<Arc<Backend>>) {
        *self.backend() = backend;
    }

    fn backend(&self) -> MutexGuard<'_, Option<Arc<Backend>>> {
        self.backend.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
