//! What can go wrong in the lab. Every message says what to do about it.

use std::{io, path::PathBuf};

use sansim_protocol::FailureKind;

use crate::ExitReason;

/// Why the lab could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A program of the host is missing.
    #[error("{program} was not found: apt-get install {package}")]
    MissingTool {
        /// Its name, as it is looked for in `$PATH`.
        program: String,
        /// The package it comes with on Debian and Ubuntu.
        package: String,
    },
    /// A program of the host failed.
    #[error("{program} failed ({status}):\n{output}")]
    ToolFailed {
        /// Its name, as it is looked for in `$PATH`.
        program: String,
        /// Its exit status, in words: `exit status: 1`.
        status: String,
        /// The end of what it wrote to standard error.
        output: String,
    },
    /// The agent binary was not found.
    #[error(
        "the guest agent was not found ({looked}): build it with `cargo build --release -p sansim-agent`, \
         or name it in $SANSIM_AGENT"
    )]
    MissingAgent {
        /// Where it was looked for.
        looked: String,
    },
    /// The agent cannot be used as it is.
    #[error("the guest agent {path} cannot be used: {why}")]
    BadAgent {
        /// Which file, or what it is called to the user.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// No image of that name is known.
    #[error("there is no image `{name}`: known are {known}")]
    UnknownImage {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A name that cannot be an image's.
    #[error("`{name}` cannot be an image's name: {why}")]
    BadImageName {
        /// The name asked for.
        name: String,
        /// A sentence with what would be possible, where something is.
        why: String,
    },
    /// Somebody else is working on it.
    #[error("{what} is in use by another sansim: try again when that has ended")]
    Busy {
        /// What another process has the lock of: `the image bookworm`.
        what: String,
    },
    /// A kernel cannot be used.
    #[error("the kernel {path} cannot be used: {why}")]
    BadKernel {
        /// The file, on the host or in the archive.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A module, or the set of modules, cannot be used.
    #[error("the kernel modules cannot be used: {why}")]
    BadModules {
        /// What is wrong with them.
        why: String,
    },
    /// A Debian package cannot be used.
    #[error("the package {path} cannot be used: {why}")]
    BadPackage {
        /// Which file, or what it is called to the user.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A userland cannot be used.
    #[error("the userland {path} cannot be used: {why}")]
    BadUserland {
        /// The directory or archive.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// An initramfs cannot be used.
    #[error("the initrd {path} cannot be used: {why}")]
    BadInitrd {
        /// Which file, or what it is called to the user.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Kernel, modules and userland cannot be put together as they were named.
    #[error("{why}")]
    BadParts {
        /// Why not, and what can.
        why: String,
    },
    /// No mirror of packages was reached.
    #[error(
        "the packages of {image} could not be fetched, since no mirror was reached ({why}); images that are built already \
         run without one: `sansim image list`"
    )]
    NoMirror {
        /// The image whose packages were to be fetched.
        image: String,
        /// The first line of apt's that tells of it.
        why: String,
    },
    /// The disk is full.
    #[error(
        "no space is left for {path}: free some, or set $SANSIM_CACHE to a directory on another disk"
    )]
    DiskFull {
        /// What was being written.
        path: PathBuf,
    },
    /// A file operation failed.
    #[error("{doing} {path}: {source}")]
    File {
        /// "cannot read", "cannot create"…
        doing: &'static str,
        /// Which file, or what it is called to the user.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The memory of a saved guest cannot be read.
    #[error("cannot restore the memory from {path}: {source}")]
    Memory {
        /// Which file, or what it is called to the user.
        path: PathBuf,
        /// The system's reason, or that it is damaged.
        source: io::Error,
    },
    /// No directory for the cache could be determined.
    #[error("no cache directory: set $SANSIM_CACHE (or $HOME)")]
    NoCache,
    /// QEMU did not start, or ended by itself.
    #[error("QEMU could not be started: {why}")]
    Start {
        /// Whose fault it is, as far as that is known.
        cause: StartFailure,
        /// The end of what it wrote, or how it ended.
        why: String,
    },
    /// KVM was asked for and does not work here.
    #[error("KVM does not work here ({why}): use --accel tcg, or auto")]
    NoKvm {
        /// The error that came of trying.
        why: String,
    },
    /// Time is to be skipped under KVM.
    #[error(
        "time can be skipped under TCG only: KVM runs the guest's code on the host's processor, whose clock cannot be made \
         to jump; use --time real, or --accel tcg"
    )]
    SkipNeedsTcg,
    /// Time is to be skipped in a guest with several processors.
    #[error(
        "time can be skipped with one processor only: QEMU does not get further ones started while it counts instructions; \
         use --time real, or guest.cpus = 1"
    )]
    SkipNeedsOneProcessor,
    /// Time is to be skipped by a QEMU that cannot.
    #[error(
        "time can be skipped by QEMU 7.2.3 and later only ({found}): an earlier one lets the guest run while it waits for \
         an answer of the lab; use --time real"
    )]
    SkipNeedsNewerQemu {
        /// The first line of `qemu-system-x86_64 --version`.
        found: String,
    },
    /// A story cannot be saved.
    #[error(
        "the story so far cannot be saved: its time is not exact, its guest has sent what makes no sense, or more \
         than 1 GiB"
    )]
    Unsaveable,
    /// What was saved belongs to another story.
    #[error("this is another story than the one that was saved: {why}")]
    AnotherStory {
        /// The first answer, or request, in which they differ.
        why: String,
    },
    /// The guest did not get ready in time.
    #[error("the guest did not boot within {seconds} s; the end of its console:\n{console}")]
    BootTimeout {
        /// The deadline, in seconds.
        seconds: u64,
        /// The last lines of the console.
        console: String,
    },
    /// The guest ended while something was expected of it.
    #[error("the guest is gone ({reason}); the end of its console:\n{console}")]
    GuestGone {
        /// How QEMU ended.
        reason: ExitReason,
        /// The last lines of the console.
        console: String,
    },
    /// The agent speaks another version of the protocol.
    #[error(
        "the agent in the image speaks protocol version {agent}, this program {ours}: rebuild both \
         (`cargo build --release`), then `sansim image build`"
    )]
    AgentVersion {
        /// The version that its first line carries.
        agent: u32,
        /// What is spoken here.
        ours: u32,
    },
    /// The agent sent something that cannot be understood.
    #[error("the agent cannot be understood: {why}")]
    AgentGarbled {
        /// The place in the line that is no message, and why it is none.
        why: String,
    },
    /// The agent could not do what was asked.
    #[error("{call}: {why}")]
    AgentFailed {
        /// The call, by its name in the protocol: `load_modules`.
        call: String,
        /// What the agent tells apart.
        kind: FailureKind,
        /// The agent's own sentence.
        why: String,
    },
    /// A daemon of the guest's userland does not start.
    #[error("{name} does not start in the guest: {why}")]
    Service {
        /// The daemon, or the command that was to get it ready.
        name: String,
        /// The end of what it wrote, or how it ended.
        why: String,
    },
    /// The agent did not answer in time.
    #[error(
        "the agent did not answer {call} within {seconds} s; the end of the console:\n{console}"
    )]
    AgentTimeout {
        /// The call, by its name in the protocol: `load_modules`.
        call: String,
        /// The deadline, in seconds.
        seconds: u64,
        /// The last lines of the console.
        console: String,
    },
    /// QEMU refused a command.
    #[error("QEMU refused {command}: {why}")]
    Qmp {
        /// The command by its name in QMP, or a line of the human monitor.
        command: String,
        /// QEMU's description of the error, or how the connection to its monitor ended.
        why: String,
    },
    /// A template did not restore. It has been thrown away.
    #[error(
        "the saved guest {path} does not start ({why}); it was thrown away: run again, or use --cold"
    )]
    BadTemplate {
        /// The directory in which the template was.
        path: PathBuf,
        /// The error that came of trying.
        why: String,
    },
    /// The configuration of a machine makes no sense.
    #[error("this machine cannot be: {why}")]
    BadMachine {
        /// A sentence with what would be possible, where something is.
        why: String,
    },
}

/// What a failed start of QEMU comes of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartFailure {
    /// Nobody listens at a socket that QEMU was to connect to: an HBA of the array's is gone.
    NoBackend,
    /// Something else; the words are all there is.
    Other,
}

impl LabError {
    /// QEMU did not start, for a reason that is known in words only.
    pub(crate) fn start(why: impl Into<String>) -> LabError {
        LabError::Start { cause: StartFailure::Other, why: why.into() }
    }

    /// A failed file operation; a full disk is told apart.
    pub(crate) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> LabError {
        let path = path.into();
        move |source| match is_full(&source) {
            true => LabError::DiskFull { path },
            false => LabError::File { doing, path, source },
        }
    }

    /// A guest's memory that could not be restored from its file; a full disk is told apart.
    pub(crate) fn memory(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> LabError {
        let path = path.into();
        move |source| match is_full(&source) {
            true => LabError::DiskFull { path },
            false => LabError::Memory { path, source },
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
