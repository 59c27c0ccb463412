//! The messages between the lab (on the host) and the agent (in the guest).
//!
//! Each message is one JSON object on a line. The lab sends [`Request`]s, and the agent sends exactly one
//! [`Reply`] with the same `id` for each, in any order. Between replies the agent sends [`Event`]s. In real
//! time the lines are sent over a virtio-serial port ([`PORT`]), in exact time with a
//! [hypercall](mod@hypercall). JSON was chosen over a binary encoding because a captured conversation is
//! readable, and because the rate is low: the array records SCSI commands, not the agent.
//!
//! A guest restored from a checkpoint has a new lab, and the agent must cope with that. The new lab sends
//! [`Call::Hello`] first and ignores everything before the reply: that may be the rest of a line, and
//! events for the previous lab.
//!
//! All times are the guest's `CLOCK_MONOTONIC`, in nanoseconds.

#![forbid(unsafe_code)]

mod bytes;
mod call;
mod ended;
mod event;
mod frame;
pub mod hypercall;
mod map;
mod workload;

pub use bytes::Bytes;
pub use call::{
    Answer, Call, CallResult, Failure, FailureKind, Reply, Request, Sent, TerminalSize,
};
pub use ended::{Ended, ProgramEnd, SIGNALS, Signal};
pub use event::{DiskAction, Event, FromAgent, Happening, PathUeventAction};
pub use frame::{FrameError, LineBuffer, MAX_LINE, decode, encode, request_id};
pub use map::{
    Disk, GroupState, GroupStatus, MapSpec, MapStatus, PathAddress, PathState, PathStatus,
    TargetAddress,
};
pub use workload::{
    Corruption, CorruptionKind, IoDirection, Latency, Pattern, WorkloadCanary, WorkloadReport,
    WorkloadSpec,
};

/// Name of the virtio-serial port, in the guest's `/sys/class/virtio-ports/*/name`.
pub const PORT: &str = "sansim.agent";

/// Version of this protocol. [`FromAgent::Ready`] reports it, and the lab refuses an agent with another
/// version.
pub const VERSION: u32 = 9;

/// Mount point of the userland in the guest, with writable copies of some directories. The agent mounts it
/// on first use.
pub const USERLAND: &str = "/userland";

/// Serial number of the virtio-blk disk with the userland (a squashfs).
pub const USERLAND_SERIAL: &str = "userland";

/// Kernel parameter that selects exact time: the agent must keep the guest's clock.
pub const SKIPPED_TIME: &str = "sansim.time=skip";
