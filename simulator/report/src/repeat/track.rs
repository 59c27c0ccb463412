//! One sequence of commands or events of a run.

use blake3::{Hash, Hasher};

/// A command or event, in words, with its time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// Sort key; items with equal keys keep their order.
    order: u64,
    /// Scenario time in seconds, for the report only.
    pub(super) t: f64,
    pub(super) text: Box<str>,
}

/// A sequence under construction. Its beginning is kept, the rest is only counted and hashed.
#[derive(Debug, Default)]
pub(super) struct Track {
    kept: Vec<Item>,
    count: u64,
    rest: Hasher,
}

/// A complete sequence.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    /// The first items, in order.
    pub(super) kept: Vec<Item>,
    /// Number of all items.
    pub(super) count: u64,
    /// BLAKE3 of all items.
    pub(super) digest: Hash,
}

impl Track {
    /// Number of items kept, to find the first difference; some ten megabytes of commands.
    pub(super) const KEPT: usize = 100_000;

    pub(super) fn push(&mut self, order: u64, t: f64, text: String) {
        self.count += 1;
        if self.kept.len() < Self::KEPT {
            self.kept.push(Item { order, t, text: text.into_boxed_str() });
        } else {
            hash(&mut self.rest, &text);
        }
    }

    /// Sorts the kept items. Items beyond those are hashed in the order of their arrival.
    pub(super) fn finish(mut self) -> Sequence {
        self.kept.sort_by_key(|item| item.order);
        let mut hasher = Hasher::new();
        self.kept.iter().for_each(|item| hash(&mut hasher, &item.text));
        hasher.update(self.rest.finalize().as_bytes());
        Sequence { kept: self.kept, count: self.count, digest: hasher.finalize() }
    }
}

/// Includes the length, so that different sequences never hash the same bytes.
fn hash(hasher: &mut Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(items: &[(u64, &str)]) -> Sequence {
        let mut track = Track::default();
        items.iter().for_each(|(order, text)| track.push(*order, 0.0, (*text).to_owned()));
        track.finish()
    }

    #[test]
    fn the_order_counts_not_the_order_of_telling() {
        let one = sequence(&[(1, "a"), (3, "c"), (2, "b")]);
        let other = sequence(&[(10, "a"), (20, "b"), (30, "c")]);
        assert_eq!(one.digest, other.digest);
        let texts: Vec<&str> = one.kept.iter().map(|item| &*item.text).collect();
        assert_eq!(texts, ["a", "b", "c"]);
    }

    #[test]
    fn what_is_told_at_the_same_time_stays_in_order() {
        assert_ne!(sequence(&[(1, "a"), (1, "b")]).digest, sequence(&[(1, "b"), (1, "a")]).digest);
    }

    #[test]
    fn texts_do_not_run_into_each_other() {
        assert_ne!(
            sequence(&[(1, "ab"), (2, "c")]).digest,
            sequence(&[(1, "a"), (2, "bc")]).digest
        );
    }

    #[test]
    fn the_end_of_a_long_sequence_counts_though_it_is_not_kept() {
        let long = |last: &str| {
            let mut track = Track::default();
            (0..Track::KEPT as u64).for_each(|order| track.push(order, 0.0, "x".to_owned()));
            track.push(0, 0.0, last.to_owned());
            track.finish()
        };
        let (one, other) = (long("y"), long("z"));
        assert_eq!(one.digest, long("y").digest);
        assert_ne!(one.digest, other.digest);
        assert_eq!((one.kept.len(), one.count), (Track::KEPT, Track::KEPT as u64 + 1));
    }
}
