//! What a packet carries, and its place in time.

use std::sync::Arc;

use sansim_array::{CommandRecord, Lun, Nexus, TaskManagement, TmfResponse};
use sansim_time::Time;

use crate::task_tag::TaskTag;

/// The content of a packet that is still to be written. A command and its response share a record.
#[derive(Debug, Clone)]
pub(crate) enum Packet {
    Command(Arc<CommandRecord>),
    DataIn(Arc<CommandRecord>),
    Response(Arc<CommandRecord>),
    Function(Arc<Function>),
    FunctionResponse(Arc<Function>),
    /// Nothing that the guest sent: the file ends here, and this says why.
    End(Nexus, String),
}

impl Packet {
    pub(crate) fn nexus(&self) -> Nexus {
        match self {
            Packet::Command(record) | Packet::DataIn(record) | Packet::Response(record) => {
                record.nexus
            }
            Packet::Function(function) | Packet::FunctionResponse(function) => function.nexus,
            Packet::End(nexus, _) => *nexus,
        }
    }
}

/// A task management function with its response.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) nexus: Nexus,
    /// The number by which the nexus addressed the logical unit.
    pub(crate) lun: Lun,
    pub(crate) function: TaskManagement,
    /// `None` if the function is never answered.
    pub(crate) response: Option<TmfResponse>,
    /// The name of the fault rule that caught the function.
    pub(crate) fault: Option<Arc<str>>,
    pub(crate) tag: TaskTag,
}

/// The place of a packet in the file: by time, then in the order in which a target that does one
/// thing after the other would send them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) at: Time,
    /// Commands come by their numbers, and functions after them.
    pub(crate) turn: Turn,
    pub(crate) leg: Leg,
}

/// The packets of an exchange, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Leg {
    Request,
    Data,
    Response,
}

/// The order of packets of the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Turn {
    Command(u64),
    Function(u64),
}
