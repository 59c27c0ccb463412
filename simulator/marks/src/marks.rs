//! The marks, read from the plugin's file.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::log::{HEAD, LONGEST, MAGIC, RECORD_HEAD};

/// Code of the guest that was executed: a translation block of QEMU's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// The guest's address of its first byte.
    pub address: u64,
    /// Its instructions, as they were in the guest's memory.
    pub bytes: Vec<u8>,
}

/// All code of the guest's modules that was executed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    marks: BTreeSet<Mark>,
    lost: u64,
}

/// Why a file has no marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    /// QEMU has not called the plugin, or could not open the file.
    #[error("the plugin has not opened its file")]
    NotOpened,
    /// A record does not fit.
    #[error("the record at word {0} of the plugin's file is damaged")]
    Record(usize),
}

impl Marks {
    /// Reads the plugin's file, as far as it is filled.
    ///
    /// # Errors
    /// When the plugin has not opened it, or it is not what a plugin writes.
    pub fn read(file: &[u8]) -> Result<Marks, Damaged> {
        let words: Vec<u64> =
            file.as_chunks::<8>().0.iter().map(|it| u64::from_ne_bytes(*it)).collect();
        let [MAGIC, end, lost, ..] = words[..] else { return Err(Damaged::NotOpened) };
        let mut marks = BTreeSet::new();
        let (mut at, end) = (HEAD, usize::try_from(end).unwrap_or(usize::MAX));
        while at < end {
            let record = words.get(at..end.min(words.len())).unwrap_or_default();
            let [address, length, executed, bytes @ ..] = record else {
                return Err(Damaged::Record(at));
            };
            let length = usize::try_from(*length).ok().filter(|length| *length <= LONGEST);
            let length = length.ok_or(Damaged::Record(at))?;
            let bytes = bytes.get(..length.div_ceil(8)).ok_or(Damaged::Record(at))?;
            if *executed != 0 {
                let bytes = bytes.iter().flat_map(|word| word.to_le_bytes()).take(length).collect();
                marks.insert(Mark { address: *address, bytes });
            }
            at += RECORD_HEAD + bytes.len();
        }
        Ok(Marks { marks, lost })
    }

    /// Adds those of an earlier part of the same guest's life.
    pub fn join(&mut self, earlier: &Marks) {
        self.marks.extend(earlier.marks.iter().cloned());
        self.lost += earlier.lost;
    }

    /// Each of them, by address.
    pub fn iter(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter()
    }

    /// How many translation blocks there was no room for. Unless this is 0, more may have been executed.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

impl FromIterator<Mark> for Marks {
    fn from_iter<I: IntoIterator<Item = Mark>>(marks: I) -> Self {
        Marks { marks: marks.into_iter().collect(), lost: 0 }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use proptest::prelude::*;

    use super::*;
    use crate::log::Log;

    fn memory(words: usize) -> Vec<AtomicU64> {
        (0..words).map(|_| AtomicU64::new(0)).collect()
    }

    fn file(words: &[AtomicU64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.load(Relaxed).to_ne_bytes()).collect()
    }

    #[test]
    fn what_was_executed_is_read_as_it_was_written() {
        let words = memory(100);
        let log = Log::begin(&words).unwrap();
        for (address, bytes, executed) in [
            (0x20, &b"0123456789"[..], 1),
            (0x10, b"translated", 0),
            (0x10, b"", 1),
            (0x20, b"0123456789", 1),
        ] {
            let record = log.record(address, bytes.len()).unwrap();
            let (first, rest) = bytes.split_at(bytes.len() / 3);
            record.put(0, first);
            record.put(first.len(), rest);
            record.executed.store(executed, Relaxed);
        }
        let marks = Marks::read(&file(&words)).unwrap();
        let mark = |address, bytes: &[u8]| Mark { address, bytes: bytes.to_vec() };
        assert_eq!(marks, [mark(0x10, b""), mark(0x20, b"0123456789")].into_iter().collect());
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let words = memory(HEAD + RECORD_HEAD + 1);
        let log = Log::begin(&words).unwrap();
        assert!(log.record(1, 9).is_none());
        assert!(log.record(1, 8).is_some());
        assert!(log.record(1, 0).is_none());
        let mut marks = Marks::read(&file(&words)).unwrap();
        assert_eq!(marks.lost(), 2);
        marks.join(&marks.clone());
        assert_eq!(marks.lost(), 4);
        assert!(Log::begin(&words[..2]).is_none());
    }

    #[test]
    fn a_file_that_no_plugin_has_opened_is_told_apart() {
        assert_eq!(Marks::read(&[]), Err(Damaged::NotOpened));
        assert_eq!(Marks::read(&[0; 64]), Err(Damaged::NotOpened));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(words in proptest::collection::vec(prop_oneof![0u64..20, any::<u64>()], 0..40)) {
            let words: Vec<u64> = [MAGIC].into_iter().chain(words).collect();
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
            let _ = Marks::read(&bytes);
        }
    }
}
