//! Values that know where they stand.

use std::ops::{Deref, Range};

use sansim_array::{HbaId, Lun};

/// A value and the bytes of the source it was read from.
#[derive(Debug, Clone)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Range<usize>,
}

impl<T> At<T> {
    /// A value that stands nowhere: a default.
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
