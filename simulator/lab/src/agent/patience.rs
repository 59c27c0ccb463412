//! How long is waited for a guest, by the host's clock. One that is held is not waited for.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

/// Waits for a guest, and knows when it is held. Clones know it, too.
#[derive(Debug, Clone)]
pub(crate) struct Patience(Arc<watch::Sender<Holds>>);

#[derive(Debug, Clone, Copy, Default)]
struct Holds {
    /// How many there have been.
    begun: u64,
    /// How many there are.
    open: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Patience(Arc::new(watch::Sender::new(Holds::default())))
    }
}

impl Patience {
    /// Ends when the guest has had so much of the host's time without being held.
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

    /// Ends when the guest is not held.
    pub(crate) async fn unheld(&self) {
        // It cannot be closed while this is there.
        let _ = self.0.subscribe().wait_for(|holds| holds.open == 0).await;
    }

    /// Nobody loses patience until the answer is dropped, and then all of it is there again.
    pub(crate) fn hold(&self) -> Held {
        self.0.send_modify(|holds| {
            holds.begun += 1;
            holds.open += 1;
        });
        Held(self.clone())
    }
}

/// The guest is held.
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
