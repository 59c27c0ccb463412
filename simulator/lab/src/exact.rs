//! Exact time: the lab's end of it. One seed gives one story, to the last byte, in a stock guest and a
//! stock QEMU.
//!
//! Under `-icount` a guest's clock counts its instructions, and jumps to the next timer while the guest
//! idles. What is left of the host in it are the moments at which others step in: a device that
//! completes a request, an interrupt, a message. So nobody steps in. The guest's agent *asks* whenever
//! something has been sent, and the lab does all its work while that question is open:
//!
//! | what | how | where |
//! |---|---|---|
//! | the question stops the processor | a write to the `writeback` byte of a vhost-user-blk device: QEMU waits for the backend's answer within the store | [`register`] |
//! | question and answer | lie in memory that the guest's kernel leaves alone | [`mailbox`] |
//! | HBAs and the userland's disk | serve only then, in one order ([`Device`](crate::Device)) | [`disk`] |
//! | interrupts | are named in the answer; the agent raises them, by the MSI that the kernel has programmed | the agent's `exact` |
//! | a story can be taken up again | its questions are written down, and asked again | [`recording`] |
//! | when the guest is to ask again | is named in the answer: an alarm of the guest's own | [`keeper`] |
//!
//! The guest's half is in `guest-kernel/agent/src/exact`, the layout of the mailbox in
//! `sansim_protocol::hypercall`.
//!
//! Three things about QEMU make it work:
//!
//! - A question holds QEMU's big lock: nothing moves, and the monitor is silent, until it is answered.
//!   To stop the machine, `stop` is sent first and the question answered then. For the same reason the
//!   answer to `cont` may come after the first question, and is not waited for.
//! - `rr=record`: when a processor halts, QEMU's main loop may count its instructions before the
//!   processor's own thread has (`cpu-exec.c:do_hlt`, `icount_start_warp_timer`), which moves the clock
//!   by some nanoseconds in one of 100,000 halts. Recording takes a lock around both. The record itself
//!   goes to /dev/null.
//! - The register's value is part of the device's configuration, which QEMU reads when it starts and
//!   does not save with the machine: the backend answers with the last one written.
//!
//! Nothing here knows what is asked or what the answers mean to a scenario.

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

/// The sockets in the work directory that QEMU connects to.
pub(crate) const DISK_SOCKET: &str = "userland.sock";
pub(crate) const REGISTER_SOCKET: &str = "register.sock";

/// QEMU before this version runs other handlers while it waits for a backend's answer, and so the guest
/// (fixed in stable 7.2.3).
pub(crate) const OLDEST_QEMU: [u32; 3] = [7, 2, 3];
