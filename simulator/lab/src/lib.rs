//! The lab: guest images, QEMU, QMP, templates, and the host's end of the agent's channel.
//!
//! | module | contents |
//! |---|---|
//! | `image` | guest images, and how they are built |
//! | `machine` | a running guest: QEMU, its monitor, the guest's memory |
//! | `saved` | templates and checkpoints |
//! | `exact` | exact time: the guest's questions, and who answers them |
//! | `agent` | the lab's end of the agent's channel |
//! | `host` | programs, QEMU's version, KVM, the doctor, work directories |
//! | `cache` | cache directories, which are built completely or not at all |
//!
//! An [`ImageStore`] builds [`Image`]s (a stock kernel, an initramfs with the agent, a userland) and keeps
//! them in a cache. A [`Machine`] is a running guest. It is booted, or restored from a [`Template`]: a
//! guest that was booted once, stopped when it was idle, and saved. An [`AgentLink`] sends calls to the
//! guest's agent.
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
    AccelChoice, AccelDecision, Check, Health, Needs, WorkDir, available_memory, doctor, most_runs,
    own_cpu_time, probe_accel,
    qemu::{has_plugins, keeps_exact_time, version as qemu_version},
    raise_limits,
};
pub use image::{
    Image, ImageInfo, ImageStore, KernelSource, Parts, Search, UserKernel, UserRootFs,
    UserlandSource, is_bundled_module, is_usual_module, plain_image, search, variant,
};
pub use machine::{
    Accel, Boot, Confinement, ExitReason, GdbPort, HbaSocket, Hold, Machine, MachineConfig,
    MemoryGauge, Services, TimeMode, UdevRules, Visit, hba_address, hba_slot, kernel_command_line,
};
pub use progress::{Progress, Quiet};
pub use sansim_marks::{Mark, Marks};
pub use sansim_protocol::TerminalSize;
pub use saved::{Checkpoint, LULL, StartToSave, Starts, Template, Templates};

/// The crate's result type.
pub type Result<T, E = LabError> = std::result::Result<T, E>;
