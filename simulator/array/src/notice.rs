//! Notices from the array to an HBA that the HBA did not request.

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
        /// The port behind which the LUN is.
        port: PortId,
        /// The LUN that appeared.
        lun: Lun,
    },
    /// A LUN disappeared from behind a port.
    LunRemoved {
        /// The port behind which the LUN was.
        port: PortId,
        /// The LUN that is gone.
        lun: Lun,
    },
    /// The parameters of a LUN changed.
    ParametersChanged {
        /// The port behind which the LUN is.
        port: PortId,
        /// The LUN whose parameters changed.
        lun: Lun,
        /// The additional sense code (ASC) that says what changed.
        asc: u8,
        /// The additional sense code qualifier (ASCQ).
        ascq: u8,
    },
}
