//! Decides which request comes next, and when it may be submitted.

use std::time::Duration;

use sansim_protocol::IoDirection;

use super::stamp::mix;

/// The endless sequence of requests for a seed. It does not depend on the results of the I/O: the same seed
/// always gives the same blocks in the same order.
#[derive(Debug)]
pub(crate) struct Stream {
    state: u64,
    blocks: u64,
    read_percent: u8,
}

impl Stream {
    /// Requests for `blocks` blocks (at least one), `read_percent` percent of them reads.
    pub(crate) fn new(seed: u64, blocks: usize, read_percent: u8) -> Stream {
        assert!(blocks > 0, "a workload has blocks");
        Stream { state: mix(seed), blocks: blocks as u64, read_percent }
    }

    /// The next request: direction and block.
    pub(crate) fn next(&mut self) -> (IoDirection, usize) {
        let reads = self.draw(100) < u64::from(self.read_percent);
        let direction = if reads { IoDirection::Read } else { IoDirection::Write };
        (direction, self.draw(self.blocks) as usize)
    }

    /// A number in `0..below`, by a SplitMix64 step and a multiplication.
    fn draw(&mut self, below: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        ((u128::from(mix(self.state)) * u128::from(below)) >> 64) as u64
    }
}

/// A token bucket: a rate of requests per second, submitted in bursts. After a pause at most one queue's
/// worth is made up for.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// Average nanoseconds between two requests; 0 means no limit.
    interval_ns: u64,
    burst: u64,
    /// How far the schedule may lag behind, in nanoseconds.
    slack_ns: u64,
    /// When the next burst may begin, in nanoseconds.
    due_ns: u64,
    /// Requests left of the current burst.
    left: u64,
}

impl Pacer {
    /// `rate` requests per second from `now_ns` on (0: no limit), `burst` at a time. After a pause up to
    /// `backlog` of them are submitted at once.
    pub(crate) fn new(rate: u32, burst: u32, backlog: u32, now_ns: u64) -> Pacer {
        let interval_ns = if rate == 0 { 0 } else { 1_000_000_000 / u64::from(rate) };
        let slack_ns = interval_ns * u64::from(backlog);
        Pacer { interval_ns, burst: u64::from(burst.max(1)), slack_ns, due_ns: now_ns, left: 0 }
    }

    /// How long the next request has to wait; `None` if it may be submitted now.
    pub(crate) fn wait(&self, now_ns: u64) -> Option<Duration> {
        let wait = self.due_ns.saturating_sub(now_ns);
        let held = self.interval_ns > 0 && self.left == 0 && wait > 0;
        held.then(|| Duration::from_nanos(wait))
    }

    /// Counts a submitted request.
    pub(crate) fn take(&mut self, now_ns: u64) {
        if self.left == 0 {
            let due_ns = self.due_ns.max(now_ns.saturating_sub(self.slack_ns));
            self.due_ns = due_ns + self.interval_ns * self.burst;
            self.left = self.burst;
        }
        self.left -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_stands_for_one_sequence() {
        let draw = |seed| {
            let mut stream = Stream::new(seed, 1000, 50);
            (0..100).map(|_| stream.next()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn a_stream_reaches_every_block_and_no_other_and_keeps_its_share_of_reads() {
        let mut stream = Stream::new(3, 16, 30);
        let mut hit = [0u32; 16];
        let mut reads = 0;
        for _ in 0..10_000 {
            let (direction, block) = stream.next();
            hit[block] += 1;
            reads += u32::from(direction == IoDirection::Read);
        }
        assert!(hit.iter().all(|n| *n > 0));
        assert!((2_700..3_300).contains(&reads), "{reads}");
        for (percent, only) in [(100, IoDirection::Read), (0, IoDirection::Write)] {
            let mut stream = Stream::new(3, 16, percent);
            assert!((0..1000).all(|_| stream.next().0 == only));
        }
    }

    /// How many requests may be submitted at `now_ns`, at most 1000.
    fn burst(pacer: &mut Pacer, now_ns: u64) -> u32 {
        (0..1000)
            .take_while(|_| {
                let go = pacer.wait(now_ns).is_none();
                if go {
                    pacer.take(now_ns);
                }
                go
            })
            .count() as u32
    }

    #[test]
    fn a_rate_is_kept_and_a_standstill_is_not_made_up_for() {
        let mut pacer = Pacer::new(100, 1, 4, 0);
        assert_eq!(burst(&mut pacer, 0), 1);
        assert_eq!(pacer.wait(0), Some(Duration::from_millis(10)));
        let sent: u32 = (1..=100).map(|tick| burst(&mut pacer, tick * 10_000_000)).sum();
        assert_eq!(sent, 100);
        assert_eq!(burst(&mut pacer, 60_000_000_000), 5, "the one that is due and a burst of 4");
    }

    #[test]
    fn requests_go_out_in_bursts_at_the_same_rate() {
        let mut pacer = Pacer::new(100, 4, 8, 0);
        assert_eq!(burst(&mut pacer, 0), 4);
        assert_eq!(pacer.wait(0), Some(Duration::from_millis(40)));
        assert_eq!(burst(&mut pacer, 39_999_999), 0);
        let sent: u32 = (1..=25).map(|tick| burst(&mut pacer, tick * 40_000_000)).sum();
        assert_eq!(sent, 100);
    }

    #[test]
    fn no_rate_is_no_limit() {
        assert_eq!(burst(&mut Pacer::new(0, 1, 4, 0), 0), 1000);
    }
}
