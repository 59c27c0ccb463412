//! The SAN: SCSI, personalities, controllers, LUNs, faults. Pure and deterministic.

pub mod ids;
pub mod time;
