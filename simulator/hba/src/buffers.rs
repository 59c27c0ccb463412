//! A command's data buffers: scatter-gather lists in guest memory.

use sansim_array::{Buffers, DmaError};
use vm_memory::GuestMemory;

use crate::{
    chain::{Chain, Cursor},
    wire::{CommandHeader, RESPONSE_SIZE},
};

/// The parts of a chain after the request header and after the response. Data is copied once,
/// directly between guest memory and the array's store.
pub(crate) struct GuestBuffers<'a, M> {
    memory: &'a M,
    data_in: Cursor<'a>,
    data_in_len: usize,
    data_out: Cursor<'a>,
    data_out_len: usize,
}

impl<'a, M: GuestMemory> GuestBuffers<'a, M> {
    pub(crate) fn new(chain: &'a Chain, memory: &'a M) -> Self {
        let mut data_in = chain.writable();
        data_in.skip(RESPONSE_SIZE);
        let mut data_out = chain.readable();
        data_out.skip(CommandHeader::SIZE);
        let (data_in_len, data_out_len) = (data_in.left(), data_out.left());
        GuestBuffers { memory, data_in, data_in_len, data_out, data_out_len }
    }

    /// The total size of both buffers in bytes.
    pub(crate) fn offered(&self) -> u32 {
        u32::try_from(self.data_in_len + self.data_out_len).unwrap_or(u32::MAX)
    }

    /// The number of bytes written to the guest so far.
    pub(crate) fn filled(&self) -> usize {
        self.data_in_len - self.data_in.left()
    }

    /// The number of bytes read from the guest so far.
    pub(crate) fn taken(&self) -> usize {
        self.data_out_len - self.data_out.left()
    }
}

impl<M: GuestMemory> Buffers for GuestBuffers<'_, M> {
    fn data_in_len(&self) -> usize {
        self.data_in_len
    }

    fn data_out_len(&self) -> usize {
        self.data_out_len
    }

    fn put(&mut self, bytes: &[u8]) -> Result<usize, DmaError> {
        self.data_in.write(self.memory, bytes)
    }

    fn take(&mut self, into: &mut [u8]) -> Result<usize, DmaError> {
        self.data_out.read(self.memory, into)
    }
}
