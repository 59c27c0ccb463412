//! KVM or TCG: found out by running guest code, not by looking at /dev/kvm.

use crate::{Image, ImageStore, Progress, Result};

/// How guest code is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Accel {
    /// By the processor.
    Kvm,
    /// Translated by QEMU.
    Tcg,
}

impl std::fmt::Display for Accel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Accel::Kvm => "kvm",
            Accel::Tcg => "tcg",
        })
    }
}

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccelChoice {
    /// KVM where it works, else TCG.
    #[default]
    Auto,
    /// KVM or an error.
    Kvm,
    /// TCG.
    Tcg,
}

/// What will be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccelDecision {
    /// The accelerator.
    pub accel: Accel,
    /// A sentence for the user.
    pub why: String,
}

/// Decides how guests are executed. `Auto` boots the image's own kernel under KVM within a deadline, and
/// remembers what came of it in the store until the host is rebooted or QEMU is replaced.
///
/// # Errors
/// [`LabError::NoKvm`](crate::LabError) when KVM was demanded and does not work.
pub async fn probe_accel(
    choice: AccelChoice,
    store: &ImageStore,
    image: &Image,
    progress: &dyn Progress,
) -> Result<AccelDecision> {
    let _ = (choice, store, image, progress);
    todo!()
}
