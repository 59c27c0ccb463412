//! What the lab asks of the agent, and the answers.

use serde::{Deserialize, Serialize};

use crate::{Bytes, Disk, MapSpec, MapStatus, TargetAddress, WorkloadReport, WorkloadSpec};

/// A call with the number its answer will carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the lab, unique within a connection.
    pub id: u64,
    /// What is asked of the agent.
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
        /// Name of the dm device.
        map: String,
    },
    /// Sends a message to target 0 of a map, as `dmsetup message` does.
    Message {
        /// Name of the dm device.
        map: String,
        /// For instance `switch_group 2`.
        message: String,
    },
    /// Reads a map's status and table lines. Answered with [`Answer::Map`].
    Status {
        /// Name of the dm device.
        map: String,
    },
    /// Starts the workload on a map.
    StartWorkload(WorkloadSpec),
    /// Stops submitting, waits for what is in flight, reads back every block that was written and
    /// compares. Answered with [`Answer::Workload`].
    StopWorkload {
        /// Name of the dm device.
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
        /// How large the terminal is at first.
        size: TerminalSize,
    },
    /// Somebody types on a terminal.
    Type {
        /// The number from [`Answer::Terminal`].
        terminal: u32,
        /// What, at most 4096 bytes.
        bytes: Bytes,
    },
    /// A terminal has another size.
    ResizeTerminal {
        /// The number from [`Answer::Terminal`].
        terminal: u32,
        /// How large it is from now on; the program is sent SIGWINCH.
        size: TerminalSize,
    },
    /// Somebody hangs up: the program is sent SIGHUP. One that has ended already is no error.
    CloseTerminal {
        /// The number from [`Answer::Terminal`].
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
        /// What is written, in place of what is there.
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
        /// The seed of the run, so that runs differ by it.
        seed: u64,
    },
    /// Powers the guest off. There is no answer.
    PowerOff,
}

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    /// How many lines it has.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

/// The answer to one [`Request`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// [`Request::id`] of the call.
    pub id: u64,
    /// Whether it was carried out, and what came of it.
    #[serde(flatten)]
    pub result: CallResult,
}

/// What comes back for a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallResult {
    /// It was carried out.
    Ok(Answer),
    /// It was not, or not all of it.
    Failed(Failure),
}

/// Why a call was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What programs may go by.
    pub kind: FailureKind,
    /// For people: what was tried, on what, and the kernel's own reason where there is one.
    pub why: String,
}

/// What whoever asks may have to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The kernel has no module of that name or alias, neither as a file nor built in.
    NoModule,
    /// Anything that nobody has to tell apart.
    Other,
}

impl Failure {
    /// A failure of which nobody needs to know more than the sentence.
    pub fn new(why: impl Into<String>) -> Failure {
        Failure { kind: FailureKind::Other, why: why.into() }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

/// What a call answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Done, nothing to tell.
    Done,
    /// To [`Call::Hello`]: who it is, its first line has said.
    Hello {
        /// The guest's `CLOCK_MONOTONIC` at this moment, in nanoseconds.
        now_ns: u64,
    },
    /// To [`Call::Scan`]: every disk, sorted by address.
    Disks {
        /// Those that have a node in `/dev` by now.
        disks: Vec<Disk>,
    },
    /// To [`Call::BuildMap`] and [`Call::Status`].
    Map(MapStatus),
    /// To [`Call::StopWorkload`]: the final account.
    Workload(WorkloadReport),
    /// To [`Call::Run`]: the program has ended, or was killed.
    Ran {
        /// Exit code; null when it was killed by a signal or by its time limit.
        code: Option<i32>,
        /// Standard output, lossily decoded, at most 64 KiB.
        stdout: String,
        /// Standard error, the same way.
        stderr: String,
    },
    /// To [`Call::OpenTerminal`]: the program runs.
    Terminal {
        /// Its number, of which no other is in this guest.
        terminal: u32,
    },
    /// To [`Call::Sent`]: counts since the SCSI modules were loaded.
    Sent(Sent),
    /// To [`Call::ListDirectory`]: files, directories and links alike.
    Names {
        /// Without the directory; lossily decoded.
        names: Vec<String>,
    },
    /// To [`Call::ReadFile`]: its beginning, if it is longer.
    Text {
        /// What was read, lossily decoded.
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
