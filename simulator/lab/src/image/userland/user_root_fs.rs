//! A user's root file system, read as a tar stream.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read},
    path::{Path, PathBuf},
};

use super::{MOUNT_POINTS, oci, tree_tar::write_tar};
use crate::{
    LabError, Result,
    image::{archive::plain_name, decompress::plain},
};

/// Offset of the magic in the first block of an archive (POSIX.1-1988).
const MAGIC_AT: usize = 257;
/// Most bytes in a root file system.
const LARGEST: u64 = 64 << 30;

/// A user's root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRootFs {
    /// A directory, which becomes the guest's `/`.
    Dir(PathBuf),
    /// A tar archive, uncompressed or with gzip, xz or zstd.
    Tar(PathBuf),
    /// A container image as an OCI image layout: a directory, or a tar archive of one.
    Oci(PathBuf),
}

impl UserRootFs {
    /// Tells what a path is by what is in it.
    pub fn of(path: &Path) -> UserRootFs {
        let own = path.to_owned();
        match path.is_dir() {
            true if oci::is_layout(path) => UserRootFs::Oci(own),
            true => UserRootFs::Dir(own),
            // A layout with no index says so when it is read.
            false if is_archive_of_layout(path) => UserRootFs::Oci(own),
            false => UserRootFs::Tar(own),
        }
    }

    /// The path that the user gave.
    pub fn path(&self) -> &Path {
        match self {
            UserRootFs::Dir(path) | UserRootFs::Tar(path) | UserRootFs::Oci(path) => path,
        }
    }

    /// Adds everything that the guest could see of it to the hash.
    pub(crate) fn hash(&self, hash: &mut blake3::Hasher) -> Result<()> {
        match self {
            UserRootFs::Dir(dir) => write_tar(dir, MOUNT_POINTS, hash).map_err(|e| self.bad(&e)),
            // An index names its blobs by their digests, which are compared when they are read.
            UserRootFs::Oci(path) if path.is_dir() => {
                let index = path.join(oci::INDEX);
                let file = File::open(&index).map_err(LabError::file("cannot read", &index))?;
                hash.update_reader(file).map_err(LabError::file("cannot read", &index)).map(drop)
            }
            UserRootFs::Tar(path) | UserRootFs::Oci(path) => {
                let file = File::open(path).map_err(LabError::file("cannot read", path))?;
                hash.update_reader(file).map_err(LabError::file("cannot read", path)).map(drop)
            }
        }
    }

    /// Passes it to `take` as an uncompressed tar archive.
    pub(crate) fn read<T>(&self, take: impl FnOnce(Box<dyn Read + '_>) -> Result<T>) -> Result<T> {
        match self {
            UserRootFs::Tar(path) => take(self.open(path)?),
            UserRootFs::Dir(dir) => {
                self.written(|writer| write_tar(dir, MOUNT_POINTS, writer), take)
            }
            UserRootFs::Oci(layout) => {
                // Small writes would be one system call each.
                let write =
                    |writer| oci::write_tar(layout, BufWriter::with_capacity(1 << 16, writer));
                self.written(write, take)
            }
        }
    }

    /// Passes what `write` writes to `take`.
    fn written<T>(
        &self,
        write: impl FnOnce(io::PipeWriter) -> io::Result<()> + Send,
        take: impl FnOnce(Box<dyn Read + '_>) -> Result<T>,
    ) -> Result<T> {
        std::thread::scope(|scope| {
            let (reader, writer) = io::pipe().map_err(|e| self.bad(&e))?;
            let written = scope.spawn(move || write(writer));
            let taken = take(Box::new(reader));
            match written.join() {
                // On a broken pipe, the reader's own error says more.
                Ok(Err(e)) if e.kind() != io::ErrorKind::BrokenPipe => Err(self.bad(&e)),
                _ => taken,
            }
        })
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Read>> {
        let file = File::open(path).map_err(LabError::file("cannot read", path))?;
        let plain = plain(BufReader::with_capacity(1 << 18, file)).map_err(|e| self.bad(&e))?;
        let mut first = Vec::new();
        let mut plain = plain.take(LARGEST);
        plain.by_ref().take(512).read_to_end(&mut first).map_err(|e| self.bad(&e))?;
        if first.get(MAGIC_AT..MAGIC_AT + 5) != Some(b"ustar") {
            let why = "it is neither a directory nor a tar archive, plain or packed with gzip, xz \
                       or zstd";
            return Err(LabError::BadUserland { path: path.to_owned(), why: why.into() });
        }
        Ok(Box::new(io::Cursor::new(first).chain(plain)))
    }

    fn bad(&self, why: &io::Error) -> LabError {
        LabError::BadUserland { path: self.path().to_owned(), why: why.to_string() }
    }
}

/// Whether a tar archive is that of an image layout, by the first file in it.
fn is_archive_of_layout(path: &Path) -> bool {
    const FIRST: usize = 64;
    let first = || {
        let file = BufReader::new(File::open(path).ok()?);
        let mut plain = plain(file).ok()?;
        let mut archive = tar::Archive::new(&mut plain);
        let mut entries = archive.entries().ok()?.take(FIRST).flatten();
        let file = entries.find(|entry| entry.header().entry_type().is_file())?;
        Some(plain_name(&file.path().ok()?))
    };
    let is = |name: String| {
        name.starts_with("blobs/") || [oci::INDEX, oci::LAYOUT, "manifest.json"].contains(&&*name)
    };
    first().is_some_and(is)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::image::decompress::tests::compressed;

    fn read(userland: &UserRootFs) -> Result<Vec<u8>> {
        userland.read(|mut from| {
            let mut bytes = Vec::new();
            from.read_to_end(&mut bytes).map_err(LabError::file("cannot read", "x"))?;
            Ok(bytes)
        })
    }

    fn hash(userland: &UserRootFs) -> blake3::Hash {
        let mut hash = blake3::Hasher::new();
        userland.hash(&mut hash).unwrap();
        hash.finalize()
    }

    #[test]
    fn a_directory_and_its_archive_read_alike_however_it_is_packed() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("root");
        fs::create_dir_all(top.join("usr/bin")).unwrap();
        fs::write(top.join("usr/bin/a"), vec![b'x'; 100_000]).unwrap();
        let plain = read(&UserRootFs::Dir(top)).unwrap();
        assert!(plain.len() > 100_000);
        let path = dir.path().join("tar");
        fs::write(&path, &plain).unwrap();
        assert_eq!(read(&UserRootFs::Tar(path.clone())).unwrap(), plain);
        for (how, packed) in compressed(&plain) {
            fs::write(&path, packed).unwrap();
            assert_eq!(read(&UserRootFs::Tar(path.clone())).unwrap(), plain, "{how:?}");
        }
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tar");
        let garbage = vec![b'x'; 4096];
        let [(_, packed), ..] = compressed(&garbage);
        let cut = packed[..packed.len() - 20].to_vec();
        let cases: [(Vec<u8>, &str); 5] = [
            (Vec::new(), "neither a directory nor a tar archive"),
            (garbage, "neither a directory nor a tar archive"),
            (packed, "neither a directory nor a tar archive"),
            (cut, "cannot be used"),
            (b"BZh91AY".to_vec(), "packed with bzip2"),
        ];
        for (bytes, part) in cases {
            fs::write(&path, bytes).unwrap();
            let why = read(&UserRootFs::Tar(path.clone())).unwrap_err().to_string();
            assert!(why.contains(part), "{why:?} does not say {part:?}");
        }
    }

    #[test]
    fn the_hash_is_that_of_the_content() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("usr/bin")).unwrap();
        fs::create_dir_all(dir.path().join("proc")).unwrap();
        let file = dir.path().join("usr/bin/a");
        fs::write(&file, "1").unwrap();
        let userland = UserRootFs::Dir(dir.path().to_owned());
        let first = hash(&userland);
        fs::write(dir.path().join("proc/x"), "").unwrap();
        assert_eq!(hash(&userland), first);
        // Same size and same mtime as before.
        let age = fs::metadata(&file).unwrap().modified().unwrap();
        fs::write(&file, "2").unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_modified(age).unwrap();
        assert_ne!(hash(&userland), first);
    }
}
