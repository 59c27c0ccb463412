//! The parts of a guest's driver that the tests and the benchmark need: the driver's side of
//! virtqueues, and virtio-scsi requests in guest memory.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "each user takes what it needs")]

pub mod ring;
pub mod san;
pub mod scsi;
