//! An HBA that serves its guest only when it is asked to: in exact time, when the guest's processor
//! stands still and everybody knows what time it is. It interrupts nobody either, but says which
//! virtqueues have something for the guest.

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

/// What is shared with the connection of the moment.
#[derive(Default)]
pub(crate) struct Held {
    /// There is something to do that the guest did not send since the last time.
    attention: AtomicBool,
    backend: Mutex<Option<Arc<Backend>>>,
    /// Virtqueues whose guest is to be interrupted.
    due: Mutex<BTreeSet<u16>>,
    tape: Arc<Tape>,
}

impl Held {
    /// A bell that only notes that it was rung.
    pub(crate) fn doorbell(self: &Arc<Self>) -> Doorbell {
        let held = Arc::clone(self);
        Arc::new(move || held.attention.store(true, Ordering::Release))
    }

    /// Whether [`Held::serve`] has more to do than what the guest may have put into its queues since.
    pub(crate) fn wants_service(&self) -> bool {
        self.attention.load(Ordering::Acquire)
    }

    /// Serves what the guest has sent, or a good part of it, and tells it what it is to be told.
    pub(crate) fn serve(&self) {
        // Noted before it is attended to: what comes meanwhile is noted anew.
        self.attention.store(false, Ordering::Release);
        let more = self.backend().as_ref().is_some_and(|backend| backend.serve_all());
        if more {
            self.attention.store(true, Ordering::Release);
        }
    }

    /// Serves, and writes the requests down; none if one cannot be.
    pub(crate) fn serve_and_write_down(&self) -> Option<Vec<Request>> {
        self.tape.start();
        self.serve();
        self.tape.finish()
    }

    /// Carries out requests that were written down, and passes on what is due. Answers whether it can.
    pub(crate) fn carry_out(&self, requests: &[Request], scratch: &Scratch) -> bool {
        self.attention.store(false, Ordering::Release);
        self.backend().as_ref().is_some_and(|backend| backend.carry_out(requests, scratch))
    }

    /// Where requests are written down.
    pub(crate) fn tape(&self) -> Arc<Tape> {
        Arc::clone(&self.tape)
    }

    /// The guest is to be interrupted for a virtqueue.
    pub(crate) fn interrupt(&self, queue: u16) {
        self.due().insert(queue);
    }

    /// Takes the virtqueues whose guest is to be interrupted, in the order of their indices.
    pub(crate) fn take_interrupts(&self) -> Vec<u16> {
        std::mem::take(&mut *self.due()).into_iter().collect()
    }

    fn due(&self) -> MutexGuard<'_, BTreeSet<u16>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this is who is served; nobody when there is no connection.
    pub(crate) fn set_backend(&self, backend: Option<Arc<Backend>>) {
        *self.backend() = backend;
    }

    fn backend(&self) -> MutexGuard<'_, Option<Arc<Backend>>> {
        self.backend.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
