//! One sequence of what a run told.

use blake3::{Hash, Hasher};

/// What was told, and when.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// Its place among the others; equals stay as they came.
    order: u64,
    /// Scenario seconds, for the report only.
    pub(super) t: f64,
    pub(super) text: Box<str>,
}

/// A sequence while it grows. Its beginning is kept, the rest only counted and hashed.
#[derive(Debug, Default)]
pub(super) struct Track {
    kept: Vec<Item>,
    count: u64,
    rest: Hasher,
}

/// A whole sequence.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    /// The beginning of it, in order.
    pub(super) kept: Vec<Item>,
    /// How many items there are in all.
    pub(super) count: u64,
    /// Of all items.
    pub(super) digest: Hash,
}

impl Track {
    /// Items that are kept, to tell where two sequences part; some ten megabytes of commands.
    pub(super) const KEPT: usize = 100_000;

    pub(super) fn push(&mut self, order: u64, t: f64, text: String) {
        self.count += 1;
        if self.kept.len() < Self::KEPT {
            self.kept.push(Item { order, t, text: text.into_boxed_str() });
        } else {
            hash(&mut self.rest, &text);
        }
    }

    /// Puts the items into their order. Those that were not kept stay in the order in which they came.
    pub(super) fn finish(mut self) -> Sequence {
        self.kept.sort_by_key(|item| item.order);
        let mut hasher = Hasher::new();
        self.kept.iter().for_each(|item| hash(&mut hasher, &item.text));
        hasher.update(self.rest.finalize().as_bytes());
        Sequence { kept: self.kept, count: self.count, digest: hasher.finalize() }
    }
}

/// With its length, so that no two sequences of texts are the same bytes.
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
