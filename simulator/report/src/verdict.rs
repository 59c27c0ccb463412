//! The verdict and the summary of a run.

use std::{collections::BTreeMap, fmt};

use sansim_lab::{Image, plain_image, qemu_version};
use sansim_stage::{ExpectationResult, Idle, Witness};
use serde::{Deserialize, Serialize};

use crate::{
    exactness::Exactness,
    outcome::Outcomes,
    pause::Pause,
    timings::{CpuSummary, Timings},
};

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All expectations hold, and all that the scenario has was used.
    Pass,
    /// An expectation does not hold, a step failed, the kernel logged a warning that is not allowed, or
    /// something of the scenario tested nothing.
    Fail,
    /// It failed, as is known for these versions of kernel or multipath-tools, with the known symptom.
    Known,
    /// It was not run, for the reason in the summary.
    Skipped,
    /// The lab failed: no image, no QEMU, or the guest did not boot or died.
    Error,
}

impl Verdict {
    /// The exit code for this verdict alone (see the README).
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

/// The contents of `summary.json`. Its keys are a contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The scenario's file.
    pub scenario: String,
    /// The scenario's title.
    pub title: String,
    /// The traps and reports in docs/handlers.md that the scenario covers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
    /// Number of the run with `--repeat`, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
    /// The run's verdict.
    pub verdict: Verdict,
    /// The reason for any verdict except pass.
    pub reason: Option<String>,
    /// The seed of the run.
    pub seed: u64,
    /// Label of the guest image.
    pub image: String,
    /// `uname -r` of the guest.
    pub kernel: String,
    /// The device handlers attached to the disks (`dh_state` in sysfs).
    pub handler: String,
    /// `dmsetup` or `multipathd`.
    pub manager: String,
    /// QEMU's version.
    pub qemu: String,
    /// `kvm` or `tcg`.
    pub accelerator: String,
    /// `real`, or `skip` if the guest's idle time was skipped.
    pub time: String,
    /// Whether the command in `repeat` gives the same `events.ndjson`, byte for byte, or why it may differ.
    pub exactness: Exactness,
    /// `cold`, `template` or `checkpoint`.
    pub boot: String,
    /// Seconds of the host's time from the run's start to its verdict.
    pub wall_s: f64,
    /// Seconds of scenario time that the story took.
    pub simulated_s: f64,
    /// Seconds of the host's time from the run's start until the guest was ready.
    pub started_s: Option<f64>,
    /// Seconds of the host's time from the run's start to the first I/O on the map.
    pub first_io_s: Option<f64>,
    /// The host's time for each part of the run.
    pub timings: Timings,
    /// CPU time, in seconds.
    pub cpu_s: CpuSummary,
    /// The workload's counters and latencies.
    pub io: IoSummary,
    /// The longest pause of the I/O, with its causes; null if there was none.
    pub pause: Option<Pause>,
    /// The number of the story's commands by operation and controller: `{"READ(10)": {"A": 120}}`.
    pub commands: BTreeMap<String, BTreeMap<String, u64>>,
    /// The number of all commands of the run, including discovery, as counted by the guest and by the array.
    pub witness: Witness,
    /// How often each fault rule fired, by its name.
    pub faults: BTreeMap<String, u64>,
    /// The most pg_init rounds seen between two switches of path groups.
    pub rounds: u32,
    /// The outcomes of the story.
    pub outcomes: Outcomes,
    /// Every expectation with its result.
    pub expectations: Vec<ExpectationResult>,
    /// What of the scenario came to nothing, so that it tested nothing.
    pub idle: Vec<Idle>,
    /// What was not complete when the story began: `the map of LUN 0 has 1 of 4 paths (lun0)`.
    pub incomplete: Vec<String>,
    /// Everything in the guest that is not from its distribution.
    pub added_to_guest: Vec<String>,
    /// The traffic for Wireshark, if it was captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<CaptureSummary>,
    /// Peak memory use.
    pub memory: MemorySummary,
    /// The command that repeats the run.
    pub repeat: String,
    /// The versions that must be the same for an identical `sansim replay`.
    pub parts: PartsSummary,
}

/// The capture of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaptureSummary {
    /// Its name in the run's directory.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether it ends before the run does, because it reached its limit.
    pub cut: bool,
}

impl fmt::Display for CaptureSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} KiB", self.file, self.bytes.div_ceil(1024))?;
        if self.cut {
            f.write_str(", which ends before the run, since it has reached its limit")?;
        }
        Ok(())
    }
}

/// What the events of an exact run depend on, apart from scenario and seed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartsSummary {
    /// The version of sansim.
    pub sansim: String,
    /// The version of the protocol between sansim and the guest's agent.
    pub protocol: u32,
    /// The first line of `qemu-system-x86_64 --version`, with the version of QEMU and of its package. Empty if
    /// it could not be run.
    pub qemu: String,
    /// Identifies the contents of the image: kernel, initramfs with agent and modules, userland.
    pub image: String,
}

impl Summary {
    /// The image that was asked for: without the packages and modules that the scenario adds to it
    /// (`bookworm~ext4.ko`).
    pub(crate) fn base_image(&self) -> &str {
        plain_image(&self.image)
    }
}

impl PartsSummary {
    /// The current parts on this host, with this image.
    pub fn now(image: &Image) -> Self {
        PartsSummary {
            sansim: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: sansim_protocol::VERSION,
            qemu: qemu_version().unwrap_or_default(),
            image: image.key.clone(),
        }
    }

    /// The differences from `now`, in words: `QEMU: 7.2.23 instead of 7.2.22`.
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
    /// Number of completed reads.
    pub reads: u64,
    /// Number of completed writes.
    pub writes: u64,
    /// Number of failed requests.
    pub errors: u64,
    /// Number of blocks with wrong contents.
    pub corrupt: u64,
    /// Number of requests that never completed.
    pub stuck: u64,
    /// The longest gap without a completion while I/O was in flight, in seconds.
    pub longest_stall_s: f64,
    /// Median latency, in seconds.
    pub latency_p50_s: f64,
    /// 99th percentile of the latency, in seconds.
    pub latency_p99_s: f64,
}

/// Peak resident memory, in bytes; null if it could not be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MemorySummary {
    /// sansim itself, with all its runs.
    pub sansim: Option<u64>,
    /// The run's QEMU.
    pub qemu: Option<u64>,
}
