//! The files of an image layout: in a directory, or in a tar archive.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read, Seek, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256, Sha512};

use super::{INDEX, LARGEST_DOCUMENT, bad};
use crate::image::{
    archive::plain_name,
    decompress::{Compression, unpacking},
};

/// Most bytes of an archive that is unpacked.
const LARGEST: u64 = 64 << 30;
/// Most files in an archive.
const MOST_FILES: usize = 1 << 16;

/// Where the files are.
#[derive(Debug)]
pub(super) enum Blobs {
    Dir(PathBuf),
    /// An uncompressed archive, with offset and size of each file.
    Tar(Arc<File>, BTreeMap<String, (u64, u64)>),
}

impl Blobs {
    /// Opens a layout. An archive that is packed is unpacked to a nameless file.
    pub(super) fn open(layout: &Path) -> io::Result<Blobs> {
        if layout.is_dir() {
            return Ok(Blobs::Dir(layout.to_owned()));
        }
        let mut file = File::open(layout)?;
        let mut head = Vec::new();
        Read::by_ref(&mut file).take(8).read_to_end(&mut head)?;
        file.rewind()?;
        if let Some(how) = Compression::of(&head) {
            let mut plain = tempfile::tempfile()?;
            let packed = unpacking(how, BufReader::new(file))?;
            if io::copy(&mut packed.take(LARGEST), &mut plain)? == LARGEST {
                return Err(bad(format!("there is more than {} GiB in it", LARGEST >> 30)));
            }
            plain.flush()?;
            plain.rewind()?;
            file = plain;
        }
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(&mut file).entries_with_seek()? {
            let entry = entry?;
            if entry.header().entry_type().is_file() {
                files.insert(plain_name(&entry.path()?), (entry.raw_file_position(), entry.size()));
            }
            if files.len() > MOST_FILES {
                return Err(bad("there are too many files in it".to_owned()));
            }
        }
        Ok(Blobs::Tar(Arc::new(file), files))
    }

    /// `index.json`.
    pub(super) fn index(&self) -> io::Result<Vec<u8>> {
        bounded(self.file(INDEX)?)
    }

    /// A blob that is read at once.
    pub(super) fn document(&self, digest: &str) -> io::Result<Vec<u8>> {
        bounded(self.blob(digest)?)
    }

    /// A blob.
    pub(super) fn blob(&self, digest: &str) -> io::Result<Box<dyn Read>> {
        let (algorithm, hex) = parts(digest)?;
        self.file(&format!("blobs/{algorithm}/{hex}"))
    }

    /// Compares a blob with its digest and size.
    pub(super) fn check(&self, digest: &str, size: u64) -> io::Result<()> {
        let (algorithm, hex) = parts(digest)?;
        let mut from = self.blob(digest)?.take(size.saturating_add(1));
        let (read, is) = match algorithm {
            "sha256" => hashed::<Sha256>(&mut from)?,
            "sha512" => hashed::<Sha512>(&mut from)?,
            other => return Err(bad(format!("its digests are {other}, and not sha256 or sha512"))),
        };
        match read == size && is == hex {
            true => Ok(()),
            false => Err(bad(format!("the blob {digest} is damaged: its digest is another"))),
        }
    }

    fn file(&self, name: &str) -> io::Result<Box<dyn Read>> {
        let missing = || bad(format!("it has no {name}"));
        match self {
            Blobs::Dir(dir) => {
                let file = File::open(dir.join(name)).map_err(|_| missing())?;
                // A pipe would never end.
                if !file.metadata()?.is_file() {
                    return Err(missing());
                }
                Ok(Box::new(file))
            }
            Blobs::Tar(file, files) => {
                let (offset, size) = *files.get(name).ok_or_else(missing)?;
                Ok(Box::new(Part { file: Arc::clone(file), at: offset, left: size }))
            }
        }
    }
}

/// A part of a file, with a place of its own.
struct Part {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Part {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let read = self.file.read_at(&mut into[..most], self.at)?;
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

/// Algorithm and digits of a digest. Nothing else may become part of a path.
fn parts(digest: &str) -> io::Result<(&str, &str)> {
    let is = |text: &str, fits: fn(char) -> bool| !text.is_empty() && text.chars().all(fits);
    let parts = digest.split_once(':').filter(|(algorithm, hex)| {
        is(algorithm, |c| c.is_ascii_lowercase() || c.is_ascii_digit())
            && is(hex, |c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    });
    parts.ok_or_else(|| bad(format!("{digest:?} is no digest")))
}

fn hashed<D: Digest>(from: &mut impl Read) -> io::Result<(u64, String)> {
    let mut hash = D::new();
    let (mut read, mut buffer) = (0, vec![0; 1 << 18]);
    loop {
        let bytes = from.read(&mut buffer)?;
        if bytes == 0 {
            let hex = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            return Ok((read, hex));
        }
        hash.update(&buffer[..bytes]);
        read += bytes as u64;
    }
}

fn bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST_DOCUMENT + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LARGEST_DOCUMENT {
        true => Err(bad("its index or manifest is too large".to_owned())),
        false => Ok(bytes),
    }
}
