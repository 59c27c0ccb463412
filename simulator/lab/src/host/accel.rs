//! Chooses KVM or TCG by booting a guest, not by looking at /dev/kvm.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    Accel, Image, ImageStore, LabError, Machine, MachineConfig, Progress, Result, TimeMode,
    WorkDir, cache::write_atomically, host::qemu,
};

/// With KVM, a kernel prints its first message within milliseconds and is up within two seconds.
const SILENT: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(30);

/// The value of `--accel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccelChoice {
    /// KVM where it works, otherwise TCG.
    #[default]
    Auto,
    /// KVM, or an error if it does not work.
    Kvm,
    /// TCG, without trying KVM.
    Tcg,
}

/// The accelerator to use, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccelDecision {
    /// The accelerator for guests of this image.
    pub accel: Accel,
    /// The reason, as a sentence for the user.
    pub why: String,
}

/// The cached result of an attempt, in `kvm.json` of the image store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    boot_id: String,
    qemu: String,
    decision: AccelDecision,
}

/// Chooses the accelerator. Unless the user chose TCG, this boots the image's kernel with KVM, with a time
/// limit: /dev/kvm may open, create a VM and run firmware, and still fail to boot a stock kernel. The
/// result is cached until the host reboots or QEMU is replaced.
///
/// # Errors
/// [`LabError::NoKvm`] when the user chose KVM and it does not work.
pub async fn probe_accel(
    choice: AccelChoice,
    store: &ImageStore,
    image: &Image,
    progress: &dyn Progress,
) -> Result<AccelDecision> {
    if choice == AccelChoice::Tcg {
        return Ok(AccelDecision { accel: Accel::Tcg, why: "it was asked for".into() });
    }
    let decision = match usable(Path::new("/dev/kvm")) {
        Ok(()) => tried(store, image, progress).await?,
        Err(why) => AccelDecision { accel: Accel::Tcg, why },
    };
    match (choice, decision.accel) {
        (AccelChoice::Kvm, Accel::Tcg) => Err(LabError::NoKvm { why: decision.why }),
        _ => Ok(decision),
    }
}

/// Whether the device can be opened; the error says what the user can do. An openable device does not imply
/// that KVM works.
pub(crate) fn usable(device: &Path) -> Result<(), String> {
    match File::options().read(true).write(true).open(device) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err("there is no /dev/kvm: the processor's virtualisation is off, or this is a virtual machine \
                 without it"
                .into())
        }
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
            Err("/dev/kvm may not be opened: add yourself to the group kvm".into())
        }
        Err(e) => Err(format!("/dev/kvm cannot be opened: {e}")),
    }
}

/// The cached result, or the result of a new attempt.
async fn tried(
    store: &ImageStore,
    image: &Image,
    progress: &dyn Progress,
) -> Result<AccelDecision> {
    let (boot_id, qemu, file) = (qemu::boot_id(), qemu::version()?, memory(store));
    if let Some(decision) = recall(&file, &boot_id, &qemu) {
        return Ok(decision);
    }
    progress.stage("trying out KVM");
    let decision = try_out(image).await?;
    let remembered = Remembered { boot_id, qemu, decision };
    let bytes = serde_json::to_vec_pretty(&remembered).unwrap_or_default();
    write_atomically(&file, &bytes)?;
    Ok(remembered.decision)
}

fn memory(store: &ImageStore) -> PathBuf {
    store.path().join("kvm.json")
}

fn recall(file: &Path, boot_id: &str, qemu: &str) -> Option<AccelDecision> {
    let remembered: Remembered = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    // Without a boot ID (no /proc) a result cannot be attributed to this boot.
    let same = !boot_id.is_empty() && remembered.boot_id == boot_id && remembered.qemu == qemu;
    same.then_some(remembered.decision)
}

/// The cached result of this boot of the host, for `sansim doctor`.
pub(crate) fn remembered(store: &ImageStore) -> Option<AccelDecision> {
    recall(&memory(store), &qemu::boot_id(), &qemu::version().ok()?)
}

async fn try_out(image: &Image) -> Result<AccelDecision> {
    let work = WorkDir::create()?;
    let config = MachineConfig {
        time: TimeMode::Real,
        image: image.clone(),
        accel: Accel::Kvm,
        memory_mib: 256,
        cpus: 1,
        services: crate::Services::None,
        marks: false,
        hbas: Vec::new(),
        work_dir: work.path().to_owned(),
        console: work.path().join("console.log"),
    };
    let began = Instant::now();
    match Machine::probe(&config, SILENT, DEADLINE).await {
        Ok(()) => {
            let seconds = began.elapsed().as_secs_f64();
            let why = format!("a guest booted under KVM in {seconds:.1} s");
            Ok(AccelDecision { accel: Accel::Kvm, why })
        }
        Err(
            error @ (LabError::Start { .. }
            | LabError::BootTimeout { .. }
            | LabError::GuestGone { .. }),
        ) => Ok(AccelDecision { accel: Accel::Tcg, why: refusal(&error) }),
        // Errors that do not concern KVM.
        Err(error) => Err(error),
    }
}

/// Why KVM is not used, in one line.
fn refusal(error: &LabError) -> String {
    let what = match error {
        LabError::Start { why, .. } => why.clone(),
        LabError::BootTimeout { seconds, .. } => format!("it did not boot within {seconds} s"),
        LabError::GuestGone { reason, .. } => reason.to_string(),
        other => other.to_string(),
    };
    let line = what.lines().find(|line| !line.contains("warning:")).unwrap_or_default();
    format!("/dev/kvm opens, but no guest runs: {line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_holds_for_one_boot_and_one_qemu() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("kvm.json");
        assert_eq!(recall(&file, "b", "q"), None);
        let decision = AccelDecision { accel: Accel::Kvm, why: "it booted".into() };
        let (boot_id, qemu) = ("b".to_owned(), "q".to_owned());
        let remembered = Remembered { boot_id, qemu, decision: decision.clone() };
        fs::write(&file, serde_json::to_vec(&remembered).unwrap()).unwrap();
        assert_eq!(recall(&file, "b", "q"), Some(decision));
        for (boot_id, qemu) in [("c", "q"), ("b", "r"), ("", "q")] {
            assert_eq!(recall(&file, boot_id, qemu), None);
        }
        fs::write(&file, "{").unwrap();
        assert_eq!(recall(&file, "b", "q"), None);
    }

    #[test]
    fn a_missing_device_is_told() {
        assert!(usable(Path::new("/nowhere/kvm")).unwrap_err().contains("there is no /dev/kvm"));
        assert!(usable(Path::new("/dev/null")).is_ok());
    }
}
