//! Fast access to guest memory.

use std::iter::FusedIterator;

use vm_memory::{
    GuestAddress, GuestMemory, GuestMemoryBackend, GuestMemoryRegion, GuestMemoryResult,
    Permissions, VolatileSlice,
    bitmap::MS,
    guest_memory::{GuestMemoryBackendSliceIterator, GuestMemorySliceIterator},
};

/// Guest memory with a fast path for accesses within one region, which nearly all are.
///
/// vm-memory handles every access as a list of parts. A command makes a dozen accesses, and this
/// took a quarter of its time, apart from its data.
pub(super) struct View<'m, M>(pub(super) &'m M);

impl<M: GuestMemoryBackend> GuestMemory for View<'_, M> {
    type PhysicalMemory = M;
    type Bitmap = <M::R as GuestMemoryRegion>::B;

    fn check_range(&self, address: GuestAddress, len: usize, _access: Permissions) -> bool {
        GuestMemoryBackend::check_range(self.0, address, len)
    }

    #[inline]
    fn get_slices<'a>(
        &'a self,
        address: GuestAddress,
        len: usize,
        _access: Permissions,
    ) -> GuestMemoryResult<impl GuestMemorySliceIterator<'a, MS<'a, M>>> {
        let whole = GuestMemoryBackend::get_slice(self.0, address, len).ok();
        // The range spans several regions, or is outside of guest memory.
        let rest = if whole.is_some() { 0 } else { len };
        Ok(Slices { whole, parts: GuestMemoryBackend::get_slices(self.0, address, rest) })
    }

    fn physical_memory(&self) -> Option<&M> {
        Some(self.0)
    }
}

/// The parts of guest memory that an access covers.
struct Slices<'a, M: GuestMemoryBackend> {
    whole: Option<VolatileSlice<'a, MS<'a, M>>>,
    parts: GuestMemoryBackendSliceIterator<'a, M>,
}

impl<'a, M: GuestMemoryBackend> Iterator for Slices<'a, M> {
    type Item = GuestMemoryResult<VolatileSlice<'a, MS<'a, M>>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.whole.take() {
            Some(whole) => Some(Ok(whole)),
            None => self.parts.next(),
        }
    }
}

impl<M: GuestMemoryBackend> FusedIterator for Slices<'_, M> {}

impl<'a, M: GuestMemoryBackend> GuestMemorySliceIterator<'a, MS<'a, M>> for Slices<'a, M> {
    #[inline]
    fn stop_on_error(
        mut self,
    ) -> GuestMemoryResult<impl Iterator<Item = VolatileSlice<'a, MS<'a, M>>>> {
        let first = self.next().transpose()?;
        Ok(first.into_iter().chain(self.parts.map_while(Result::ok)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use vm_memory::{Bytes, GuestMemoryMmap};

    use super::*;

    /// Two adjacent regions, and one after a gap.
    fn memory() -> GuestMemoryMmap<()> {
        let ranges = [0x1000, 0x2000, 0x4000].map(|start| (GuestAddress(start), 0x1000));
        GuestMemoryMmap::from_ranges(&ranges).expect("three pages can be mapped")
    }

    #[test]
    fn what_lies_in_one_region_or_in_two_is_read_as_it_was_written() {
        let memory = memory();
        let view = View(&memory);
        for address in [0x1000, 0x1ffc, 0x1ffd, 0x1fff, 0x2000, 0x4ffc].map(GuestAddress) {
            view.write_slice(b"data", address).expect("it is there");
            let mut read = [0; 4];
            memory.read_slice(&mut read, address).expect("it is there");
            assert_eq!(&read, b"data");
            view.read_slice(&mut read, address).expect("it is there");
            assert_eq!(&read, b"data");
        }
        view.store(0x1234u16, GuestAddress(0x1002), Ordering::Relaxed).expect("it is there");
        assert_eq!(view.load::<u16>(GuestAddress(0x1002), Ordering::Relaxed).ok(), Some(0x1234));
    }

    #[test]
    fn what_is_not_there_is_refused_as_it_is_without_a_view() {
        let memory = memory();
        let view = View(&memory);
        for address in [0, 0xffe, 0x2ffd, 0x3000, 0x4ffd, u64::MAX - 1].map(GuestAddress) {
            assert!(view.write_slice(b"data", address).is_err());
            assert!(view.read_slice(&mut [0; 4], address).is_err());
            let length = |read: vm_memory::GuestMemoryResult<usize>| read.ok();
            assert_eq!(
                length(view.read(&mut [0; 4], address)),
                length(memory.read(&mut [0; 4], address))
            );
        }
        assert!(view.load::<u16>(GuestAddress(0x1fff), Ordering::Relaxed).is_err());
        assert!(view.read_slice(&mut [], GuestAddress(0)).is_ok());
    }
}
