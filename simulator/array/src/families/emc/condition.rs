//! How a storage processor answers because of the condition of a LUN.

use crate::{condition::LunCondition, sense::Sense};

impl LunCondition {
    /// The sense for a trespass, if the condition prevents it.
    pub(super) fn on_trespass(self) -> Option<Sense> {
        (self == LunCondition::ArrayCopy).then_some(Sense::new(0x05, 0x04, 0x00))
    }

    /// The sense for a read or a write, if the condition prevents it.
    pub(super) fn on_medium_access(self) -> Option<Sense> {
        (self == LunCondition::InactiveSnapshot).then_some(Sense::new(0x05, 0x25, 0x01))
    }
}
