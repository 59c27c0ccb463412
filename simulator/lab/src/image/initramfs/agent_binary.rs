//! Finds the agent's binary and prepares it for the guest.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use object::{
    Endianness,
    elf::{EM_X86_64, FileHeader64, PT_INTERP},
    read::elf::{FileHeader, ProgramHeader},
};

use crate::{LabError, Result};

const NAME: &str = "sansim-agent";

/// The agent's binary for the guest.
#[derive(Debug, Clone)]
pub(crate) struct AgentBinary {
    /// The ELF file without symbols and debug information.
    pub(crate) elf: Vec<u8>,
}

impl AgentBinary {
    /// Reads, checks and strips the file.
    pub(crate) fn read(path: &Path) -> Result<AgentBinary> {
        let elf = std::fs::read(path).map_err(LabError::file("cannot read", path))?;
        let elf = strip(elf).map_err(|why| LabError::BadAgent { path: path.to_owned(), why })?;
        Ok(AgentBinary { elf })
    }
}

/// The agent's binary: `$SANSIM_AGENT`, or the one next to the running program, or in the directory above
/// (where the program is a test). The release build is preferred, unless it is older than the debug build.
pub(crate) fn find_agent() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("SANSIM_AGENT") {
        let path = PathBuf::from(named);
        if path.is_file() {
            return Ok(path);
        }
        return Err(LabError::MissingAgent {
            looked: format!("$SANSIM_AGENT: {}", path.display()),
        });
    }
    let exe = std::env::current_exe().map_err(LabError::file("cannot find", "this program"))?;
    let places = places(&exe);
    places
        .iter()
        .filter(|path| path.is_file())
        .max_by_key(|path| modified(path))
        .cloned()
        .ok_or_else(|| LabError::MissingAgent {
            looked: places.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", "),
        })
}

fn places(exe: &Path) -> Vec<PathBuf> {
    let mut places = Vec::new();
    for dir in exe.ancestors().skip(1).take(2) {
        places.push(dir.join(NAME));
        if dir.file_name().is_some_and(|name| name == "debug") {
            places.push(dir.with_file_name("release").join(NAME));
        }
    }
    places
}

fn modified(path: &Path) -> SystemTime {
    path.metadata().and_then(|m| m.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Checks that the binary can run as PID 1 of a guest. Removes the section headers and everything outside
/// segments: symbols and debug information, which are most of an unoptimised build.
fn strip(mut elf: Vec<u8>) -> Result<Vec<u8>, String> {
    let damaged = |e: object::Error| format!("it is damaged: {e}");
    let header = FileHeader64::<Endianness>::parse(&*elf)
        .map_err(|_| "it is no 64-bit ELF file".to_owned())?;
    let endian = header.endian().map_err(damaged)?;
    if header.e_machine(endian) != EM_X86_64 {
        return Err("it is not for x86-64".into());
    }
    let mut end = 64;
    for segment in header.program_headers(endian, &*elf).map_err(damaged)? {
        if segment.p_type(endian) == PT_INTERP {
            return Err(
                "it is linked dynamically, and a guest has no dynamic linker: build it with \
                        `cargo build --release -p sansim-agent` in the sansim repository"
                    .into(),
            );
        }
        let (offset, size) = (segment.p_offset(endian), segment.p_filesz(endian));
        end = end.max(offset.checked_add(size).ok_or("it is damaged: a segment is too large")?);
    }
    let table = header.e_phoff(endian) + u64::from(header.e_phnum(endian)) * 56;
    let end = usize::try_from(end.max(table)).map_err(|e| e.to_string())?;
    if end > elf.len() {
        return Err("it is damaged: it ends too early".into());
    }
    elf.truncate(end);
    elf[0x28..0x30].fill(0); // e_shoff
    elf[0x3c..0x40].fill(0); // e_shnum, e_shstrndx
    Ok(elf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_is_looked_for_beside_the_program_and_above_it() {
        let places = places(Path::new("/t/debug/deps/test-1"));
        let expected =
            ["/t/debug/deps/sansim-agent", "/t/debug/sansim-agent", "/t/release/sansim-agent"];
        assert_eq!(places, expected.map(PathBuf::from));
    }

    #[test]
    fn a_stripped_program_still_runs() {
        // This test is itself a static binary of the same kind.
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let stripped = strip(own.clone()).unwrap();
        // A release build has no debug information, but symbols and section headers.
        assert!(stripped.len() < own.len(), "{} of {}", stripped.len(), own.len());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stripped");
        std::fs::write(&path, stripped).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&path, mode).unwrap();
        let ran = std::process::Command::new(&path).arg("--list").output().unwrap();
        assert!(ran.status.success());
        assert!(String::from_utf8_lossy(&ran.stdout).contains("a_stripped_program_still_runs"));
    }

    #[test]
    fn what_cannot_be_pid_1_is_refused() {
        assert!(strip(b"#!/bin/sh".to_vec()).unwrap_err().contains("no 64-bit ELF"));
        let mut own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        own.truncate(4096);
        assert!(strip(own).unwrap_err().contains("too early"));
        for shell in ["/bin/sh", "/usr/bin/env"] {
            let Ok(bytes) = std::fs::read(shell) else { continue };
            assert!(strip(bytes).unwrap_err().contains("dynamic"));
        }
    }
}
