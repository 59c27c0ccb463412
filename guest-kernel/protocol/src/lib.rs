//! The messages between the lab (on the host) and the agent (in the guest), and nothing else.
//!
//! They are one JSON object a line. The lab sends [`Request`]s and each is answered by exactly one
//! [`Reply`] with the same `id`, in any order; between replies the agent sends [`Event`]s as things
//! happen. In real time the lines travel over a virtio-serial port ([`PORT`]), in exact time with a
//! [hypercall](mod@hypercall). JSON was chosen over a binary encoding because a captured conversation
//! can be read, and the rate is low: commands on the wire are recorded by the array, not here.
//!
//! The agent survives a lab that goes and another that comes (a machine that is restored from a
//! checkpoint). A new lab sends [`Call::Hello`] first and ignores what it reads before the answer:
//! that may be the rest of a line, and events that were meant for the one before.
//!
//! All times are the guest's `CLOCK_MONOTONIC`, in nanoseconds.

#![forbid(unsafe_code)]

mod bytes;
mod call;
mod event;
mod frame;
pub mod hypercall;
mod map;
mod workload;

pub use bytes::Bytes;
pub use call::{
    Answer, Call, CallResult, Failure, FailureKind, Reply, Request, Sent, TerminalSize,
};
pub use event::{DiskAction, Event, FromAgent, Happening, PathUeventAction};
pub use frame::{FrameError, LineBuffer, MAX_LINE, decode, encode, request_id};
pub use map::{
    Disk, GroupState, GroupStatus, MapSpec, MapStatus, PathAddress, PathState, PathStatus,
    TargetAddress,
};
pub use workload::{
    Corruption, CorruptionKind, IoDirection, Latency, Pattern, WorkloadReport, WorkloadSpec,
};

/// The name of the virtio-serial port, as the guest sees it in `/sys/class/virtio-ports/*/name`.
pub const PORT: &str = "sansim.agent";

/// Version of this protocol; [`FromAgent::Ready`] carries it and the lab refuses another.
pub const VERSION: u32 = 7;

/// Where the agent mounts the userland in the guest, writable copies and all, when it is first needed.
pub const USERLAND: &str = "/userland";

/// Serial number of the virtio-blk disk that carries the userland (a squashfs).
pub const USERLAND_SERIAL: &str = "userland";

/// On the kernel's command line: the guest's time is exact, and the agent is to keep its clock.
pub const SKIPPED_TIME: &str = "sansim.time=skip";
