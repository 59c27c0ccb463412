//! A vhost-user-scsi device: virtqueues in, commands to the array, completions out.
//!
//! [`HbaServer`] is one HBA: it listens on a Unix socket for QEMU (or any other vhost-user front
//! end) and hands what the guest's driver puts into the virtqueues to a [`sansim_array::Array`].
//! Both wait on a [`sansim_time::Clock`].
//!
//! | Subject | Module |
//! |---|---|
//! | what crosses the queues | `wire`, `lun` |
//! | descriptor chains and rings | `chain`, `buffers`, `ring` |
//! | a command from its chain to its answer | `command`, `parked`, `alarm` |
//! | the device that the queues belong to | `device`, `control`, `events` |
//! | requests without their guest | `tape` |
//! | the transport: vhost-user | `backend`, `vring`, `server` |
//!
//! Only the last row knows of vhost-user. Nothing that a guest writes into its memory makes this
//! crate panic, wait or grow: what breaks the rules is counted, logged once, and answered or
//! dropped.

#![deny(unsafe_code)]

mod alarm;
mod backend;
mod buffers;
mod chain;
mod command;
mod config;
mod control;
mod device;
mod events;
mod lun;
mod malformed;
mod parked;
mod ring;
mod server;
mod statistics;
mod tape;
mod vring;
mod wire;

#[cfg(test)]
#[path = "../tests/guest/mod.rs"]
mod guest;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod tests;
pub use config::{HbaConfig, HbaError};
pub use server::HbaServer;
pub use statistics::Statistics;
pub use tape::{Request, Scratch};
