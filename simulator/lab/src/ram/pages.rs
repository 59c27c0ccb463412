//! A guest's memory as a file of the pages that differ from another memory.
//!
//! The file contains the number of pages (64 bits), their page numbers (32 bits each), the pages, and a
//! BLAKE3 hash of all that. Integers are little-endian.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    os::unix::fs::FileExt,
    path::Path,
};

use super::{CHUNK, PAGE, Ram, next_data};

/// Bytes that are written at once.
const BUFFER: usize = 256 * PAGE;

impl Ram {
    /// Writes the pages of a stopped guest that differ from `base` to a new file. Without `base`: all pages
    /// that are not zero.
    pub(crate) fn save_pages(&self, base: Option<&File>, path: &Path) -> io::Result<()> {
        let numbers = self.different(base)?;
        let mut to = Hashed::new(BufWriter::with_capacity(BUFFER, File::create_new(path)?));
        to.write(&(numbers.len() as u64).to_le_bytes())?;
        for number in &numbers {
            to.write(&number.to_le_bytes())?;
        }
        let mut page = [0; PAGE];
        for number in numbers {
            self.file().read_exact_at(&mut page, offset(number))?;
            to.write(&page)?;
        }
        let hash = to.hasher.finalize();
        to.inner.write_all(hash.as_bytes())?;
        to.inner.flush()
    }

    /// Restores pages written by [`save_pages`](Ram::save_pages). `InvalidData` if the file is damaged.
    pub(crate) fn load_pages(&self, path: &Path) -> io::Result<()> {
        let mut from = Hashed::new(BufReader::with_capacity(BUFFER, File::open(path)?));
        let pages = self.bytes() / PAGE as u64;
        let count = u64::from_le_bytes(from.read()?);
        if count > pages {
            return Err(damaged());
        }
        let numbers: Vec<u32> =
            (0..count).map(|_| from.read().map(u32::from_le_bytes)).collect::<io::Result<_>>()?;
        for number in numbers {
            if u64::from(number) >= pages {
                return Err(damaged());
            }
            self.file().write_all_at(&from.read::<PAGE>()?, offset(number))?;
        }
        let hash = from.hasher.finalize();
        if from.read::<{ blake3::OUT_LEN }>()? == *hash.as_bytes() {
            Ok(())
        } else {
            Err(damaged())
        }
    }

    /// The numbers of the pages that differ from `base`.
    fn different(&self, base: Option<&File>) -> io::Result<Vec<u32>> {
        let (mut own, mut other) = (vec![0; CHUNK], vec![0; CHUNK]);
        let (mut numbers, mut at) = (Vec::new(), 0);
        loop {
            let files = [Some(self.file()), base].into_iter().flatten();
            let starts = files.map(|file| next_data(file, at, self.bytes()));
            let starts = starts.collect::<io::Result<Vec<_>>>()?;
            let Some(start) = starts.into_iter().flatten().map(|(start, _)| start).min() else {
                return Ok(numbers);
            };
            at = start - start % CHUNK as u64;
            let n = CHUNK.min(usize::try_from(self.bytes() - at).unwrap_or(CHUNK));
            self.file().read_exact_at(&mut own[..n], at)?;
            if let Some(base) = base {
                base.read_exact_at(&mut other[..n], at)?;
            }
            let pairs = own[..n].chunks(PAGE).zip(other.chunks(PAGE));
            let first = u32::try_from(at / PAGE as u64).map_err(io::Error::other)?;
            numbers.extend((first..).zip(pairs).filter(|(_, (a, b))| a != b).map(|(n, _)| n));
            at += n as u64;
        }
    }
}

fn offset(number: u32) -> u64 {
    u64::from(number) * PAGE as u64
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is damaged")
}

/// A reader or writer that hashes all bytes.
struct Hashed<T> {
    inner: T,
    hasher: blake3::Hasher,
}

impl<T> Hashed<T> {
    fn new(inner: T) -> Self {
        Hashed { inner, hasher: blake3::Hasher::new() }
    }
}

impl<T: Write> Hashed<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.inner.write_all(bytes)
    }
}

impl<T: Read> Hashed<T> {
    fn read<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes)?;
        self.hasher.update(&bytes);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 8 MiB of memory with these bytes at these addresses.
    fn ram(pieces: &[(u64, u8)]) -> Ram {
        let ram = Ram::new(8).unwrap();
        for (at, byte) in pieces {
            ram.file().write_all_at(&[*byte], *at).unwrap();
        }
        ram
    }

    fn bytes(ram: &Ram) -> Vec<u8> {
        let mut bytes = vec![0; 8 << 20];
        ram.file().read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    const BASE: [(u64, u8); 3] = [(0, 1), (5000, 2), (3 << 20, 3)];

    #[test]
    fn memory_is_put_together_of_another_and_of_what_differs() {
        let dir = tempfile::tempdir().unwrap();
        // A page that only `base` has becomes a page of zeros. The very last page is new.
        let own = ram(&[(0, 1), (5001, 2), ((8 << 20) - 1, 4)]);
        let base = ram(&BASE);
        for (name, base) in [("difference", Some(&base)), ("all", None)] {
            let path = dir.path().join(name);
            own.save_pages(base.map(Ram::file), &path).unwrap();
            let again = ram(if base.is_some() { &BASE } else { &[] });
            again.load_pages(&path).unwrap();
            assert!(bytes(&again) == bytes(&own), "{name}");
            assert_eq!(path.metadata().unwrap().len(), 8 + 3 * (4 + 4096) + 32, "{name}");
        }
    }

    #[test]
    fn a_file_that_is_damaged_anywhere_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pages");
        ram(&BASE).save_pages(None, &path).unwrap();
        let good = std::fs::read(&path).unwrap();
        for at in [0, 7, 8, 12, 20, 5000, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 0x80;
            std::fs::write(&path, bad).unwrap();
            assert!(ram(&[]).load_pages(&path).is_err(), "byte {at}");
        }
        std::fs::write(&path, &good[..good.len() - 1]).unwrap();
        assert!(ram(&[]).load_pages(&path).is_err(), "short");
    }
}
