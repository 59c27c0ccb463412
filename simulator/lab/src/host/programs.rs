//! Programs of the host: their location, their package, and why they failed.

use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
};

use crate::{LabError, Result};

/// The programs that the lab starts, with their Debian and Ubuntu packages.
pub(crate) const TOOLS: &[(&str, &str)] = &[
    (QEMU, "qemu-system-x86"),
    ("mmdebstrap", "mmdebstrap"),
    ("mksquashfs", "squashfs-tools"),
    ("setpriv", "util-linux"),
    ("prlimit", "util-linux"),
    ("unshare", "util-linux"),
    ("env", "coreutils"),
];

/// QEMU for x86-64 guests.
pub(crate) const QEMU: &str = "qemu-system-x86_64";

/// Finds a program in `$PATH` or in the sbin directories.
pub(crate) fn find(program: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Many users do not have the sbin directories in their `$PATH`.
    let more = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let mut dirs = std::env::split_paths(&path).chain(more);
    dirs.find_map(|dir| Some(dir.join(program)).filter(|path| is_executable(path))).ok_or_else(
        || {
            let package =
                TOOLS.iter().find(|(name, _)| *name == program).map_or(program, |(_, p)| p);
            LabError::MissingTool { program: program.to_owned(), package: package.to_owned() }
        },
    )
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// Checks the exit status of a program that wrote `out`. The error has the last 15 lines of its standard
/// error.
pub(crate) fn check(program: &str, status: ExitStatus, stderr: &[u8], out: &Path) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    let output = tail(&String::from_utf8_lossy(stderr), 15);
    Err(match ProgramFailure::of(&output) {
        ProgramFailure::DiskFull => LabError::DiskFull { path: out.to_owned() },
        ProgramFailure::Other => {
            LabError::ToolFailed { program: program.to_owned(), status: status.to_string(), output }
        }
    })
}

/// Why a program failed, as far as the lab distinguishes it. A program reports the system's error only as
/// text.
enum ProgramFailure {
    DiskFull,
    Other,
}

impl ProgramFailure {
    /// Searches standard error for the strerror(3) texts of ENOSPC and EDQUOT.
    fn of(stderr: &str) -> ProgramFailure {
        const FULL: [&str; 2] = ["No space left on device", "Disk quota exceeded"];
        match FULL.iter().any(|words| stderr.contains(words)) {
            true => ProgramFailure::DiskFull,
            false => ProgramFailure::Other,
        }
    }
}

/// The last `lines` lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn a_missing_program_is_answered_with_its_package() {
        let message = find("no-such-program-as-this").unwrap_err().to_string();
        assert_eq!(
            message,
            "no-such-program-as-this was not found: apt-get install no-such-program-as-this"
        );
        assert!(find("sh").unwrap().is_absolute());
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let failed = ExitStatus::from_raw(1 << 8);
        let out = Path::new("/cache/x");
        let full = check("mksquashfs", failed, b"write: No space left on device\n", out);
        assert!(matches!(full, Err(LabError::DiskFull { .. })));
        let other = check("mksquashfs", failed, b"1\n2\n", out).unwrap_err().to_string();
        assert_eq!(other, "mksquashfs failed (exit status: 1):\n1\n2");
        assert!(check("mksquashfs", ExitStatus::from_raw(0), b"", out).is_ok());
    }
}
