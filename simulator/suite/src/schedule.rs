//! Decides which run is next, and whether there is memory for it.

use std::{cmp::Reverse, collections::VecDeque, time::Duration};

/// QEMU's memory in addition to the guest's, in bytes.
const OVERHEAD: u64 = 60 << 20;

/// The order in which to start runs so that a suite with several jobs ends early: first those with unknown
/// duration, which may be long, then the longest. Equal ones keep their order.
pub(super) fn longest_first(costs: &[Option<Duration>]) -> VecDeque<usize> {
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by_key(|&index| Reverse(costs[index].unwrap_or(Duration::MAX)));
    order.into()
}

/// The memory of a run in progress, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Occupancy {
    /// The guest's memory size.
    pub(super) guest: u64,
    /// Memory that its machine already uses.
    pub(super) touched: u64,
}

impl Occupancy {
    /// Memory that it may still use in addition.
    fn to_come(self) -> u64 {
        (self.guest + OVERHEAD).saturating_sub(self.touched)
    }
}

/// Whether another run with this much guest memory may start in addition to those in `going`, on a host with
/// `available` bytes. A single run may always start, even if memory looks insufficient.
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
        // A machine that uses more than expected counts only once.
        assert!(has_room(256 * MIB, Some(316 * MIB), &going(900 * MIB)));
    }

    #[test]
    fn a_host_that_does_not_tell_is_trusted() {
        assert!(has_room(u64::MAX / 2, None, &[Occupancy { guest: MIB, touched: 0 }]));
    }
}
