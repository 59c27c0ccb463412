//! Descriptor chains as lists of guest memory segments, and a cursor over them.

use sansim_array::DmaError;
use virtio_queue::DescriptorChain;
use vm_memory::{Bytes, GuestAddress, GuestMemory};

use crate::{malformed::Malformed, tape::Request, wire::MAX_QUEUE_SIZE};

/// The maximum number of descriptors in a chain. Indirect tables may have more, but no driver makes
/// a chain longer than the queue.
const MAX_DESCRIPTORS: usize = MAX_QUEUE_SIZE as usize;

/// The initial capacity of a chain. The longest chain of a Linux guest has 128 descriptors.
const USUAL_DESCRIPTORS: usize = 130;

/// The maximum length in bytes of the device-readable part of a recorded request.
const LONGEST: usize = 64 << 20;

/// A segment of guest memory. It may lie outside the guest's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segment {
    address: GuestAddress,
    len: u32,
}

/// A descriptor chain, copied from the guest's tables once, so that the guest cannot change it
/// while its command is carried out. It is reused for further chains without allocating.
#[derive(Debug)]
pub(crate) struct Chain {
    head: u16,
    /// The device-readable segments; the device-writable ones follow.
    readable: Vec<Segment>,
    writable: Vec<Segment>,
}

impl Chain {
    pub(crate) fn new() -> Self {
        Chain {
            head: 0,
            readable: Vec::with_capacity(USUAL_DESCRIPTORS),
            writable: Vec::with_capacity(USUAL_DESCRIPTORS),
        }
    }

    /// Loads a chain. After an error, the segments before the invalid descriptor are available,
    /// which may suffice for a response.
    pub(crate) fn load<M: GuestMemory>(
        &mut self,
        mut descriptors: DescriptorChain<&M>,
    ) -> Result<(), Malformed> {
        self.head = descriptors.head_index();
        self.readable.clear();
        self.writable.clear();
        let mut ended = false;
        for count in 0.. {
            // The iterator ends in the same way at the last descriptor and at an invalid one.
            let Some(descriptor) = descriptors.next() else { break };
            if count == MAX_DESCRIPTORS {
                return Err(Malformed::LongChain);
            }
            ended = !descriptor.has_next();
            let segment = Segment { address: descriptor.addr(), len: descriptor.len() };
            if descriptor.is_write_only() {
                self.writable.push(segment);
            } else if self.writable.is_empty() {
                self.readable.push(segment);
            } else {
                return Err(Malformed::MixedChain);
            }
        }
        if ended { Ok(()) } else { Err(Malformed::BrokenChain) }
    }

    /// Loads the chain of a recorded request.
    pub(crate) fn load_request(&mut self, request: &Request) {
        let segment = |address: u64, len| Segment { address: GuestAddress(address), len };
        self.head = request.head;
        self.readable.clear();
        self.readable.extend(request.readable.iter().map(|(at, b)| segment(*at, b.len() as u32)));
        self.writable.clear();
        self.writable.extend(request.writable.iter().map(|(at, len)| segment(*at, *len)));
    }

    /// Records the data from the guest and the addresses for the response. Returns `None` if the
    /// chain refers to memory that does not exist.
    pub(crate) fn write_down<M: GuestMemory>(&self, queue: u16, memory: &M) -> Option<Request> {
        let read = |segment: &Segment| {
            let mut bytes = vec![0; segment.len as usize];
            memory.read_slice(&mut bytes, segment.address).ok()?;
            Some((segment.address.0, bytes))
        };
        // Limit the length, which the guest controls.
        let whole = self.readable().left() <= LONGEST;
        let readable = whole.then(|| self.readable.iter().map(read).collect()).flatten()?;
        let writable = self.writable.iter().map(|part| (part.address.0, part.len)).collect();
        Some(Request { queue, head: self.head, readable, writable })
    }

    /// The head index of the chain.
    pub(crate) fn head(&self) -> u16 {
        self.head
    }

    /// A cursor at the beginning of the device-readable part.
    pub(crate) fn readable(&self) -> Cursor<'_> {
        Cursor::new(&self.readable)
    }

    /// A cursor at the beginning of the device-writable part.
    pub(crate) fn writable(&self) -> Cursor<'_> {
        Cursor::new(&self.writable)
    }
}

/// A position in a list of segments.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    segments: &'a [Segment],
    /// The number of bytes of the first segment that are consumed.
    done: u32,
    left: usize,
}

impl<'a> Cursor<'a> {
    fn new(segments: &'a [Segment]) -> Self {
        Cursor {
            segments,
            done: 0,
            left: segments.iter().map(|segment| segment.len as usize).sum(),
        }
    }

    /// The number of remaining bytes.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// Advances by `len` bytes, or to the end.
    pub(crate) fn skip(&mut self, len: usize) {
        let mut len = len.min(self.left);
        while let Some((_, available)) = self.here() {
            if len == 0 {
                break;
            }
            let step = len.min(available);
            self.advance(step);
            len -= step;
        }
    }

    /// Reads the next bytes from guest memory, as many as remain. Returns how many there were.
    pub(crate) fn read<M: GuestMemory>(
        &mut self,
        memory: &M,
        into: &mut [u8],
    ) -> Result<usize, DmaError> {
        let mut copied = 0;
        while copied < into.len() {
            let Some((address, available)) = self.here() else { break };
            let step = available.min(into.len() - copied);
            memory.read_slice(&mut into[copied..copied + step], address).map_err(|_| DmaError)?;
            self.advance(step);
            copied += step;
        }
        Ok(copied)
    }

    /// Writes bytes to guest memory, as many as fit. Returns how many fitted.
    pub(crate) fn write<M: GuestMemory>(
        &mut self,
        memory: &M,
        bytes: &[u8],
    ) -> Result<usize, DmaError> {
        let mut copied = 0;
        while copied < bytes.len() {
            let Some((address, available)) = self.here() else { break };
            let step = available.min(bytes.len() - copied);
            memory.write_slice(&bytes[copied..copied + step], address).map_err(|_| DmaError)?;
            self.advance(step);
            copied += step;
        }
        Ok(copied)
    }

    /// The current address and the number of contiguous bytes there, which is at least one; `None`
    /// at the end.
    fn here(&mut self) -> Option<(GuestAddress, usize)> {
        while let Some((segment, rest)) = self.segments.split_first() {
            if self.done < segment.len {
                // An address that wraps around is outside of guest memory in any case.
                let address = segment.address.0.wrapping_add(u64::from(self.done));
                return Some((GuestAddress(address), (segment.len - self.done) as usize));
            }
            self.segments = rest;
            self.done = 0;
        }
        None
    }

    /// `step` must not exceed the length that [`Cursor::here`] returned. Therefore it fits into
    /// `u32`.
    fn advance(&mut self, step: usize) {
        self.done += step as u32;
        self.left -= step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(segments: &[Segment]) -> Cursor<'_> {
        Cursor::new(segments)
    }

    fn memory() -> vm_memory::GuestMemoryMmap<()> {
        vm_memory::GuestMemoryMmap::from_ranges(&[(GuestAddress(0x1000), 0x1000)])
            .expect("a page can be mapped")
    }

    fn segment(address: u64, len: u32) -> Segment {
        Segment { address: GuestAddress(address), len }
    }

    #[test]
    fn bytes_go_through_segments_of_any_length() {
        let memory = memory();
        let segments = [segment(0x1000, 3), segment(0x1100, 0), segment(0x1200, 5)];
        let mut writer = cursor(&segments);
        assert_eq!(writer.left(), 8);
        assert_eq!(writer.write(&memory, b"ab"), Ok(2));
        assert_eq!(writer.write(&memory, b"cdefghij"), Ok(6));
        assert_eq!((writer.left(), writer.write(&memory, b"k")), (0, Ok(0)));

        let mut reader = cursor(&segments);
        reader.skip(2);
        let mut bytes = [0; 10];
        assert_eq!(reader.read(&memory, &mut bytes), Ok(6));
        assert_eq!(&bytes[..6], b"cdefgh");
    }

    #[test]
    fn skipping_stops_at_the_end() {
        let segments = [segment(0x1000, 3), segment(0x1200, 5)];
        let mut place = cursor(&segments);
        place.skip(4);
        assert_eq!(place.left(), 4);
        place.skip(usize::MAX);
        assert_eq!(place.left(), 0);
    }

    #[test]
    fn memory_that_is_not_there_is_an_error() {
        let memory = memory();
        for bad in [segment(0, 4), segment(0x1FFE, 4), segment(u64::MAX - 1, 4)] {
            let segments = [bad];
            assert_eq!(cursor(&segments).write(&memory, b"abcd"), Err(DmaError), "{bad:?}");
            assert_eq!(cursor(&segments).read(&memory, &mut [0; 4]), Err(DmaError), "{bad:?}");
        }
    }
}
