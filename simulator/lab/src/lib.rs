//! The machine: guest images, QEMU, QMP, templates, and the agent's other end.
//!
//! | room | what is in it |
//! |---|---|
//! | `image` | guest images: what one is, and how it is built |
//! | `machine` | a running guest: QEMU, its monitor, the guest's memory |
//! | `saved` | templates and checkpoints |
//! | `exact` | exact time: the guest's questions, and who answers them |
//! | `agent` | the other end of the agent's channel |
//! | `host` | programs, QEMU's version, KVM, the doctor, work directories |
//! | `cache` | directories of the cache, made whole or not at all |
//!
//! An [`ImageStore`] builds [`Image`]s (a stock kernel, an initramfs with the agent, a userland)
//! and keeps them in a cache. A [`Machine`] is a running guest, started cold or from a
//! [`Template`]: a guest that was booted once, stopped when everything was quiet, and saved. What
//! the guest does is asked of its agent through an [`AgentLink`].
#![forbid(unsafe_code)]

mod agent;
mod cache;
mod error;
mod exact;
mod host;
mod image;
mod machine;
mod progress;
mod ram;
mod saved;

pub use agent::AgentLink;
pub use cache::write_atomically;
pub use error::{LabError, StartFailure};
pub use exact::{Device, Keeper, Settled};
pub use host::{
    AccelChoice, AccelDecision, Check, Health, WorkDir, doctor, own_cpu_time, probe_accel,
    qemu::{keeps_exact_time, version as qemu_version},
};
pub use image::{
    Image, ImageInfo, ImageStore, KernelSource, Parts, UserKernel, UserRootFs, UserlandSource,
    is_bundled_module,
};
pub use machine::{
    Accel, Boot, ExitReason, GdbPort, HbaSocket, Hold, Machine, MachineConfig, MemoryGauge,
    Services, TimeMode, UdevRules, Visit, hba_address, hba_slot, kernel_command_line,
};
pub use progress::{Progress, Quiet};
pub use sansim_protocol::TerminalSize;
pub use saved::{Checkpoint, LULL, StartToSave, Starts, Template, Templates};

/// What most functions of this crate return.
pub type Result<T, E = LabError> = std::result::Result<T, E>;
