//! Time limits for a guest, in host time. Time during which the guest is held does not count.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

/// The holds of a guest, for waits that must not count them. Clones share the state.
#[derive(Debug, Clone)]
pub(crate) struct Patience(Arc<watch::Sender<Holds>>);

#[derive(Debug, Clone, Copy, Default)]
struct Holds {
    /// Number of holds so far.
    begun: u64,
    /// Number of current holds.
    open: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Patience(Arc::new(watch::Sender::new(Holds::default())))
    }
}

impl Patience {
    /// Returns after `after` of host time without a hold. A hold restarts the wait.
    pub(crate) async fn runs_out(&self, after: Duration) {
        let mut holds = self.0.subscribe();
        loop {
            let Ok(begun) = holds.wait_for(|holds| holds.open == 0).await.map(|h| h.begun) else {
                return;
            };
            tokio::time::sleep(after).await;
            if holds.borrow().begun == begun {
                return;
            }
        }
    }

    /// Returns when the guest is not held.
    pub(crate) async fn unheld(&self) {
        // The channel cannot be closed while `self` exists.
        let _ = self.0.subscribe().wait_for(|holds| holds.open == 0).await;
    }

    /// Suspends all waits until the returned guard is dropped. They then start again with their full time.
    pub(crate) fn hold(&self) -> Held {
        self.0.send_modify(|holds| {
            holds.begun += 1;
            holds.open += 1;
        });
        Held(self.clone())
    }
}

/// A guard for the time during which the guest is held.
#[derive(Debug)]
pub(crate) struct Held(Patience);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.send_modify(|holds| holds.open = holds.open.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, advance, timeout};

    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_guest_that_is_held_is_not_waited_for() {
        let patience = Patience::default();
        let began = Instant::now();
        let waiting = tokio::spawn({
            let patience = patience.clone();
            async move { patience.runs_out(LONG).await }
        });
        tokio::task::yield_now().await;
        advance(Duration::from_secs(4)).await;
        let held = patience.hold();
        assert!(timeout(LONG * 10, patience.runs_out(LONG)).await.is_err());
        assert!(!waiting.is_finished());
        drop(held);
        waiting.await.unwrap();
        assert!(began.elapsed() >= Duration::from_secs(4) + LONG * 11);
    }

    #[tokio::test(start_paused = true)]
    async fn else_it_is_waited_for_as_long_as_is_said() {
        let began = Instant::now();
        Patience::default().runs_out(LONG).await;
        assert!((LONG..LONG * 2).contains(&began.elapsed()));
    }
}
