//! The lab's errors. Every message says what the user can do.

use std::{io, path::PathBuf};

use sansim_protocol::FailureKind;

use crate::ExitReason;

/// Why the lab could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A program is not installed on the host.
    #[error("{program} was not found: apt-get install {package}")]
    MissingTool {
        /// The program's name, as in `$PATH`.
        program: String,
        /// The package that contains it on Debian and Ubuntu.
        package: String,
    },
    /// A host program failed.
    #[error("{program} failed ({status}):\n{output}")]
    ToolFailed {
        /// The program's name, as in `$PATH`.
        program: String,
        /// The exit status in words: `exit status: 1`.
        status: String,
        /// The last lines of its standard error.
        output: String,
    },
    /// The agent binary was not found.
    #[error(
        "the guest agent was not found ({looked}): build it with `cargo build --release -p sansim-agent`, \
         or name it in $SANSIM_AGENT"
    )]
    MissingAgent {
        /// The places that were searched.
        looked: String,
    },
    /// The agent binary is unusable.
    #[error("the guest agent {path} cannot be used: {why}")]
    BadAgent {
        /// The file, or its name for the user.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is no image with this name.
    #[error("there is no image `{name}`: known are {known}")]
    UnknownImage {
        /// The name that the user requested.
        name: String,
        /// The names of all images, separated by commas.
        known: String,
    },
    /// The name is not allowed for an image.
    #[error("`{name}` cannot be an image's name: {why}")]
    BadImageName {
        /// The name that the user requested.
        name: String,
        /// The reason, with an alternative if there is one.
        why: String,
    },
    /// Another process has the lock.
    #[error("{what} is in use by another sansim{who}: try again when that has ended")]
    Busy {
        /// What is locked: `the image bookworm`.
        what: String,
        /// The processes that hold it, in parentheses, as far as they can be seen.
        who: String,
    },
    /// The kernel is unusable.
    #[error("the kernel {path} cannot be used: {why}")]
    BadKernel {
        /// The file, on the host or in the archive.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A module, or the set of modules, is unusable.
    #[error("the kernel modules cannot be used: {why}")]
    BadModules {
        /// What is wrong with it.
        why: String,
    },
    /// A Debian package is unusable.
    #[error("the package {path} cannot be used: {why}")]
    BadPackage {
        /// The file, or its name for the user.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A userland is unusable.
    #[error("the userland {path} cannot be used: {why}")]
    BadUserland {
        /// The directory or archive.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// An initramfs is unusable.
    #[error("the initrd {path} cannot be used: {why}")]
    BadInitrd {
        /// The file, or its name for the user.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// This kernel, these modules and this userland cannot be combined.
    #[error("{why}")]
    BadParts {
        /// The reason, with an alternative.
        why: String,
    },
    /// The distribution of an image does not have a package that is to be added to it.
    #[error("the distribution of {image} has no package {package}")]
    NoPackage {
        /// The image, with what was to be added.
        image: String,
        /// The package.
        package: String,
    },
    /// No package mirror could be reached.
    #[error(
        "the packages of {image} could not be fetched, since no mirror was reached ({why}); images that are built already \
         run without one: `sansim image list`"
    )]
    NoMirror {
        /// The image whose packages were to be downloaded.
        image: String,
        /// The first line of apt's output about it.
        why: String,
    },
    /// The disk is full (ENOSPC or EDQUOT).
    #[error(
        "no space is left for {path}: free some, or set $SANSIM_CACHE to a directory on another disk"
    )]
    DiskFull {
        /// The file that was being written.
        path: PathBuf,
    },
    /// The host lets this process have too little for a run.
    #[error("a run needs {needed} {what}, and there are {left}: raise {how}")]
    HostShort {
        /// What there is too little of: `file descriptors`.
        what: &'static str,
        /// What the user raises.
        how: &'static str,
        /// How much a run needs, with this process.
        needed: u64,
        /// How much there is.
        left: u64,
    },
    /// The host has nothing left of something (EMFILE, ENFILE, ENOMEM, EAGAIN).
    #[error("the host has no {what} left ({doing} {path}): end something else, or run fewer jobs")]
    HostFull {
        /// What has run out: `memory`.
        what: &'static str,
        /// The operation: "cannot read", "cannot create"…
        doing: &'static str,
        /// The file, or its name for the user.
        path: PathBuf,
    },
    /// A file operation failed.
    #[error("{doing} {path}: {source}")]
    File {
        /// The operation: "cannot read", "cannot create"…
        doing: &'static str,
        /// The file, or its name for the user.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// The memory of a saved guest could not be restored.
    #[error("cannot restore the memory from {path}: {source}")]
    Memory {
        /// The file, or its name for the user.
        path: PathBuf,
        /// The error of the system call, or `InvalidData` if the file is damaged.
        source: io::Error,
    },
    /// Neither `$SANSIM_CACHE` nor `$HOME` is set.
    #[error("no cache directory: set $SANSIM_CACHE (or $HOME)")]
    NoCache,
    /// QEMU did not start, or exited unexpectedly.
    #[error("QEMU could not be started: {why}")]
    Start {
        /// The cause, if it is known.
        cause: StartFailure,
        /// The last lines of QEMU's output, or how it ended.
        why: String,
    },
    /// KVM was requested, but does not work on this host.
    #[error("KVM does not work here ({why}): use --accel tcg, or auto")]
    NoKvm {
        /// The error of the attempt.
        why: String,
    },
    /// Skipped time was requested with KVM.
    #[error(
        "time can be skipped under TCG only: KVM runs the guest's code on the host's processor, whose clock cannot be made \
         to jump; use --time real, or --accel tcg"
    )]
    SkipNeedsTcg,
    /// Executed code is to be marked, with KVM.
    #[error(
        "executed code can be marked under TCG only: KVM runs the guest's code on the host's processor, and QEMU does not \
         see it; use --accel tcg"
    )]
    MarksNeedTcg,
    /// Executed code is to be marked, and QEMU was built without what that needs.
    #[error(
        "executed code cannot be marked: this QEMU has no TCG plugins ({found}: {why}); Debian's and Ubuntu's have them"
    )]
    MarksNeedPlugins {
        /// The first line of `qemu-system-x86_64 --version`.
        found: String,
        /// What QEMU says.
        why: String,
    },
    /// Skipped time was requested for a guest with several processors.
    #[error(
        "time can be skipped with one processor only: QEMU does not get further ones started while it counts instructions; \
         use --time real, or guest.cpus = 1"
    )]
    SkipNeedsOneProcessor,
    /// Skipped time was requested, but QEMU is too old.
    #[error(
        "time can be skipped by QEMU 7.2.3 and later only ({found}): an earlier one lets the guest run while it waits for \
         an answer of the lab; use --time real"
    )]
    SkipNeedsNewerQemu {
        /// The first line of `qemu-system-x86_64 --version`.
        found: String,
    },
    /// The story cannot be saved as a checkpoint.
    #[error(
        "the story so far cannot be saved: its time is not exact, its guest has sent what makes no sense, or more \
         than 1 GiB"
    )]
    Unsaveable,
    /// The repeated story differs from the saved one.
    #[error("this is another story than the one that was saved: {why}")]
    AnotherStory {
        /// The first answer or request that differs.
        why: String,
    },
    /// The agent was not ready in time.
    #[error("the guest did not boot within {seconds} s; the end of its console:\n{console}")]
    BootTimeout {
        /// The time limit in seconds.
        seconds: u64,
        /// The last lines of the serial console.
        console: String,
    },
    /// The guest ended during an operation.
    #[error("the guest is gone ({reason}); the end of its console:\n{console}")]
    GuestGone {
        /// How QEMU ended: power-off, panic, signal…
        reason: ExitReason,
        /// The last lines of the serial console.
        console: String,
    },
    /// The agent has another protocol version.
    #[error(
        "the agent in the image speaks protocol version {agent}, this program {ours}: rebuild both \
         (`cargo build --release`), then `sansim image build`"
    )]
    AgentVersion {
        /// The version in the agent's first line.
        agent: u32,
        /// [`sansim_protocol::VERSION`] of this program.
        ours: u32,
    },
    /// The agent sent a malformed message.
    #[error("the agent cannot be understood: {why}")]
    AgentGarbled {
        /// Where the line is malformed, and why.
        why: String,
    },
    /// The agent reported that a call failed.
    #[error("{call}: {why}")]
    AgentFailed {
        /// The call's name in the protocol: `load_modules`.
        call: String,
        /// The kind of failure.
        kind: FailureKind,
        /// The agent's message, a sentence for the user.
        why: String,
    },
    /// A daemon of the guest's userland did not start.
    #[error("{name} does not start in the guest: {why}")]
    Service {
        /// The daemon, or the command that prepares it.
        name: String,
        /// The last lines of its output, or how it ended.
        why: String,
    },
    /// The agent did not reply in time.
    #[error(
        "the agent did not answer {call} within {seconds} s; the end of the console:\n{console}"
    )]
    AgentTimeout {
        /// The call's name in the protocol: `load_modules`.
        call: String,
        /// The time limit in seconds.
        seconds: u64,
        /// The last lines of the serial console.
        console: String,
    },
    /// QEMU refused a monitor command.
    #[error("QEMU refused {command}: {why}")]
    Qmp {
        /// The command's name in QMP, or a line for the human monitor.
        command: String,
        /// QEMU's description of the error, or how the monitor connection ended.
        why: String,
    },
    /// A template could not be restored. It was removed.
    #[error(
        "the saved guest {path} does not start ({why}); it was thrown away: run again, or use --cold"
    )]
    BadTemplate {
        /// The template's directory, which no longer exists.
        path: PathBuf,
        /// The error of the attempt.
        why: String,
    },
    /// An image in the cache is damaged, and cannot be made again by itself.
    #[error("the image {name} is damaged ({why}): add it again, or `sansim image remove {name}`")]
    DamagedImage {
        /// The image.
        name: String,
        /// Which file, and what is wrong with it.
        why: String,
    },
    /// The machine's configuration is invalid.
    #[error("this machine cannot be: {why}")]
    BadMachine {
        /// The reason, with an alternative if there is one.
        why: String,
    },
}

/// Why QEMU failed to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartFailure {
    /// No process listens on a socket that QEMU connects to: the array's HBA is gone.
    NoBackend,
    /// QEMU does not accept the saved guest.
    State,
    /// The host has no memory left, or no file descriptors or threads.
    Host,
    /// Another cause, described in words only.
    Other,
}

impl StartFailure {
    /// Searches QEMU's standard error for the causes that the lab distinguishes.
    pub(crate) fn of(stderr: &str) -> StartFailure {
        let has = |words: &[&str]| words.iter().any(|words| stderr.contains(words));
        // util/qemu-sockets.c: "Failed to connect to '…': …"; migration/migration.c and savevm.c; strerror(3).
        if has(&["Failed to connect"]) {
            StartFailure::NoBackend
        } else if has(&["Cannot allocate memory", "Too many open files", "Resource temporarily"]) {
            StartFailure::Host
        } else if has(&["load of migration failed", "loading state", "Not a migration stream"]) {
            StartFailure::State
        } else {
            StartFailure::Other
        }
    }
}

impl LabError {
    /// QEMU did not start, for a cause that is described in words only.
    pub(crate) fn start(why: impl Into<String>) -> LabError {
        LabError::Start { cause: StartFailure::Other, why: why.into() }
    }

    /// Whether this is a trouble of the host, which nothing in the cache is to blame for.
    pub fn is_the_hosts(&self) -> bool {
        match self {
            LabError::HostShort { .. }
            | LabError::HostFull { .. }
            | LabError::DiskFull { .. }
            | LabError::MissingTool { .. }
            | LabError::BadMachine { .. } => true,
            LabError::GuestGone { reason, .. } => matches!(reason, ExitReason::Signal(_)),
            LabError::Start { cause, .. } => *cause != StartFailure::State,
            _ => false,
        }
    }

    /// Whether QEMU has refused a saved guest.
    pub(crate) fn is_of_qemus_state(&self) -> bool {
        match self {
            LabError::Start { cause, .. } => *cause == StartFailure::State,
            LabError::GuestGone { reason: ExitReason::Failed { stderr, .. }, .. } => {
                StartFailure::of(stderr) == StartFailure::State
            }
            LabError::Qmp { .. } => true,
            _ => false,
        }
    }

    /// Converts a failed file operation. A full disk becomes [`LabError::DiskFull`], what else the host has
    /// run out of [`LabError::HostFull`].
    pub(crate) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> LabError {
        let path = path.into();
        move |source| match (is_full(&source), ran_out(&source)) {
            (true, _) => LabError::DiskFull { path },
            (_, Some(what)) => LabError::HostFull { what, doing, path },
            _ => LabError::File { doing, path, source },
        }
    }

    /// Converts a failure to restore memory from its file. A full disk becomes [`LabError::DiskFull`].
    pub(crate) fn memory(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> LabError {
        let path = path.into();
        move |source| match (is_full(&source), ran_out(&source)) {
            (true, _) => LabError::DiskFull { path },
            (_, Some(what)) => {
                LabError::HostFull { what, doing: "cannot restore memory from", path }
            }
            _ => LabError::Memory { path, source },
        }
    }
}

/// What the host has nothing left of, if that is the error.
fn ran_out(error: &io::Error) -> Option<&'static str> {
    use rustix::io::Errno;
    match Errno::from_io_error(error)? {
        Errno::MFILE | Errno::NFILE => Some("file descriptors"),
        Errno::NOMEM => Some("memory"),
        Errno::AGAIN => Some("threads or processes"),
        _ => None,
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
