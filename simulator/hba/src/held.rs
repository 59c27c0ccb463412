//! An HBA that serves its guest only when it is asked to: in skipped time, when the guest's clock
//! stands still and everybody knows what time it is.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::{alarm::Doorbell, backend::Backend};

/// What is shared with the connection of the moment.
#[derive(Default)]
pub(crate) struct Held {
    /// There is something to do that the guest did not send since the last time.
    attention: AtomicBool,
    backend: Mutex<Option<Arc<Backend>>>,
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

    /// From now on this is who is served; nobody when there is no connection.
    pub(crate) fn set_backend(&self, backend: Option<Arc<Backend>>) {
        *self.backend() = backend;
    }

    fn backend(&self) -> std::sync::MutexGuard<'_, Option<Arc<Backend>>> {
        self.backend.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
