//! All choices come from one seed.

use std::time::Duration;

use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

/// The source of the choices.
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Chance(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number from `least` to `most`.
    pub(crate) fn number(&mut self, least: usize, most: usize) -> usize {
        self.0.random_range(least..=most)
    }

    /// A moment from now to `most` from now. The cube makes early ones, in which more happens, frequent.
    pub(crate) fn moment(&mut self, most: Duration) -> Duration {
        let part: f64 = self.0.random();
        most.mul_f64(part.powi(3))
    }

    /// One of these.
    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        of.choose(&mut self.0).expect("something to choose from")
    }
}
