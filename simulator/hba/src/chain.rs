//! A descriptor chain as lists of guest memory, and a way to go through them.

use sansim_array::DmaError;
use virtio_queue::DescriptorChain;
use vm_memory::{Bytes, GuestAddress, GuestMemory};

use crate::{malformed::Malformed, tape::Request, wire::MAX_QUEUE_SIZE};

/// The most descriptors of one chain that are followed. Indirect tables may have more, but no
/// driver makes chains longer than the queue.
const MAX_DESCRIPTORS: usize = MAX_QUEUE_SIZE as usize;

/// So many fit without another allocation; a Linux guest's longest chain has 128.
const USUAL_DESCRIPTORS: usize = 130;

/// The bytes of the longest request that is written down.
const LONGEST: usize = 64 << 20;

/// A piece of guest memory, which need not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segment {
    address: GuestAddress,
    len: u32,
}

/// A descriptor chain, read out of the guest's tables once so that the guest cannot change it while
/// its command is carried out. Made to be used again for chain after chain without allocating.
#[derive(Debug)]
pub(crate) struct Chain {
    head: u16,
    /// Device-readable, then device-writable.
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

    /// Replaces the content by that of `descriptors`. After an error it holds what was found before
    /// the fault, which may be enough to answer it.
    pub(crate) fn load<M: GuestMemory>(
        &mut self,
        mut descriptors: DescriptorChain<&M>,
    ) -> Result<(), Malformed> {
        self.head = descriptors.head_index();
        self.readable.clear();
        self.writable.clear();
        let mut ended = false;
        for count in 0.. {
            // The iterator ends alike at the last descriptor and at the first fault.
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

    /// Replaces the content by that of a request that was written down.
    pub(crate) fn load_request(&mut self, request: &Request) {
        let segment = |address: u64, len| Segment { address: GuestAddress(address), len };
        self.head = request.head;
        self.readable.clear();
        self.readable.extend(request.readable.iter().map(|(at, b)| segment(*at, b.len() as u32)));
        self.writable.clear();
        self.writable.extend(request.writable.iter().map(|(at, len)| segment(*at, *len)));
    }

    /// Writes down what the guest gives and where it wants its answer. Nothing if it gives what is not
    /// there.
    pub(crate) fn write_down<M: GuestMemory>(&self, queue: u16, memory: &M) -> Option<Request> {
        let read = |segment: &Segment| {
            let mut bytes = vec![0; segment.len as usize];
            memory.read_slice(&mut bytes, segment.address).ok()?;
            Some((segment.address.0, bytes))
        };
        // No more than there can be of a command: lengths are the guest's.
        let whole = self.readable().left() <= LONGEST;
        let readable = whole.then(|| self.readable.iter().map(read).collect()).flatten()?;
        let writable = self.writable.iter().map(|part| (part.address.0, part.len)).collect();
        Some(Request { queue, head: self.head, readable, writable })
    }

    /// The index by which the guest knows the chain.
    pub(crate) fn head(&self) -> u16 {
        self.head
    }

    /// The bytes that the guest gives, from the first one.
    pub(crate) fn readable(&self) -> Cursor<'_> {
        Cursor::new(&self.readable)
    }

    /// The bytes that the guest takes, from the first one.
    pub(crate) fn writable(&self) -> Cursor<'_> {
        Cursor::new(&self.writable)
    }
}

/// A place in a list of segments.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    segments: &'a [Segment],
    /// How much of the first segment is behind.
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

    /// How many bytes are ahead.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// Goes on by `len` bytes, or to the end.
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

    /// Copies the next bytes out of the guest's memory: as many as there are.
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

    /// Copies bytes into the guest's memory: as many as fit.
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

    /// The next address, and how many bytes lie there in a row: at least one, or it is the end.
    fn here(&mut self) -> Option<(GuestAddress, usize)> {
        while let Some((segment, rest)) = self.segments.split_first() {
            if self.done < segment.len {
                // An address that wraps around is as far outside of memory as any other.
                let address = segment.address.0.wrapping_add(u64::from(self.done));
                return Some((GuestAddress(address), (segment.len - self.done) as usize));
            }
            self.segments = rest;
            self.done = 0;
        }
        None
    }

    /// `step` is at most what [`Cursor::here`] said, so that it fits a segment's length.
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
