//! A guest's memory: a file of the lab's that QEMU and the HBAs map.
//!
//! QEMU could save the memory to a template and restore it, page by page. Copying the file as a whole,
//! without untouched pages, takes a tenth of the time. QEMU then saves only its devices.

mod pages;

use std::{
    fs::File,
    io,
    os::{fd::OwnedFd, unix::fs::FileExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{MemfdFlags, fstat, ftruncate, memfd_create, seek, sendfile};

use crate::{LabError, Result, host::blocking};

pub(crate) const PAGE: usize = 4096;
/// Bytes read at once when searching for zero pages or differing pages.
pub(crate) const CHUNK: usize = 1 << 20;

#[derive(Debug)]
pub(crate) struct Ram {
    file: File,
    bytes: u64,
}

impl Ram {
    /// Creates `mib` MiB of memory, sparse.
    pub(crate) fn new(mib: u32) -> Result<Ram> {
        let bytes = u64::from(mib) << 20;
        let create = || -> rustix::io::Result<OwnedFd> {
            let fd = memfd_create("sansim-guest", MemfdFlags::CLOEXEC)?;
            ftruncate(&fd, bytes)?;
            Ok(fd)
        };
        let fd = create().map_err(|e| LabError::start(format!("no memory for it: {e}")))?;
        Ok(Ram { file: File::from(fd), bytes })
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Allocated size in bytes.
    pub(crate) fn occupied(&self) -> u64 {
        // `st_blocks` of stat(2) counts units of 512 bytes.
        fstat(&self.file).map_or(0, |stat| u64::try_from(stat.st_blocks).unwrap_or(0) * 512)
    }

    /// [`save`](Ram::save) on a thread for blocking work.
    pub(crate) async fn write_to(self: Arc<Ram>, path: PathBuf) -> Result<()> {
        blocking(move || self.save(&path).map_err(LabError::file("cannot write", path))).await
    }

    /// Fills fresh memory from a file written by [`save`](Ram::save).
    pub(crate) fn load(&self, from: &File) -> io::Result<()> {
        if from.metadata()?.len() != self.bytes {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its size is another"));
        }
        let mut at = 0;
        while let Some((start, end)) = next_data(from, at, self.bytes)? {
            seek(&self.file, rustix::fs::SeekFrom::Start(start))?;
            // The file's position is not used, since other threads may read the same file.
            at = start;
            while at < end {
                let left = usize::try_from(end - at).map_err(io::Error::other)?;
                if sendfile(&self.file, from, Some(&mut at), left)? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
        Ok(())
    }

    /// Writes the memory of a stopped guest to a new file, with holes for zero pages.
    pub(crate) fn save(&self, path: &Path) -> io::Result<()> {
        let to = File::create_new(path)?;
        to.set_len(self.bytes)?;
        let (mut chunk, zeros) = (vec![0; CHUNK], [0; PAGE]);
        let mut at = 0;
        while let Some((start, end)) = next_data(&self.file, at, self.bytes)? {
            at = start;
            while at < end {
                let n = CHUNK.min(usize::try_from(end - at).unwrap_or(CHUNK));
                self.file.read_exact_at(&mut chunk[..n], at)?;
                for (page, offset) in chunk[..n].chunks(PAGE).zip((at..).step_by(PAGE)) {
                    if page != &zeros[..page.len()] {
                        to.write_all_at(page, offset)?;
                    }
                }
                at += n as u64;
            }
        }
        Ok(())
    }
}

/// The first range of a file from `at` on that is not a hole; `None` if only holes follow.
pub(crate) fn next_data(file: &File, at: u64, len: u64) -> io::Result<Option<(u64, u64)>> {
    if at >= len {
        return Ok(None);
    }
    let start = match seek(file, rustix::fs::SeekFrom::Data(at)) {
        Ok(start) => start,
        Err(rustix::io::Errno::NXIO) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let end = seek(file, rustix::fs::SeekFrom::Hole(start))?;
    Ok(Some((start, end.min(len))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_survives_being_saved_and_loaded_and_what_is_empty_takes_no_room() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ram");
        let ram = Ram::new(64).unwrap();
        assert_eq!(ram.occupied(), 0);
        let pieces: [(u64, &[u8]); 4] = [
            (0, b"first"),
            (5 << 20, &[7; 10_000]),
            (9 << 20, &[0; PAGE]),
            ((64 << 20) - 4, b"last"),
        ];
        for (at, bytes) in pieces {
            ram.file.write_all_at(bytes, at).unwrap();
        }
        ram.save(&path).unwrap();
        let blocks = std::os::unix::fs::MetadataExt::blocks(&path.metadata().unwrap());
        assert!(blocks * 512 < 1 << 20, "{blocks}");

        let again = Ram::new(64).unwrap();
        again.load(&File::open(&path).unwrap()).unwrap();
        assert!(again.occupied() < 1 << 20);
        for (at, bytes) in pieces {
            let mut read = vec![1; bytes.len()];
            again.file.read_exact_at(&mut read, at).unwrap();
            assert_eq!(read, bytes, "at {at}");
        }
        let other = Ram::new(65).unwrap().load(&File::open(&path).unwrap()).unwrap_err();
        assert_eq!(other.kind(), io::ErrorKind::InvalidData);
    }
}
