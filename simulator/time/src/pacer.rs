//! Limiting a guest's clock to the speed of the host's clock.

use std::time::{Duration, Instant};

use crate::Time;

/// Measures how far a guest's clock is ahead of the host's. It stores the last moment at which both
/// clocks were in step. The caller passes the host's time.
#[derive(Debug, Clone, Copy)]
pub struct Pacer {
    guest: Time,
    host: Instant,
}

impl Pacer {
    /// Creates a pacer. Both clocks are in step now.
    pub fn new(guest: Time, host: Instant) -> Self {
        Pacer { guest, host }
    }

    /// How long the guest must wait until the host's clock has caught up; zero if the guest is
    /// behind. A guest that falls behind does not catch up later: both clocks then count as in
    /// step.
    pub fn ahead(&mut self, guest: Time, host: Instant) -> Duration {
        let elapsed = host.saturating_duration_since(self.host);
        let ahead = guest.since(self.guest).saturating_sub(elapsed);
        if ahead.is_zero() {
            *self = Pacer::new(guest, host);
        }
        ahead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_that_is_ahead_waits_and_one_that_is_behind_does_not_catch_up() {
        let (guest, host) = (Time::from_nanos(7), Instant::now());
        let second = Duration::from_secs(1);
        let mut pacer = Pacer::new(guest, host);
        assert_eq!(pacer.ahead(guest + 3 * second, host + second), 2 * second);
        assert_eq!(pacer.ahead(guest + 3 * second, host + 2 * second), second);
        assert_eq!(pacer.ahead(guest + 3 * second, host + 9 * second), Duration::ZERO);
        assert_eq!(pacer.ahead(guest + 4 * second, host + 9 * second), second, "not six late");
    }
}
