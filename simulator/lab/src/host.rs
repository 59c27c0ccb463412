//! The host: programs that are started on it, what its QEMU and its KVM can do, what this process and
//! others spend, and the directory that a run has for its sockets.

mod accel;
mod blocking;
mod cpu_time;
mod doctor;
pub(crate) mod programs;
pub(crate) mod qemu;
mod work_dir;

pub use accel::{AccelChoice, AccelDecision, probe_accel};
pub(crate) use blocking::blocking;
pub(crate) use cpu_time::cpu_time;
pub use cpu_time::own_cpu_time;
pub use doctor::{Check, Health, doctor};
pub use work_dir::WorkDir;
