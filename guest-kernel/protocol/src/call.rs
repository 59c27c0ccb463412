//! The lab's calls to the agent, and the agent's replies.

use serde::{Deserialize, Serialize};

use crate::{
    Bytes, Disk, MapSpec, MapStatus, ProgramEnd, TargetAddress, WorkloadReport, WorkloadSpec,
};

/// A call, with the number that its reply repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the lab; unique within a connection.
    pub id: u64,
    /// The operation, with its arguments.
    pub call: Call,
}

/// The calls that the agent implements. A call without "Answered with" is answered with [`Answer::Done`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum Call {
    /// Checks that the agent answers, and asks for its time. Answered with [`Answer::Hello`].
    Hello,
    /// Loads kernel modules with their dependencies. A module that is loaded already is no error.
    LoadModules {
        /// Module names or aliases as for modprobe(8), for instance `scsi_dh_rdac`. Parameters may follow a
        /// name: `dm_multipath queue_if_no_path_timeout_secs=5`.
        modules: Vec<String>,
    },
    /// Scans exactly these targets and waits until their disks exist, as long as it may. Answered with
    /// [`Answer::Disks`], whatever is there then.
    Scan {
        /// The targets to scan, in this order, one after the other.
        targets: Vec<TargetAddress>,
        /// How many disks the guest must have in total before the scan is complete.
        expect_disks: usize,
        /// Time limit in milliseconds, after which what is there is the answer.
        timeout_ms: u64,
    },
    /// Creates and activates a multipath map. Answered with [`Answer::Map`].
    BuildMap(MapSpec),
    /// Removes a map. Its queued I/O is failed first.
    RemoveMap {
        /// Name of the dm device.
        map: String,
    },
    /// Sends a message to the target at sector 0 of a map, like `dmsetup message MAP 0 MESSAGE`.
    Message {
        /// Name of the dm device.
        map: String,
        /// The message, for instance `switch_group 2`.
        message: String,
    },
    /// Reads a map's status and table lines. Answered with [`Answer::Map`].
    Status {
        /// Name of the dm device.
        map: String,
    },
    /// Reads the status and table lines of all multipath maps. Answered with [`Answer::Maps`].
    Maps,
    /// Starts the workload of a map, which must have none.
    StartWorkload(WorkloadSpec),
    /// Stops submitting, waits for I/O in flight, reads back every block that was written and compares.
    /// Answered with [`Answer::Workload`].
    StopWorkload {
        /// Name of the dm device.
        map: String,
        /// How long to wait for I/O in flight, in milliseconds. What is still in flight after that is
        /// counted in [`WorkloadReport::stuck`], and nothing is read back. Reading back ends when nothing
        /// completes for that long.
        timeout_ms: u64,
    },
    /// Runs a program of the guest's userland and waits until it ends. Answered with [`Answer::Ran`].
    Run {
        /// The program and its arguments. No shell is involved.
        argv: Vec<String>,
        /// Time limit in milliseconds, after which the process group is killed.
        timeout_ms: u64,
    },
    /// Starts a program of the guest's userland that runs until the guest ends. Its standard output and
    /// error are reported line by line as [`Happening::Said`](crate::Happening), and so is its exit.
    StartDaemon {
        /// The name under which its output is reported.
        name: String,
        /// The program and its arguments. The program must stay in the foreground.
        argv: Vec<String>,
    },
    /// Starts a program of the guest's userland in a new terminal. Answered with [`Answer::Terminal`]. Its
    /// output and its end are reported as [`Happening::Shown`](crate::Happening) and
    /// [`Happening::TerminalClosed`](crate::Happening).
    OpenTerminal {
        /// The program and its arguments. No shell is involved.
        argv: Vec<String>,
        /// The value of `$TERM`, for instance `xterm-256color`.
        term: String,
        /// The terminal's initial size.
        size: TerminalSize,
    },
    /// Writes input to a terminal.
    Type {
        /// The number from [`Answer::Terminal`].
        terminal: u32,
        /// The input, at most 4096 bytes.
        bytes: Bytes,
    },
    /// Changes the size of a terminal. The program gets SIGWINCH.
    ResizeTerminal {
        /// The number from [`Answer::Terminal`].
        terminal: u32,
        /// The new size, for TIOCSWINSZ.
        size: TerminalSize,
    },
    /// Hangs up a terminal: its process group gets SIGHUP. A terminal that is closed already is no error.
    CloseTerminal {
        /// The number from [`Answer::Terminal`].
        terminal: u32,
    },
    /// Lists a directory of the guest. Answered with [`Answer::Names`].
    ListDirectory {
        /// Absolute path in the guest. The userland is mounted at [`USERLAND`](crate::USERLAND).
        path: String,
    },
    /// Writes a file of the guest, for instance in sysfs. Missing directories are created in the userland
    /// only.
    WriteFile {
        /// Absolute path in the guest. The userland is mounted at [`USERLAND`](crate::USERLAND).
        path: String,
        /// The new contents, in place of the old ones.
        text: String,
    },
    /// Reads the first 64 KiB of a file of the guest. Answered with [`Answer::Text`].
    ReadFile {
        /// Absolute path in the guest. The userland is mounted at [`USERLAND`](crate::USERLAND).
        path: String,
    },
    /// Reads a part of a file of the guest. Answered with [`Answer::Part`].
    ReadPart {
        /// Absolute path in the guest. The userland is mounted at [`USERLAND`](crate::USERLAND).
        path: String,
        /// Where the part begins, in bytes.
        offset: u64,
        /// The most bytes to read, at most 128 KiB.
        length: u32,
    },
    /// Writes a part of a file of the guest. Missing directories are created in the userland only. A file
    /// that begins like a program (ELF, or `#!`) is made executable.
    WritePart {
        /// Absolute path in the guest. The userland is mounted at [`USERLAND`](crate::USERLAND).
        path: String,
        /// Where the part begins, in bytes. The old contents are dropped if this is 0.
        offset: u64,
        /// The contents of the part, at most 128 KiB.
        bytes: Bytes,
    },
    /// Reads the counters of commands sent to HBAs. Answered with [`Answer::Sent`].
    Sent,
    /// Mixes a seed into the kernel's entropy pool (random(4)).
    Seed {
        /// The seed of the run.
        seed: u64,
    },
    /// Powers the guest off. This call has no reply.
    PowerOff,
}

/// The size of a terminal in characters, as in `struct winsize`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    /// Number of lines (`ws_row`).
    pub rows: u16,
    /// Characters per line (`ws_col`).
    pub columns: u16,
}

/// The reply to one [`Request`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// [`Request::id`] of the call.
    pub id: u64,
    /// The answer, or why the call failed.
    #[serde(flatten)]
    pub result: CallResult,
}

/// Success or failure of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallResult {
    /// The call succeeded; its result.
    Ok(Answer),
    /// The call failed, or only a part of it was done.
    Failed(Failure),
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of failure, for programs.
    pub kind: FailureKind,
    /// A sentence for people: what was tried, on what, and the kernel's own reason if there is one.
    pub why: String,
}

/// Kinds of failure that the lab must distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The kernel has no module with this name or alias, neither as a file nor built in.
    NoModule,
    /// Any other failure; only `why` describes it.
    Other,
}

impl Failure {
    /// A failure of the kind [`Other`](FailureKind::Other).
    pub fn new(why: impl Into<String>) -> Failure {
        Failure { kind: FailureKind::Other, why: why.into() }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

/// The results of successful calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Success without a result.
    Done,
    /// To [`Call::Hello`]. [`FromAgent::Ready`](crate::FromAgent::Ready) has the version and the kernel's
    /// release.
    Hello {
        /// The guest's `CLOCK_MONOTONIC` at this moment, in nanoseconds.
        now_ns: u64,
    },
    /// Result of [`Call::Scan`].
    Disks {
        /// All disks that have a node in `/dev`, sorted by address.
        disks: Vec<Disk>,
        /// Why there are fewer than expected, in words; null if there are as many.
        missing: Option<String>,
    },
    /// To [`Call::BuildMap`] and [`Call::Status`].
    Map(MapStatus),
    /// To [`Call::Maps`].
    Maps {
        /// The multipath maps that have a table, in the order of their names.
        maps: Vec<MapStatus>,
    },
    /// To [`Call::StopWorkload`]: the final report.
    Workload(WorkloadReport),
    /// To [`Call::Run`]: the program ended, or was killed.
    Ran(ProgramEnd),
    /// To [`Call::OpenTerminal`]: the program was started.
    Terminal {
        /// The terminal's number, unique in this guest.
        terminal: u32,
    },
    /// Result of [`Call::Sent`].
    Sent(Sent),
    /// To [`Call::ListDirectory`]: names of files, directories and links.
    Names {
        /// Sorted names, without the directory. Invalid UTF-8 is replaced by U+FFFD.
        names: Vec<String>,
    },
    /// Result of [`Call::ReadPart`].
    Part {
        /// The contents of the part; none at the end of the file.
        bytes: Bytes,
    },
    /// Result of [`Call::ReadFile`].
    Text {
        /// At most the first 64 KiB. Invalid UTF-8 is replaced by U+FFFD.
        text: String,
    },
}

/// How many SCSI commands the kernel has sent since the SCSI modules were loaded, counted by tracepoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Commands dispatched to an HBA's driver (tracepoint `scsi:scsi_dispatch_cmd_start`).
    pub dispatched: u64,
    /// How many of these the driver rejected because its queue was full (tracepoint
    /// `scsi:scsi_dispatch_cmd_error`).
    pub refused: u64,
    /// Commands of the error handler, which the tracepoints miss (a kprobe on `scsi_send_eh_cmnd`); null if
    /// the kernel has no kprobes.
    pub recovery: Option<u64>,
}

impl Sent {
    /// Commands that must have reached the array: dispatched and not rejected, plus the error handler's.
    pub fn total(&self) -> u64 {
        self.dispatched.saturating_sub(self.refused) + self.recovery.unwrap_or(0)
    }
}
