//! Values with their positions.

use std::ops::{Deref, Range};

use sansim_array::{HbaId, Lun};

/// A value with the byte range of the source that it was read from.
#[derive(Debug, Clone)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// The byte range in the source.
    pub span: Range<usize>,
}

impl<T> At<T> {
    /// A value without a position, such as a default.
    pub fn nowhere(value: T) -> Self {
        At { value, span: 0..0 }
    }
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl From<Lun> for At<u64> {
    fn from(lun: Lun) -> Self {
        At::nowhere(lun.0.into())
    }
}

impl From<HbaId> for At<u64> {
    fn from(hba: HbaId) -> Self {
        At::nowhere(hba.0.into())
    }
}
