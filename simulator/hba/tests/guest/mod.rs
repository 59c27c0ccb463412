//! A guest's driver, as far as the tests and the benchmark need one: virtqueues seen from the other
//! side, and virtio-scsi requests in guest memory.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "each user takes what it needs")]

pub mod ring;
pub mod san;
pub mod scsi;
