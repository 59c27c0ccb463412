//! The lab's end of exact time: the same seed gives the same story to the last byte, with a stock guest and
//! a stock QEMU.
//!
//! Under `-icount` a guest's clock counts its instructions, and jumps to the next timer while the guest
//! idles. The host still influences when something outside the vCPU acts: a device completes a request, an
//! interrupt is raised, a message arrives. So nothing outside acts on its own. The guest's agent *asks*
//! whenever the guest has sent something, and the lab does all its work while that question is open:
//!
//! | what | how | where |
//! |---|---|---|
//! | a question stops the processor | a write to a vhost-user-blk register waits for a reply | [`register`] |
//! | questions and answers | are in memory that is reserved in the guest | [`mailbox`] |
//! | HBAs and the userland's disk | serve only during a question, in a fixed order | [`disk`], [`Device`] |
//! | interrupts | are listed in the answer; the agent raises them by MSI-X message | the agent's `exact` |
//! | restoring a story | its questions are recorded, and asked again | [`recording`] |
//! | when the guest asks again | is in the answer: the agent sets a timer | [`keeper`] |
//!
//! The guest's end is in `guest-kernel/agent/src/exact`, the layout of the mailbox in
//! `sansim_protocol::hypercall`.
//!
//! Three properties of QEMU matter here:
//!
//! - QEMU holds the BQL while a question is open: nothing else in QEMU makes progress, and the monitor does
//!   not reply. To stop the machine, the lab sends `stop` first and then answers the question. For the same
//!   reason the reply to `cont` may come only after the first question, so the lab does not wait for it.
//! - `rr=record`: when a processor halts, QEMU's main loop may count its instructions before the vCPU thread
//!   does (`cpu-exec.c:do_hlt`, `icount_start_warp_timer`), which moves the clock by some nanoseconds in one
//!   of 100,000 halts. With recording, QEMU takes a lock around both. The record itself goes to /dev/null.
//! - The register's value is part of the device's configuration. QEMU reads the configuration at start and
//!   does not save it with the machine, so after a restore the backend returns the last value that was
//!   written.
//!
//! This module knows neither the messages nor what the answers mean for a scenario.

mod block_device;
mod disk;
mod keeper;
mod mailbox;
mod recording;
mod register;
#[cfg(test)]
pub(crate) mod testing;
mod vhost_user;

pub(crate) use disk::UserlandDisk;
pub use keeper::{Device, Keeper, Settled};
pub(crate) use recording::Recording;
pub(crate) use register::Register;

/// The vhost-user sockets that QEMU connects to, in the work directory.
pub(crate) const DISK_SOCKET: &str = "userland.sock";
pub(crate) const REGISTER_SOCKET: &str = "register.sock";

/// Earlier versions run other handlers, and so the guest, while they wait for a backend's reply (fixed in
/// stable 7.2.3).
pub(crate) const OLDEST_QEMU: [u32; 3] = [7, 2, 3];
