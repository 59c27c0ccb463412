//! What a logical unit answers, whatever its array's personality.
//!
//! These functions look at the array and move parameter data; none of them changes anything but the
//! initiator's buffers. What is to change they hand back.

pub(crate) mod access;
pub(crate) mod capacity;
pub(crate) mod captured;
pub(crate) mod corrupt;
pub(crate) mod inquiry;
pub(crate) mod medium;
#[cfg(test)]
mod medium_tests;
pub(crate) mod mode_page;
pub(crate) mod mode_select;
pub(crate) mod mode_sense;
#[cfg(test)]
mod mode_tests;
pub(crate) mod report;
pub(crate) mod vpd;
pub(crate) mod wire;

use crate::{completion::ServiceResponse, sense::Sense};

/// Why a command ends otherwise than well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// CHECK CONDITION with this sense.
    Check(Sense),
    /// RESERVATION CONFLICT.
    Conflict,
    /// The data could not be delivered.
    Undelivered(ServiceResponse),
}

impl From<Sense> for Stop {
    fn from(sense: Sense) -> Self {
        Stop::Check(sense)
    }
}

/// Big-endian numbers of a CDB or parameter list; the range must be there.
pub(crate) fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from(be16(bytes, at)) << 16 | u32::from(be16(bytes, at + 2))
}

pub(crate) fn be64(bytes: &[u8], at: usize) -> u64 {
    u64::from(be32(bytes, at)) << 32 | u64::from(be32(bytes, at + 4))
}

/// ASCII, left-aligned and padded with spaces (SPC-4 4.3.1), cut to the field.
pub(crate) fn put_text(field: &mut [u8], text: &str) {
    field.fill(b' ');
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from;
    }
}
