//! What the lab asks of the agent, and the answers.

use serde::{Deserialize, Serialize};

use crate::Bytes;

/// A call with the number its answer will carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the lab, unique within a connection.
    pub id: u64,
    /// What is asked.
    pub call: Call,
}

/// What the lab can ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum Call {
    /// Who are you, and what time is it? Answered with [`Answer::Hello`].
    Hello,
    /// Loads kernel modules, dependencies first; one that is loaded already is no error.
    LoadModules {
        /// Module names or aliases as `modprobe` takes them, for instance `scsi_dh_rdac`; a name may
        /// be followed by parameters, `dm_multipath queue_if_no_path_timeout_secs=5`.
        modules: Vec<String>,
    },
    /// Scans exactly these targets and waits until their disks exist. Answered with
    /// [`Answer::Disks`].
    Scan {
        /// The targets of the HBAs that are plugged.
        targets: Vec<TargetAddress>,
        /// How many disks must appear in all before the scan counts as complete.
        expect_disks: usize,
        /// How long to wait for them, in milliseconds.
        timeout_ms: u64,
    },
    /// Creates and activates a multipath map. Answered with [`Answer::Map`].
    BuildMap(MapSpec),
    /// Removes a map; queued I/O is failed first.
    RemoveMap {
        /// The map's name.
        map: String,
    },
    /// Sends a message to target 0 of a map, as `dmsetup message` does.
    Message {
        /// The map's name.
        map: String,
        /// For instance `switch_group 2`.
        message: String,
    },
    /// Reads a map's status and table lines. Answered with [`Answer::Map`].
    Status {
        /// The map's name.
        map: String,
    },
    /// Starts the workload on a map.
    StartWorkload(WorkloadSpec),
    /// Stops submitting, waits for what is in flight, reads back every block that was written and
    /// compares. Answered with [`Answer::Workload`].
    StopWorkload {
        /// The map's name.
        map: String,
        /// How long to wait for I/O in flight, in milliseconds. What is still in flight then is
        /// counted in [`WorkloadReport::stuck`], and nothing is read back. Reading back ends when
        /// nothing has completed for as long.
        timeout_ms: u64,
    },
    /// Runs a program of the guest's userland. Answered with [`Answer::Ran`].
    Run {
        /// The program and its arguments; no shell is involved.
        argv: Vec<String>,
        /// Killed after so many milliseconds.
        timeout_ms: u64,
    },
    /// Starts a program of the guest's userland that is to go on until the guest ends. What it says
    /// on standard output and error comes as [`Happening::Said`](crate::Happening), line by line; so
    /// does its end.
    StartDaemon {
        /// What to call it in what it says.
        name: String,
        /// The program and its arguments; it must stay in the foreground.
        argv: Vec<String>,
    },
    /// Starts a program of the guest's userland in a terminal of its own. Answered with
    /// [`Answer::Terminal`]; what it shows and its end are [`Happening::Shown`](crate::Happening) and
    /// [`Happening::TerminalClosed`](crate::Happening).
    OpenTerminal {
        /// The program and its arguments.
        argv: Vec<String>,
        /// The value of TERM.
        term: String,
        /// Its size.
        size: TerminalSize,
    },
    /// Somebody types on a terminal.
    Type {
        /// Which.
        terminal: u32,
        /// What, at most 4096 bytes.
        bytes: Bytes,
    },
    /// A terminal has another size.
    ResizeTerminal {
        /// Which.
        terminal: u32,
        /// The size.
        size: TerminalSize,
    },
    /// Somebody hangs up: the program is sent SIGHUP. One that has ended already is no error.
    CloseTerminal {
        /// Which.
        terminal: u32,
    },
    /// The names in a directory of the guest, sorted. Answered with [`Answer::Names`].
    ListDirectory {
        /// Absolute path in the guest; the userland's files are under [`USERLAND`](crate::USERLAND).
        path: String,
    },
    /// Writes a file of the guest (sysfs, module parameters).
    WriteFile {
        /// Absolute path in the guest; the userland's files are under [`USERLAND`](crate::USERLAND).
        path: String,
        /// Its new contents.
        text: String,
    },
    /// Reads a file of the guest, at most 64 KiB. Answered with [`Answer::Text`].
    ReadFile {
        /// Absolute path in the guest.
        path: String,
    },
    /// How many commands have gone out to the HBAs? Answered with [`Answer::Sent`].
    Sent,
    /// Mixes a number into the kernel's pool of randomness.
    Seed {
        /// The run's seed.
        seed: u64,
    },
    /// Powers the guest off. There is no answer.
    PowerOff,
}

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

/// A target of one HBA, as the guest addresses it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetAddress {
    /// The HBA's PCI address, `0000:00:10.0`.
    pub hba: String,
    /// SCSI target id on that HBA.
    pub target: u8,
}

/// One path: a target and a LUN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PathAddress {
    /// The target.
    #[serde(flatten)]
    pub target: TargetAddress,
    /// The LUN number seen there.
    pub lun: u16,
}

/// A multipath map to build, in terms of paths rather than of device numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapSpec {
    /// Name of the dm device.
    pub map: String,
    /// Feature words, for instance `["queue_if_no_path", "pg_init_retries", "5"]`.
    pub features: Vec<String>,
    /// Hardware handler with its arguments, for instance `["rdac"]`; empty for none.
    pub handler: Vec<String>,
    /// Path selector with its arguments, for instance `["service-time"]`.
    pub selector: Vec<String>,
    /// Path groups in order of preference.
    pub groups: Vec<Vec<PathAddress>>,
}

/// The I/O to run against a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkloadSpec {
    /// The map's name.
    pub map: String,
    /// What to do.
    pub pattern: Pattern,
    /// Bytes a request; a multiple of 4096.
    pub block_bytes: u32,
    /// Requests in flight at most.
    pub queue_depth: u32,
    /// The part of the map that is used, in bytes from its start.
    pub region_bytes: u64,
    /// Share of reads, in percent.
    pub read_percent: u8,
    /// Requests a second at most; 0 is unlimited.
    pub rate: u32,
    /// Requests that go out together when there is a rate.
    pub burst: u32,
    /// Seed of the sequence of operations and addresses.
    pub seed: u64,
    /// A gap without any completion while I/O is in flight is reported as a stall from here, in
    /// milliseconds.
    pub stall_ms: u64,
}

/// What a workload does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// Reads and writes generation-stamped blocks at random; every byte read is checked.
    Verify,
    /// Reads at random, without checking what was never written.
    Read,
}

/// The answer to one [`Request`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The request's number.
    pub id: u64,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Success with an answer, or the reason of the failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Ok(Answer),
    /// It was not; a sentence fit for the user, with the kernel's own reason where there is one.
    Failed(String),
}

/// What a call answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Done, nothing to tell.
    Done,
    /// To [`Call::Hello`].
    Hello {
        /// `CLOCK_MONOTONIC` in nanoseconds.
        now_ns: u64,
    },
    /// To [`Call::Scan`]: every disk, sorted by address.
    Disks {
        /// The disks.
        disks: Vec<Disk>,
    },
    /// To [`Call::BuildMap`] and [`Call::Status`].
    Map(MapStatus),
    /// To [`Call::StopWorkload`].
    Workload(WorkloadReport),
    /// To [`Call::Run`].
    Ran {
        /// Exit code; null when it was killed by a signal or by its time limit.
        code: Option<i32>,
        /// Standard output, lossily decoded, at most 64 KiB.
        stdout: String,
        /// Standard error, the same way.
        stderr: String,
    },
    /// To [`Call::OpenTerminal`].
    Terminal {
        /// Its number, of which no other is in this guest.
        terminal: u32,
    },
    /// To [`Call::Sent`].
    Sent(Sent),
    /// To [`Call::ListDirectory`].
    Names {
        /// The names.
        names: Vec<String>,
    },
    /// To [`Call::ReadFile`].
    Text {
        /// The file's contents.
        text: String,
    },
}

/// What the guest's kernel says it has sent, by its tracepoints. Since the SCSI modules were loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Commands dispatched to an HBA's driver (`scsi:scsi_dispatch_cmd_start`).
    pub dispatched: u64,
    /// Of these, the ones that the driver gave back because its queue was full
    /// (`scsi:scsi_dispatch_cmd_error`).
    pub refused: u64,
    /// Commands of the error handler, which are not dispatched like others (a probe on
    /// `scsi_send_eh_cmnd`); null where the kernel has no probes.
    pub recovery: Option<u64>,
}

impl Sent {
    /// Commands that must have reached the array.
    pub fn total(&self) -> u64 {
        self.dispatched.saturating_sub(self.refused) + self.recovery.unwrap_or(0)
    }
}

/// A disk of the guest: one path to one LUN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Which path it is.
    pub path: PathAddress,
    /// Kernel name, `sda`.
    pub name: String,
    /// `major:minor`.
    pub dev: String,
    /// Size in 512-byte sectors.
    pub sectors: u64,
    /// Vendor of the INQUIRY data, trimmed.
    pub vendor: String,
    /// Product of the INQUIRY data, trimmed.
    pub model: String,
    /// `dh_state`: the attached device handler, or `detached`.
    pub handler: String,
    /// `access_state`, where the handler has one.
    pub access_state: Option<String>,
}

/// A multipath map as the kernel shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapStatus {
    /// Name of the dm device.
    pub map: String,
    /// Kernel name, `dm-0`.
    pub name: String,
    /// The table line as the kernel shows it, without start and length: `multipath 1 …`.
    pub table: String,
    /// The status line as read, without start and length: `multipath 2 …`.
    pub line: String,
    /// `pg_init_count`: rounds since the last switch of path groups.
    pub rounds: u32,
    /// QUEUE_IO: I/O is held until pg_init is done.
    pub queueing: bool,
    /// The current path group, counted from 1.
    pub current_group: u32,
    /// The path groups in table order.
    pub groups: Vec<GroupStatus>,
}

/// One path group of a [`MapStatus`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupStatus {
    /// State letter of the status line: `A` current, `E` enabled, `D` bypassed.
    pub state: char,
    /// Its paths in table order.
    pub paths: Vec<PathStatus>,
}

/// One path of a [`GroupStatus`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathStatus {
    /// `major:minor`.
    pub dev: String,
    /// State letter of the status line: `A` active, `F` failed.
    pub state: char,
    /// How often it has failed since the table was loaded.
    pub fail_count: u32,
}

/// What a workload did and saw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkloadReport {
    /// Reads completed, the final read-back included.
    pub reads: u64,
    /// Writes completed.
    pub writes: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Requests still in flight when the wait ended.
    pub stuck: u64,
    /// Blocks that were written and could not be read back: I/O was stuck, the read failed or did
    /// not end in time. Nothing is known about them.
    #[serde(default)]
    pub unchecked: u64,
    /// Blocks that did not hold what they should, by kind.
    pub corrupt: Corruption,
    /// The longest gap without a completion while I/O was in flight, in nanoseconds.
    pub longest_stall_ns: u64,
    /// Latency percentiles.
    pub latency: Latency,
}

/// Latencies from submission to completion, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the requests took no longer.
    pub p50_ns: u64,
    /// 99 of 100 took no longer.
    pub p99_ns: u64,
    /// The slowest.
    pub max_ns: u64,
}

/// Blocks found wrong, by what was wrong with them. A block is counted once until it is written
/// again, however often it is read.
///
/// A write that failed may have reached the disk or not, whole or in part: until the next write of
/// the block succeeds, the old and the new generation are both accepted, sector by sector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corruption {
    /// An older generation than one that had been read back already: newer data was there and is
    /// gone.
    pub stale: u64,
    /// Sectors of different generations in one block.
    pub torn: u64,
    /// Intact data that was written to another address, of this map or of another.
    pub misplaced: u64,
    /// A write that was acknowledged and never seen: the block still holds what was there before.
    pub lost: u64,
    /// Bytes that no write of this run produced.
    pub garbled: u64,
}

impl Corruption {
    /// All kinds together.
    pub fn total(&self) -> u64 {
        self.stale + self.torn + self.misplaced + self.lost + self.garbled
    }
}
