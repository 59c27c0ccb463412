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

/// What came of [`Store::replace`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replaced {
    All,
    /// Nothing was replaced: the byte at this offset in the range is another.
    DiffersAt(usize),
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
        contents.prepare(&range, true)?;
        Ok(fill(&mut contents.bytes_mut()[range]))
    }

    /// Overwrites a byte range with `new` if it contains `expected`, in one step.
    pub(crate) fn replace(
        &self,
        range: Range<u64>,
        expected: &[u8],
        new: &[u8],
    ) -> Result<Replaced, NotWritten> {
        let mut contents = self.contents.write();
        let range = contents.check(range)?;
        let there = contents.bytes()[range.clone()].iter();
        if let Some(at) = there.zip(expected).position(|(byte, expected)| byte != expected) {
            return Ok(Replaced::DiffersAt(at));
        }
        contents.overwrite(range.start, new)?;
        Ok(Replaced::All)
    }

    /// The length in bytes of the part of a range, from its beginning, that contains only zeros (`true`) or
    /// none of whose pieces of `piece` bytes does (`false`).
    pub(crate) fn same_from(
        &self,
        range: Range<u64>,
        piece: usize,
    ) -> Result<(bool, u64), BeyondEnd> {
        let contents = self.contents.read();
        let bytes = &contents.bytes()[contents.check(range)?];
        let is_zero = |piece: &[u8]| piece.iter().all(|byte| *byte == 0);
        let mut pieces = bytes.chunks(piece).map(is_zero);
        let Some(first) = pieces.next() else { return Ok((true, 0)) };
        let more = pieces.take_while(|zero| *zero == first).count() as u64;
        Ok((first, (more + 1) * piece as u64))
    }

    /// Zeroes a byte range.
    pub(crate) fn zero(&self, range: Range<u64>) -> Result<(), NotWritten> {
        let mut contents = self.contents.write();
        let range = contents.check(range)?;
        contents.prepare(&range, false)?;
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
    /// The memory of the written extents, and of those of `before` that were kept after it was created.
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

    /// Prepares a range to be overwritten: takes the memory, and saves the previous data if that is kept. `grows`:
    /// with data in extents that were never written, too. Changes nothing if not all of the memory is there.
    fn prepare(&mut self, range: &Range<usize>, grows: bool) -> Result<(), NotWritten> {
        let Contents { map, written, before, share } = self;
        let mut extents = if grows { written.missing(range) } else { 0 };
        if let Some(before) = before {
            written.for_each(range, |extent| extents += before.written.missing(&extent));
        }
        if !share.grow(extents * EXTENT as u64) {
            return Err(NotWritten::Full(share.reservoir().when_full()));
        }
        if let Some(before) = before {
            let bytes = map.as_deref().unwrap_or_default();
            // Extents that were never written contain zeros in both versions.
            written.for_each(range, |extent| {
                before.written.set(&extent);
                before.bytes_mut()[extent.clone()].copy_from_slice(&bytes[extent]);
            });
        }
        if grows {
            written.set(range);
        }
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
        self.prepare(&range, true)?;
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
mod tests;
