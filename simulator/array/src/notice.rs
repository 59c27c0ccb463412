//! What an HBA must be told without having asked.

use crate::{
    completion::Ticket,
    ids::{Lun, PortId},
};

/// Something that an HBA must act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notice {
    /// Call [`crate::Array::resume`] for this parked command.
    Resume(Ticket),
    /// A LUN appeared behind a port.
    LunAdded {
        /// Through which port it is seen.
        port: PortId,
        /// Which one.
        lun: Lun,
    },
    /// A LUN is gone from a port.
    LunRemoved {
        /// Through which port it was seen.
        port: PortId,
        /// Which one.
        lun: Lun,
    },
    /// A LUN's parameters changed.
    ParametersChanged {
        /// Through which port it is seen.
        port: PortId,
        /// Which one.
        lun: Lun,
        /// The additional sense code that says what changed.
        asc: u8,
        /// Its qualifier.
        ascq: u8,
    },
}
