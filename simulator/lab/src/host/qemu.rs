//! What QEMU reports without starting a machine.

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    process::Command,
    sync::{Mutex, OnceLock, PoisonError},
    time::SystemTime,
};

use super::programs;
use crate::{LabError, Result, exact::OLDEST_QEMU};

/// QEMU's option to filter its system calls, with all that it can deny. None of it is needed: QEMU starts no
/// program, and the lab sets priorities and rights before.
pub(crate) const SANDBOX: [&str; 2] =
    ["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"];

/// What QEMU has answered.
#[derive(Debug, Clone)]
struct Asked {
    version: String,
    sandbox: bool,
}

/// The first line of `qemu-system-x86_64 -version`, with QEMU's version and the package's.
///
/// # Errors
/// `MissingTool`, or `ToolFailed` when it does not run.
pub fn version() -> Result<String> {
    Ok(asked()?.version)
}

/// Whether QEMU can filter its system calls.
///
/// # Errors
/// As [`version`].
pub(crate) fn has_sandbox() -> Result<bool> {
    Ok(asked()?.sandbox)
}

/// Checks that QEMU loads plugins, which mark the code that a guest executes.
///
/// # Errors
/// `MissingTool`; `MarksNeedPlugins` with what QEMU says.
pub fn has_plugins() -> Result<()> {
    let path = programs::find(programs::QEMU)?;
    // Without plugins the option is refused. With them its file is not looked at before a machine is made.
    let output = Command::new(&path).args(["-plugin", "none", "-version"]).output();
    let output = output.map_err(LabError::file("cannot run", &path))?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(LabError::MarksNeedPlugins { found: version()?, why })
}

fn asked() -> Result<Asked> {
    // Cached per QEMU binary (path and mtime) for the life of this process.
    type Known = HashMap<(PathBuf, Option<SystemTime>), Asked>;
    static KNOWN: OnceLock<Mutex<Known>> = OnceLock::new();
    let path = programs::find(programs::QEMU)?;
    let modified = path.metadata().and_then(|meta| meta.modified()).ok();
    let mut known =
        KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(version) = known.get(&(path.clone(), modified)) {
        return Ok(version.clone());
    }
    let ask = |options: &[&str]| {
        let output = Command::new(&path).args(options).arg("-version").output();
        output.map_err(LabError::file("cannot run", &path))
    };
    // A QEMU that is built without seccomp refuses the option.
    let mut output = ask(&SANDBOX)?;
    let sandbox = output.status.success();
    if !sandbox {
        output = ask(&[])?;
    }
    programs::check(programs::QEMU, output.status, &output.stderr, &path)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.lines().next().unwrap_or_default().trim().to_owned();
    let asked = Asked { version, sandbox };
    known.insert((path, modified), asked.clone());
    Ok(asked)
}

/// Checks that QEMU is new enough for exact time.
///
/// # Errors
/// `MissingTool`; `SkipNeedsNewerQemu` with the installed version.
pub fn keeps_exact_time() -> Result<()> {
    let found = version()?;
    match numbers(&found) {
        Some(numbers) if numbers < OLDEST_QEMU => Err(LabError::SkipNeedsNewerQemu { found }),
        _ => Ok(()),
    }
}

/// Parses the version of `QEMU emulator version 7.2.22 (Debian …)`.
fn numbers(version: &str) -> Option<[u32; 3]> {
    let word =
        version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut numbers = word.split('.').map(|number| number.parse().unwrap_or(0));
    Some([numbers.next()?, numbers.next()?, numbers.next().unwrap_or(0)])
}

/// Identifies the host's processor, as far as a guest can see it under KVM.
pub(crate) fn host_processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let first = info.split("\n\n").next().unwrap_or_default();
    let telling = ["vendor_id", "model name", "stepping", "microcode", "flags"];
    let lines = first.lines().filter(|line| telling.iter().any(|start| line.starts_with(start)));
    lines.collect::<Vec<_>>().join("\n")
}

/// The kernel's random ID of the current boot; empty without /proc.
pub(crate) fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let of = |version: &str| numbers(&format!("QEMU emulator version {version} (Debian 1:x)"));
        assert_eq!(of("7.2.22"), Some([7, 2, 22]));
        assert!(of("7.2.2") < Some(OLDEST_QEMU) && of("6.2.0") < Some(OLDEST_QEMU));
        assert!(of("7.2.3") >= Some(OLDEST_QEMU) && of("10.0.13") >= Some(OLDEST_QEMU));
        assert_eq!(of("8.0"), Some([8, 0, 0]));
        assert_eq!(numbers("something else"), None);
    }
}
