//! What a storage processor answers because of what the array is doing with a LUN.

use crate::{condition::Condition, sense::Sense};

impl Condition {
    /// In place of a trespass.
    pub(super) fn on_trespass(self) -> Option<Sense> {
        (self == Condition::ArrayCopy).then_some(Sense::new(0x05, 0x04, 0x00))
    }

    /// In place of a read or a write.
    pub(super) fn on_medium_access(self) -> Option<Sense> {
        (self == Condition::InactiveSnapshot).then_some(Sense::new(0x05, 0x25, 0x01))
    }
}
