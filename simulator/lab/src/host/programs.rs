//! Programs of the host: where they are, which package brings them, and what they failed of.

use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
};

use crate::{LabError, Result};

/// The programs we start, and the Debian and Ubuntu packages they come with.
pub(crate) const TOOLS: &[(&str, &str)] = &[
    (QEMU, "qemu-system-x86"),
    ("mmdebstrap", "mmdebstrap"),
    ("mksquashfs", "squashfs-tools"),
    ("setpriv", "util-linux"),
];

/// QEMU for guests of this architecture.
pub(crate) const QEMU: &str = "qemu-system-x86_64";

/// Where a program is: in `$PATH`, or where administrators' programs are.
pub(crate) fn find(program: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Administrators' directories are not in every user's path.
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

/// The error of a program that failed while it wrote `out`, with the last 15 lines of what it said.
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

/// What a program failed of, as far as it makes a difference to the lab. A program passes on the system's
/// reason in words only.
enum ProgramFailure {
    DiskFull,
    Other,
}

impl ProgramFailure {
    /// Reads standard error for the words of strerror(3): of ENOSPC, and of EDQUOT.
    fn of(stderr: &str) -> ProgramFailure {
        const FULL: [&str; 2] = ["No space left on device", "Disk quota exceeded"];
        match FULL.iter().any(|words| stderr.contains(words)) {
            true => ProgramFailure::DiskFull,
            false => ProgramFailure::Other,
        }
    }
}

/// At most so many lines of a text, the last ones.
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
