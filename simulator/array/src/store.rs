//! The contents of a LUN: one anonymous memory mapping, shared by all paths.
//!
//! The mapping reserves address space. It uses memory only where it was written. A bitmap records
//! which extents were ever written, so that zeroing, resizing and copying take time in proportion
//! to the written data and not to the size of the LUN.

use std::{convert::Infallible, io, ops::Range, sync::Arc};

use memmap2::{MmapMut, MmapOptions};
use parking_lot::RwLock;

use crate::reservoir::{Reservoir, Share, WhenFull};

/// The extent size of the bitmap in bytes: 64 KiB.
const EXTENT: usize = 64 << 10;

/// An access beyond the end of the LUN, which may have become smaller since the access was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BeyondEnd;

/// Why data cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotWritten {
    BeyondEnd,
    /// No memory is left for it.
    Full(WhenFull),
}

impl From<BeyondEnd> for NotWritten {
    fn from(_: BeyondEnd) -> Self {
        NotWritten::BeyondEnd
    }
}

/// A written extent in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The byte offset of the extent.
    offset: usize,
    bytes: Box<[u8]>,
}

#[derive(Debug)]
pub(crate) struct Store {
    contents: RwLock<Contents>,
}

impl Store {
    /// Creates a store of this size that contains zeros. Its memory comes from `reservoir`.
    pub(crate) fn new(bytes: u64, reservoir: &Arc<Reservoir>) -> io::Result<Store> {
        Ok(Store { contents: RwLock::new(Contents::new(bytes, reservoir)?) })
    }

    pub(crate) fn empty() -> Store {
        Store {
            contents: RwLock::new(Contents {
                map: None,
                written: Written::none_of(0),
                before: None,
                share: Share::of(&Reservoir::unbounded()),
            }),
        }
    }

    /// Restores a saved store.
    pub(crate) fn from_saved(
        bytes: u64,
        saved: &Saved,
        reservoir: &Arc<Reservoir>,
    ) -> io::Result<Store> {
        let mut contents = Contents::with(bytes, &saved.extents, reservoir)?;
        if let Some(before) = &saved.before {
            contents.before = Some(Box::new(Contents::with(bytes, before, reservoir)?));
        }
        Ok(Store { contents: RwLock::new(contents) })
    }

    /// Keeps the previous data of every block from now on, one version back. This doubles the
    /// memory use.
    pub(crate) fn remember(&self) -> io::Result<()> {
        let mut contents = self.contents.write();
        if contents.before.is_none() {
            let len = contents.bytes().len() as u64;
            let (extents, reservoir) = (contents.extents(), contents.share.reservoir());
            let before = Contents::with(len, &extents, reservoir)?;
            contents.before = Some(Box::new(before));
        }
        Ok(())
    }

    /// The size in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.contents.read().bytes().len() as u64
    }

    /// Calls `look` with the data of a byte range.
    pub(crate) fn read<R>(
        &self,
        range: Range<u64>,
        look: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, BeyondEnd> {
        self.look_at(range, |contents| contents, look)
    }

    /// Calls `look` with the data that a byte range contained before it was last overwritten, or
    /// with the current data if [`Store::remember`] was not called.
    pub(crate) fn read_before<R>(
        &self,
        range: Range<u64>,
        look: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, BeyondEnd> {
        self.look_at(range, |contents| contents.before.as_deref().unwrap_or(contents), look)
    }

    fn look_at<R>(
        &self,
        range: Range<u64>,
        which: impl FnOnce(&Contents) -> &Contents,
        look: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, BeyondEnd> {
        let contents = self.contents.read();
        let range = contents.check(range)?;
        Ok(look(&which(&contents).bytes()[range]))
    }

    /// Calls `fill` to overwrite a byte range.
    pub(crate) fn write<R>(
        &self,
        range: Range<u64>,
        fill: impl FnOnce(&mut [u8]) -> R,
    ) -> Result<R, NotWritten> {
        let mut contents = self.contents.write();
        let range = contents.check(range)?;
        contents.keep(&range)?;
        contents.grow(&range)?;
        Ok(fill(&mut contents.bytes_mut()[range]))
    }

    /// Zeroes a byte range.
    pub(crate) fn zero(&self, range: Range<u64>) -> Result<(), NotWritten> {
        let mut contents = self.contents.write();
        let range = contents.check(range)?;
        contents.keep(&range)?;
        let Contents { map, written, .. } = &mut *contents;
        let bytes = map.as_deref_mut().unwrap_or_default();
        written.for_each(&range, |extent| bytes[extent].fill(0));
        Ok(())
    }

    /// Truncates the store, or extends it with zeros.
    pub(crate) fn resize(&self, bytes: u64) -> io::Result<()> {
        let mut contents = self.contents.write();
        let reservoir = Arc::clone(contents.share.reservoir());
        let mut resized = Contents::new(bytes, &reservoir)?;
        let kept = 0..resized.bytes().len().min(contents.bytes().len());
        let copied = contents.written.try_for_each(&kept, |extent| {
            resized.overwrite(extent.start, &contents.bytes()[extent])
        });
        copied.map_err(no_memory)?;
        if contents.before.is_some() {
            let before = Contents::with(bytes, &resized.extents(), &reservoir)?;
            resized.before = Some(Box::new(before));
        }
        *contents = resized;
        Ok(())
    }

    /// Returns an independent copy.
    pub(crate) fn copy(&self) -> io::Result<Store> {
        let reservoir = Arc::clone(self.contents.read().share.reservoir());
        Store::from_saved(self.len(), &self.save(), &reservoir)
    }

    pub(crate) fn save(&self) -> Saved {
        let contents = self.contents.read();
        let before = contents.before.as_deref().map(Contents::extents);
        Saved { extents: contents.extents(), before }
    }
}

/// The saved contents of a store.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    extents: Vec<Extent>,
    /// The previous data of the blocks; `None` if it is not kept.
    before: Option<Vec<Extent>>,
}

impl Saved {
    /// The size of the saved data in bytes.
    pub(crate) fn len(&self) -> usize {
        self.extents.iter().chain(self.before.iter().flatten()).map(|it| it.bytes.len()).sum()
    }
}

#[derive(Debug)]
struct Contents {
    /// `None` if the store is empty.
    map: Option<MmapMut>,
    written: Written,
    /// The previous data of the blocks; `None` if it is not kept.
    before: Option<Box<Contents>>,
    /// The memory of the written extents.
    share: Share,
}

fn no_memory(_: NotWritten) -> io::Error {
    io::Error::new(io::ErrorKind::OutOfMemory, "the memory for the contents of LUNs is full")
}

impl Contents {
    fn new(bytes: u64, reservoir: &Arc<Reservoir>) -> io::Result<Contents> {
        let len = usize::try_from(bytes).map_err(|_| io::ErrorKind::OutOfMemory)?;
        // Without reserving swap space, so that a LUN may be larger than the host's memory.
        let map = MmapOptions::new().len(len).no_reserve_swap().map_anon()?;
        let share = Share::of(reservoir);
        Ok(Contents { map: Some(map), written: Written::none_of(len), before: None, share })
    }

    /// Creates contents with these extents; the rest is zeros.
    fn with(bytes: u64, extents: &[Extent], reservoir: &Arc<Reservoir>) -> io::Result<Contents> {
        let mut contents = Contents::new(bytes, reservoir)?;
        for extent in extents {
            contents.overwrite(extent.offset, &extent.bytes).map_err(no_memory)?;
        }
        Ok(contents)
    }

    /// Copies the extents that were ever written.
    fn extents(&self) -> Vec<Extent> {
        let mut extents = Vec::new();
        let bytes = self.bytes();
        self.written.for_each(&(0..bytes.len()), |range| {
            extents.push(Extent { offset: range.start, bytes: bytes[range].into() });
        });
        extents
    }

    /// Saves the data of a range that is about to be overwritten. Extents that were never written
    /// contain zeros in both versions.
    fn keep(&mut self, range: &Range<usize>) -> Result<(), NotWritten> {
        let Some(mut before) = self.before.take() else { return Ok(()) };
        let kept = self
            .written
            .try_for_each(range, |extent| before.overwrite(extent.start, &self.bytes()[extent]));
        self.before = Some(before);
        kept
    }

    /// Takes memory for the extents of a range that were never written.
    fn grow(&mut self, range: &Range<usize>) -> Result<(), NotWritten> {
        let bytes = self.written.missing(range) * EXTENT as u64;
        if !self.share.grow(bytes) {
            return Err(NotWritten::Full(self.share.reservoir().when_full()));
        }
        self.written.set(range);
        Ok(())
    }

    fn bytes(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self.map.as_deref_mut().unwrap_or_default()
    }

    fn check(&self, range: Range<u64>) -> Result<Range<usize>, BeyondEnd> {
        match (usize::try_from(range.start), usize::try_from(range.end)) {
            (Ok(start), Ok(end)) if start <= end && end <= self.bytes().len() => Ok(start..end),
            _ => Err(BeyondEnd),
        }
    }

    fn overwrite(&mut self, offset: usize, bytes: &[u8]) -> Result<(), NotWritten> {
        let range = offset..offset + bytes.len();
        self.grow(&range)?;
        self.bytes_mut()[range].copy_from_slice(bytes);
        Ok(())
    }
}

/// A bitmap of the extents that were ever written.
#[derive(Debug)]
struct Written(Vec<u64>);

impl Written {
    fn none_of(len: usize) -> Written {
        Written(vec![0; len.div_ceil(EXTENT).div_ceil(64)])
    }

    /// How many extents of a range were never written.
    fn missing(&self, range: &Range<usize>) -> u64 {
        if range.is_empty() {
            return 0;
        }
        let extents = range.start / EXTENT..=(range.end - 1) / EXTENT;
        extents.filter(|extent| self.0[extent / 64] & (1 << (extent % 64)) == 0).count() as u64
    }

    fn set(&mut self, range: &Range<usize>) {
        if range.is_empty() {
            return;
        }
        for extent in range.start / EXTENT..=(range.end - 1) / EXTENT {
            self.0[extent / 64] |= 1 << (extent % 64);
        }
    }

    /// Calls `act` for the part of each written extent that lies in `range`, in ascending order.
    fn for_each(&self, range: &Range<usize>, mut act: impl FnMut(Range<usize>)) {
        let Ok(()) = self.try_for_each(range, |extent| {
            act(extent);
            Ok::<(), Infallible>(())
        });
    }

    /// The same; ends with the first error.
    fn try_for_each<E>(
        &self,
        range: &Range<usize>,
        mut act: impl FnMut(Range<usize>) -> Result<(), E>,
    ) -> Result<(), E> {
        if range.is_empty() {
            return Ok(());
        }
        let (first, last) = (range.start / EXTENT, (range.end - 1) / EXTENT);
        for word in first / 64..=last / 64 {
            let mut bits = self.0[word];
            while bits != 0 {
                let extent = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if (first..=last).contains(&extent) {
                    let start = (extent * EXTENT).max(range.start);
                    act(start..((extent + 1) * EXTENT).min(range.end))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(bytes: u64) -> Store {
        Store::new(bytes, &Reservoir::unbounded()).unwrap()
    }

    fn bytes(store: &Store, range: Range<u64>) -> Vec<u8> {
        store.read(range, <[u8]>::to_vec).unwrap()
    }

    #[test]
    fn a_new_store_reads_as_zeros_and_keeps_what_is_written() {
        let store = new(1 << 20);
        store.write(70_000..70_004, |to| to.copy_from_slice(b"data")).unwrap();
        assert_eq!(bytes(&store, 69_999..70_005), *b"\0data\0");
    }

    #[test]
    fn nothing_is_beyond_the_end() {
        let store = new(1024);
        assert_eq!(store.read(1024..1025, |_| ()), Err(BeyondEnd));
        assert_eq!(store.write(1000..1025, |_| ()), Err(NotWritten::BeyondEnd));
        assert_eq!(store.zero(0..u64::MAX), Err(NotWritten::BeyondEnd));
        assert_eq!(store.read(1024..1024, <[u8]>::len), Ok(0));
    }

    #[test]
    fn zeroing_stops_at_its_ends() {
        let store = new(1 << 20);
        store.write(0..1 << 20, |to| to.fill(7)).unwrap();
        store.zero(65_000..600_000).unwrap();
        assert_eq!(bytes(&store, 64_999..65_001), [7, 0]);
        assert_eq!(bytes(&store, 599_999..600_001), [0, 7]);
    }

    #[test]
    fn zeroing_64_tib_costs_what_was_written() {
        let store = new(64 << 40);
        store.write(63 << 40..(63 << 40) + 4, |to| to.fill(7)).unwrap();
        store.zero(0..64 << 40).unwrap();
        assert_eq!(bytes(&store, 63 << 40..(63 << 40) + 4), [0; 4]);
    }

    #[test]
    fn resizing_keeps_what_fits_and_adds_zeros() {
        let store = new(1 << 20);
        store.write(0..1 << 20, |to| to.fill(7)).unwrap();
        store.resize(70_000).unwrap();
        assert_eq!(store.read(70_000..70_001, |_| ()), Err(BeyondEnd));
        store.resize(1 << 20).unwrap();
        assert_eq!(bytes(&store, 69_999..70_001), [7, 0]);
    }

    #[test]
    fn what_was_overwritten_is_remembered_once_it_should_be() {
        let store = new(1 << 20);
        store.write(0..4, |to| to.copy_from_slice(b"1st.")).unwrap();
        let before = |store: &Store| store.read_before(0..6, <[u8]>::to_vec).unwrap();
        assert_eq!(before(&store), *b"1st.\0\0", "nobody asked for it: what is there");
        store.remember().unwrap();
        assert_eq!(before(&store), *b"1st.\0\0");
        store.write(0..4, |to| to.copy_from_slice(b"2nd.")).unwrap();
        assert_eq!(before(&store), *b"1st.\0\0");
        let copy = store.copy().unwrap();
        store.write(2..6, |to| to.copy_from_slice(b"3rd.")).unwrap();
        assert_eq!(before(&store), *b"1sd.\0\0", "each byte for itself");
        store.zero(0..6).unwrap();
        assert_eq!((before(&store), bytes(&store, 0..6)), (b"2n3rd.".to_vec(), vec![0; 6]));
        assert_eq!((before(&copy), bytes(&copy, 0..4)), (b"1st.\0\0".to_vec(), b"2nd.".to_vec()));
        store.resize(1 << 19).unwrap();
        assert_eq!(before(&store), [0; 6], "a new size is a new beginning");
    }

    #[test]
    fn what_was_saved_comes_back() {
        let store = new(1 << 20);
        store.write(100_000..200_000, |to| to.fill(9)).unwrap();
        let saved = store.save();
        assert_eq!(saved.len(), 3 << 16, "64 KiB each, from the second to the fourth");
        let copy = Store::from_saved(1 << 20, &saved, &Reservoir::unbounded()).unwrap();
        assert_eq!(bytes(&copy, 0..1 << 20), bytes(&store, 0..1 << 20));
    }

    #[test]
    fn a_write_beyond_the_memory_changes_nothing_and_what_was_written_can_be_written_again() {
        let reservoir = Reservoir::new(3 * EXTENT as u64, WhenFull::Space);
        let store = Store::new(64 << 40, &reservoir).unwrap();
        let other = Store::new(1 << 30, &reservoir).unwrap();
        let write = |store: &Store, at: u64| store.write(at..at + 4, |to| to.fill(7));
        for at in [0, 1 << 40] {
            write(&store, at).unwrap();
        }
        write(&other, 0).unwrap();
        let full = Err(NotWritten::Full(WhenFull::Space));
        assert_eq!(write(&store, 2 << 40), full);
        assert_eq!(write(&other, 1 << 20), full);
        assert_eq!(bytes(&store, 2 << 40..(2 << 40) + 4), [0; 4]);
        assert!(!reservoir.ran_out());
        write(&store, 100).unwrap();
        assert!(other.resize(1 << 29).is_err(), "a copy needs memory, too");
        assert_eq!(bytes(&other, 0..4), [7; 4]);
        drop(store);
        write(&other, 1 << 20).unwrap();
        other.resize(1 << 10).unwrap();
    }

    #[test]
    fn what_was_overwritten_counts_as_well() {
        let reservoir = Reservoir::new(3 * EXTENT as u64, WhenFull::End);
        let store = Store::new(1 << 20, &reservoir).unwrap();
        store.remember().unwrap();
        let write = |at: u64| store.write(at..at + 4, |to| to.fill(7));
        write(0).unwrap();
        write(0).unwrap();
        write(1 << 18).unwrap();
        assert_eq!(write(1 << 18), Err(NotWritten::Full(WhenFull::End)));
        assert!(reservoir.ran_out());
    }
}
