//! Which run is next, and whether there is room for it.

use std::{cmp::Reverse, collections::VecDeque, time::Duration};

/// What QEMU occupies beside the guest's memory, in bytes.
const OVERHEAD: u64 = 60 << 20;

/// The order in which runs are started so that several at once end early: first those of which
/// nothing is known, since they may be long, then the longest. Equals stay in their order.
pub(super) fn longest_first(costs: &[Option<Duration>]) -> VecDeque<usize> {
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by_key(|&index| Reverse(costs[index].unwrap_or(Duration::MAX)));
    order.into()
}

/// The memory of a run that is going on, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Occupancy {
    /// What its guest may touch.
    pub(super) guest: u64,
    /// What its machine occupies already.
    pub(super) touched: u64,
}

impl Occupancy {
    /// What it may still come to occupy.
    fn to_come(self) -> u64 {
        (self.guest + OVERHEAD).saturating_sub(self.touched)
    }
}

/// Whether another run, with so much guest memory, may start beside those that are `going` on, on a
/// host that has `available` bytes. One run always may: it is not for us to say that it cannot be.
pub(super) fn has_room(guest: u64, available: Option<u64>, going: &[Occupancy]) -> bool {
    let Some(available) = available else { return true };
    let promised: u64 = going.iter().map(|run| run.to_come()).sum();
    going.is_empty() || available.saturating_sub(promised) >= guest + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn unknown_runs_start_first_then_the_longest() {
        let seconds = |s| Some(Duration::from_secs(s));
        let costs = [seconds(3), None, seconds(9), seconds(3), None, seconds(1)];
        assert_eq!(longest_first(&costs), [1, 4, 2, 0, 3, 5]);
        assert!(longest_first(&[]).is_empty());
    }

    #[test]
    fn one_run_may_always_go_on() {
        assert!(has_room(256 * MIB, Some(0), &[]));
        assert!(!has_room(256 * MIB, Some(0), &[Occupancy { guest: 0, touched: 0 }]));
    }

    #[test]
    fn what_others_have_not_touched_yet_is_theirs() {
        let going = |touched| [Occupancy { guest: 256 * MIB, touched }];
        // Two runs need 316 MiB each.
        assert!(has_room(256 * MIB, Some(632 * MIB), &going(0)));
        assert!(!has_room(256 * MIB, Some(631 * MIB), &going(0)));
        assert!(has_room(256 * MIB, Some(532 * MIB), &going(100 * MIB)));
        assert!(!has_room(256 * MIB, Some(531 * MIB), &going(100 * MIB)));
        // A machine that is larger than it should be takes nothing from others twice.
        assert!(has_room(256 * MIB, Some(316 * MIB), &going(900 * MIB)));
    }

    #[test]
    fn a_host_that_does_not_tell_is_trusted() {
        assert!(has_room(u64::MAX / 2, None, &[Occupancy { guest: MIB, touched: 0 }]));
    }
}
