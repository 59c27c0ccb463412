//! What came of a run.

use std::{collections::BTreeMap, fmt};

use sansim_lab::{Image, qemu_version};
use sansim_stage::{ExpectationResult, Witness};
use serde::{Deserialize, Serialize};

use crate::{
    exactness::Exactness,
    outcome::Outcomes,
    timings::{CpuSummary, Timings},
};

/// The outcome of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything was as expected.
    Pass,
    /// An expectation did not hold, or the kernel complained.
    Fail,
    /// It failed as it is known to fail on this kernel.
    Known,
    /// It was not run, for a reason that is given.
    Skipped,
    /// The lab failed: no image, no QEMU, a guest that did not boot or died.
    Error,
}

impl Verdict {
    /// The exit code of a program that saw only this (see the README).
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Pass | Verdict::Known | Verdict::Skipped => 0,
            Verdict::Fail => 1,
            Verdict::Error => 3,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Known => "known",
            Verdict::Skipped => "skipped",
            Verdict::Error => "error",
        })
    }
}

/// `summary.json`: the whole run on one page. Its keys are a contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The scenario's file.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// Traps and reports of docs/handlers.md that it shows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
    /// Which run of several of the same it was, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
    /// What came of it.
    pub verdict: Verdict,
    /// Why, when it is not a pass.
    pub reason: Option<String>,
    /// The seed of the run.
    pub seed: u64,
    /// The guest image.
    pub image: String,
    /// `uname -r` of the guest.
    pub kernel: String,
    /// The device handler that the disks' paths have (`dh_state`).
    pub handler: String,
    /// `dmsetup` or `multipathd`.
    pub manager: String,
    /// QEMU's version.
    pub qemu: String,
    /// `kvm` or `tcg`.
    pub accelerator: String,
    /// `real`, or `skip`: an idle guest's time was skipped.
    pub time: String,
    /// Whether the command in `repeat` gives the same `events.ndjson` again, byte for byte, or why it
    /// need not.
    pub exactness: Exactness,
    /// `cold`, `template` or `checkpoint`.
    pub boot: String,
    /// Seconds of the host's time from the run's start to its verdict.
    pub wall_s: f64,
    /// Seconds of scenario time that the story took.
    pub simulated_s: f64,
    /// Seconds of the host's time from the run's start until the guest was ready to be used.
    pub started_s: Option<f64>,
    /// Seconds of the host's time from the run's start to the first I/O on the map.
    pub first_io_s: Option<f64>,
    /// Where the host's time went.
    pub timings: Timings,
    /// CPU time, in seconds.
    pub cpu_s: CpuSummary,
    /// The workload.
    pub io: IoSummary,
    /// Commands of the story by operation and controller: `{"READ(10)": {"A": 120}}`.
    pub commands: BTreeMap<String, BTreeMap<String, u64>>,
    /// All commands of the run, discovery included, by the guest's count and by the array's.
    pub witness: Witness,
    /// How often each fault rule fired.
    pub faults: BTreeMap<String, u64>,
    /// The most pg_init rounds seen between two switches of path groups.
    pub rounds: u32,
    /// What pg_init came to in the story.
    pub outcomes: Outcomes,
    /// Every expectation with what was seen.
    pub expectations: Vec<ExpectationResult>,
    /// What was added to the stock guest.
    pub added_to_guest: Vec<String>,
    /// Memory, in bytes.
    pub memory: MemorySummary,
    /// The command that repeats the run.
    pub repeat: String,
    /// What must be the same for `sansim replay` to give the same.
    pub parts: PartsSummary,
}

/// The parts that the bytes of an exact run depend on, apart from its scenario and its seed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartsSummary {
    /// The version of sansim.
    pub sansim: String,
    /// The version of its protocol with the guest's agent.
    pub protocol: u32,
    /// The first line of `qemu-system-x86_64 --version`: the version, and the package's. Empty where there
    /// was none.
    pub qemu: String,
    /// Names the content of the image: kernel, initramfs with agent and modules, userland.
    pub image: String,
}

impl PartsSummary {
    /// Those of a run on this image, here and now.
    pub fn now(image: &Image) -> Self {
        PartsSummary {
            sansim: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: sansim_protocol::VERSION,
            qemu: qemu_version().unwrap_or_default(),
            image: image.key.clone(),
        }
    }

    /// What is different in others, in words: `QEMU: 7.2.23 instead of 7.2.22`.
    pub fn differences(&self, now: &PartsSummary) -> Vec<String> {
        let protocol = |parts: &PartsSummary| parts.protocol.to_string();
        let pairs = [
            ("sansim", self.sansim.clone(), now.sansim.clone()),
            ("the agent's protocol", protocol(self), protocol(now)),
            ("QEMU", self.qemu.clone(), now.qemu.clone()),
            ("the image's content", self.image.clone(), now.image.clone()),
        ];
        let differ = pairs.into_iter().filter(|(_, was, is)| was != is);
        differ.map(|(what, was, is)| format!("{what}: {is} instead of {was}")).collect()
    }
}

/// The workload's part of a [`Summary`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct IoSummary {
    /// Reads completed.
    pub reads: u64,
    /// Writes completed.
    pub writes: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Blocks that did not hold what they should.
    pub corrupt: u64,
    /// Requests that never completed.
    pub stuck: u64,
    /// The longest gap without a completion while I/O was in flight, in seconds.
    pub longest_stall_s: f64,
    /// Latency percentiles, in seconds.
    pub latency_p50_s: f64,
    /// 99 of 100 requests took no longer.
    pub latency_p99_s: f64,
}

/// Peak resident memory, in bytes; null where it could not be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MemorySummary {
    /// This process, all its runs together.
    pub sansim: Option<u64>,
    /// The run's QEMU.
    pub qemu: Option<u64>,
}
