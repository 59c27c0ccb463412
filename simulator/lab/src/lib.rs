//! The machine: guest images, QEMU, QMP, templates, and the agent's other end.
//!
//! An [`ImageStore`] builds [`Image`]s (a stock kernel, an initramfs with the agent, a userland)
//! and keeps them in a cache. A [`Machine`] is a running guest, started cold or from a
//! [`Template`]: a guest that was booted once, stopped when everything was quiet, and saved. What
//! the guest does is asked of its agent through an [`AgentLink`].
#![forbid(unsafe_code)]

mod accel;
mod agent;
mod assemble;
mod base;
mod build;
mod cache;
mod cpu;
mod doctor;
mod error;
mod exact;
mod finish;
mod image;
mod machine;
mod parts;
mod patience;
mod progress;
mod qemu;
mod spec;
mod starts;
mod store;
mod template;
mod time;
mod tool;
mod unnamed;
mod work_dir;

pub use accel::{Accel, AccelChoice, AccelDecision, probe_accel};
pub use agent::AgentLink;
pub use build::{OwnKernel, OwnUserland, is_own_module};
pub use cache::write_atomically;
pub use cpu::own_cpu_time;
pub use doctor::{Check, Health, doctor};
pub use error::LabError;
pub use image::{Image, ImageInfo};
pub use machine::{
    Boot, Checkpoint, ExitReason, GdbPort, HbaSocket, Hold, Machine, MachineConfig, MemoryGauge,
    Services, UdevRules, Visit, hba_address, hba_slot, kernel_command_line,
};
pub use parts::{KernelSource, Parts, UserlandSource};
pub use progress::{Progress, Quiet};
pub use qemu::{keeps_exact_time, version as qemu_version};
pub use sansim_protocol::TerminalSize;
pub use starts::{LULL, StartToSave, Starts};
pub use store::ImageStore;
pub use template::{Template, Templates};
pub use time::{Device, Keeper, Settled, TimeMode};
pub use work_dir::WorkDir;

/// What most functions of this crate return.
pub type Result<T, E = LabError> = std::result::Result<T, E>;
