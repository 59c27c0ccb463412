//! Reads and writes files of the guest part by part, so that a part fits into a message.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;

use sansim_protocol::Bytes;

use crate::fail::{Doing, Failure, Result};

/// The most bytes in a part. In JSON a byte takes up to six characters.
const MAX_PART: usize = 128 << 10;

/// Reads up to `length` bytes at `offset`.
pub(super) fn read(path: &str, offset: u64, length: u32) -> Result<Bytes> {
    let length = u64::from(length).min(MAX_PART as u64);
    let part = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(Bytes(bytes))
    };
    part().doing(|| format!("read {path}"))
}

/// Writes `bytes` at `offset`. At 0 this begins a new file.
pub(super) fn write(path: &str, offset: u64, bytes: &[u8]) -> Result<()> {
    if bytes.len() > MAX_PART {
        return Err(Failure::new(format!("{path}: a part has at most {MAX_PART} bytes")));
    }
    let part = || {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(offset == 0).open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)?;
        if offset == 0 && is_program(bytes) {
            file.set_permissions(Permissions::from_mode(0o755))?;
        }
        Ok::<_, std::io::Error>(())
    };
    part().doing(|| format!("write {path}"))
}

/// Whether a file that begins like this can be executed (execve(2)).
fn is_program(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF") || bytes.starts_with(b"#!")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_back_part_by_part_and_a_program_can_be_executed() {
        let directory = std::env::temp_dir().join(format!("sansim-parts-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("script").display().to_string();
        write(&path, 0, b"#!/bin/sh\n").unwrap();
        write(&path, 10, b"exit 3\n").unwrap();
        assert_eq!(read(&path, 0, 4).unwrap().0, b"#!/b");
        assert_eq!(read(&path, 10, 100).unwrap().0, b"exit 3\n");
        assert!(read(&path, 17, 100).unwrap().0.is_empty());
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        write(&path, 0, b"plain").unwrap();
        assert_eq!(read(&path, 0, 100).unwrap().0, b"plain");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
