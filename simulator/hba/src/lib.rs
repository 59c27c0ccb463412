//! A vhost-user-scsi device: it takes requests from virtqueues, submits commands to the array and
//! returns their completions.
//!
//! [`HbaServer`] is one HBA. It listens on a Unix socket for QEMU or another vhost-user front end.
//! It passes the requests in the guest's virtqueues to a [`sansim_array::Array`]. Both wait on a
//! [`sansim_time::Clock`].
//!
//! | Subject | Module |
//! |---|---|
//! | structures in the virtqueues | `wire`, `lun` |
//! | descriptor chains and rings | `chain`, `buffers`, `ring` |
//! | a command from its chain to its response | `command`, `parked`, `alarm` |
//! | the device with its queues | `device`, `control`, `events` |
//! | recorded requests | `tape` |
//! | the transport: vhost-user | `backend`, `vring`, `server` |
//!
//! Only the last row depends on vhost-user. Nothing that a guest writes into its memory makes this
//! crate panic, block or use unbounded memory. Malformed requests are counted, logged once, and
//! answered or dropped.

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
