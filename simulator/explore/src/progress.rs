//! How far an exploration is.

use std::collections::BTreeMap;

use serde::Serialize;

/// How often the finished file is run.
pub const PROOFS: u32 = 10;

/// How far an exploration is.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Progress {
    /// Stories that were told.
    pub stories: u64,
    /// Stories that were told to make findings short.
    pub trials: u64,
    /// Seconds since the beginning.
    pub seconds: f64,
    /// Seconds of the guests' time.
    pub simulated_s: f64,
    /// Behaviours that were seen, by this exploration and earlier ones.
    pub behaviours: usize,
    /// Blocks of the kernel's that were executed, by this exploration and earlier ones, on its images.
    pub blocks: usize,
    /// The blocks of its images' kernels; 0 if it is not looked which are executed.
    pub of_blocks: usize,
    /// Schedules that are kept to be changed.
    pub kept: usize,
    /// What was found, by law.
    pub findings: BTreeMap<String, u64>,
    /// Stories that came to no end, since QEMU, the guest or sansim failed.
    pub died: u64,
    /// Stories that broke a law in a way that is known.
    pub known: u64,
}

impl Progress {
    /// How many stories are told in a minute, those that make findings short included.
    pub fn a_minute(&self) -> f64 {
        let all = (self.stories + self.trials) as f64;
        if self.seconds > 0.0 { all * 60.0 / self.seconds } else { 0.0 }
    }
}
