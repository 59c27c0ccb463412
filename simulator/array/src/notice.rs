//! Notices from the array to an HBA that the HBA did not request.

use crate::{
    completion::Ticket,
    ids::{EncodedLun, NexusPattern, PortId},
    sense::Sense,
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
        /// The LUN that appeared, as REPORT LUNS lists it for the HBA.
        lun: EncodedLun,
    },
    /// A LUN disappeared from behind a port.
    LunRemoved {
        /// The port behind which the LUN was.
        port: PortId,
        /// The LUN that is gone, as REPORT LUNS listed it for the HBA.
        lun: EncodedLun,
    },
    /// The parameters of a LUN changed.
    ParametersChanged {
        /// The port behind which the LUN is.
        port: PortId,
        /// The LUN whose parameters changed, as REPORT LUNS lists it for the HBA.
        lun: EncodedLun,
        /// The additional sense code (ASC) that says what changed.
        asc: u8,
        /// The additional sense code qualifier (ASCQ).
        ascq: u8,
    },
}

/// How hosts hear of a change of a volume or of its presentation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Notifications {
    /// As arrays do it that follow the standards, with an event of the HBA.
    #[default]
    Usual,
    /// By exactly these; empty for a change without notice.
    Chosen(Vec<Notification>),
}

/// A notification of some nexuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notification {
    /// The nexuses that are notified.
    pub to: NexusPattern,
    /// Whether the HBA gets an event, as it does from a fabric's state change notification. Without one,
    /// the guest keeps its disks as they are.
    pub event: bool,
    /// The unit attention (sense key 6) that is queued. 3F/0E is reported by every LUN of the nexus, any
    /// other by the LUN that has changed.
    pub sense: Option<Sense>,
}

/// What an event of the HBA tells of a LUN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LunEvent {
    /// It is there.
    Added,
    /// It is gone.
    Removed,
    /// Its parameters have changed. The sense says which: 06/2A/09 is its capacity.
    Changed(Sense),
}
