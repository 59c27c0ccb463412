//! The host: its programs, its QEMU and KVM, CPU time of processes, and work directories for sockets.

mod accel;
mod blocking;
mod cgroup;
mod cpu_time;
mod doctor;
mod limits;
mod memory;
pub(crate) mod programs;
pub(crate) mod qemu;
pub(crate) mod tsc;
mod work_dir;

pub use accel::{AccelChoice, AccelDecision, probe_accel};
pub(crate) use blocking::blocking;
pub(crate) use cpu_time::cpu_time;
pub use cpu_time::own_cpu_time;
pub use doctor::{Check, Health, doctor};
pub use limits::{Needs, most_runs, raise_limits};
pub use memory::available_memory;
pub use work_dir::WorkDir;
