//! A guest's clock that is not to get ahead of the host's.

use std::time::{Duration, Instant};

use crate::Time;

/// Where both clocks were together the last time. The host's is passed in.
#[derive(Debug, Clone, Copy)]
pub struct Pacer {
    guest: Time,
    host: Instant,
}

impl Pacer {
    /// Both are together now.
    pub fn new(guest: Time, host: Instant) -> Self {
        Pacer { guest, host }
    }

    /// How long the host needs to come to where the guest is; zero if the guest is behind. One that falls
    /// behind does not make up for it later.
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
