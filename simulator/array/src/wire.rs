//! Transferring a command's data and counting the bytes.

use std::sync::Arc;

use crate::{
    command::{Buffers, DmaError},
    completion::{Completion, Stop},
    status::{ServiceResponse, Status},
};

/// The data that a command transferred, in the direction of its operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptData {
    /// The first bytes.
    pub bytes: Arc<[u8]>,
    /// The number of bytes that were transferred.
    pub transferred: u32,
}

impl From<DmaError> for Stop {
    fn from(_: DmaError) -> Self {
        Stop::Undelivered(ServiceResponse::Failure)
    }
}

/// The initiator's buffers for one command, with counts of the bytes transferred.
pub(crate) struct Wire<'a> {
    buffers: &'a mut dyn Buffers,
    used: usize,
    /// The number of bytes that may still reach the initiator. The rest is dropped.
    reach: usize,
    /// The number of bytes to keep for the command's record.
    keep: usize,
    kept: Vec<u8>,
}

impl<'a> Wire<'a> {
    /// Of the data that is transferred, the first `keep` bytes are kept.
    pub(crate) fn new(buffers: &'a mut dyn Buffers, keep: usize) -> Self {
        Wire { buffers, used: 0, reach: usize::MAX, keep, kept: Vec::new() }
    }

    /// The kept data; `None` if nothing was to be kept, or nothing was transferred.
    pub(crate) fn kept(&mut self) -> Option<KeptData> {
        let kept = std::mem::take(&mut self.kept);
        let transferred = u32::try_from(self.used).unwrap_or(u32::MAX);
        (!kept.is_empty()).then(|| KeptData { bytes: kept.into(), transferred })
    }

    fn keep(&mut self, data: &[u8]) {
        let room = self.keep.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&data[..data.len().min(room)]);
    }

    /// Drops all further data-in.
    pub(crate) fn lose_data_in(&mut self) {
        self.reach = 0;
    }

    /// Limits further data-in to this number of bytes, if there is a limit.
    pub(crate) fn cut_data_in(&mut self, bytes: Option<u32>) {
        self.reach = bytes.map_or(self.reach, |bytes| bytes as usize);
    }

    /// Fails with OVERRUN if the data-in buffer is smaller than `len` bytes.
    pub(crate) fn expect_in(&self, len: u64) -> Result<(), Stop> {
        fits(len, self.buffers.data_in_len())
    }

    /// Fails with OVERRUN if the data-out buffer is smaller than `len` bytes.
    pub(crate) fn expect_out(&self, len: u64) -> Result<(), Stop> {
        fits(len, self.buffers.data_out_len())
    }

    /// Sends parameter data, truncated to the allocation length (SPC-4 4.2.5.6).
    pub(crate) fn send(&mut self, data: &[u8], allocation: usize) -> Result<(), Stop> {
        let data = &data[..data.len().min(allocation)];
        self.expect_in(data.len() as u64)?;
        self.put(data)
    }

    /// Sends all of `data`.
    pub(crate) fn put(&mut self, data: &[u8]) -> Result<(), Stop> {
        let data = &data[..data.len().min(self.reach)];
        if data.is_empty() {
            return Ok(());
        }
        self.reach -= data.len();
        let put = self.buffers.put(data)?.min(data.len());
        self.used += put;
        self.keep(&data[..put]);
        if put < data.len() { Err(OVERRUN) } else { Ok(()) }
    }

    /// Receives a parameter list of `len` bytes.
    pub(crate) fn receive(&mut self, len: u16) -> Result<Vec<u8>, Stop> {
        self.expect_out(len.into())?;
        let mut data = vec![0; len.into()];
        self.take(&mut data)?;
        Ok(data)
    }

    /// Receives data until `data` is full.
    pub(crate) fn take(&mut self, data: &mut [u8]) -> Result<(), Stop> {
        if data.is_empty() {
            return Ok(());
        }
        let taken = self.buffers.take(data)?.min(data.len());
        self.used += taken;
        self.keep(&data[..taken]);
        if taken < data.len() { Err(OVERRUN) } else { Ok(()) }
    }

    /// The number of unused bytes in the buffers, data-in and data-out together.
    pub(crate) fn residual(&self) -> u32 {
        let offered = self.buffers.data_in_len().saturating_add(self.buffers.data_out_len());
        u32::try_from(offered.saturating_sub(self.used)).unwrap_or(u32::MAX)
    }

    /// The completion of a command with this result.
    pub(crate) fn completion(&self, result: Result<(), Stop>) -> Completion {
        let residual = self.residual();
        match result {
            Ok(()) => Completion::good(residual),
            Err(Stop::Check(sense)) => Completion::check(sense, residual),
            Err(Stop::Conflict) => Completion::status(Status::ReservationConflict, residual),
            Err(Stop::Undelivered(response)) => Completion::response(response, residual),
        }
    }
}

const OVERRUN: Stop = Stop::Undelivered(ServiceResponse::Overrun);

fn fits(len: u64, room: usize) -> Result<(), Stop> {
    if len > room as u64 { Err(OVERRUN) } else { Ok(()) }
}
