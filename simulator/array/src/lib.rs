//! The SAN: SCSI, personalities, controllers, LUNs and faults. Pure and deterministic.
//!
//! An [`Array`] has controllers with ports, and LUNs. Each LUN is owned by one controller. An HBA
//! passes a [`Command`] and the initiator's [`Buffers`] to [`Array::submit`] and acts on the
//! [`Disposition`]. Nothing in this crate waits, reads a clock or starts a thread. The time is an
//! argument. A command that must wait is *parked*; a [`Notice`] says when to resume it.
//!
//! Modules import only modules on lower floors, or earlier on the same floor (`tests/layers.rs`).
//! From top to bottom:
//!
//! | Floor | Modules |
//! |---|---|
//! | the array: LUN ownership and parked commands | `array`, and its configuration: `config` |
//! | faults and actions, and reports to the observer | `fault`, `observe` |
//! | SCSI commands that all families share | `scsi` |
//! | the families of arrays, and the trait that each implements | `families`, `personality` |
//! | a LUN: its contents, reservations and unit attentions | `unit`, `reservation`, `attention`, `store` |
//! | types for a command and its outcome | `command`, `operation`, `completion`, `status`, `sense`, `task_management`, `wire`, `notice` |
//! | types for the parts of an array | `ids`, `controller`, `access_state`, `condition`, `inquiry_page`, `identity`, `lun_config`, `ownership`, `error` |
//! | encoding and naming of all these | `encoding`, `names`, `hash` |

#![forbid(unsafe_code)]

mod access_state;
mod array;
mod attention;
mod canary;
mod command;
mod completion;
mod condition;
mod config;
mod controller;
mod encoding;
mod error;
mod families;
mod fault;
mod hash;
mod identity;
pub mod ids;
mod inquiry_page;
mod lun_config;
mod names;
mod notice;
mod observe;
mod operation;
mod ownership;
mod personality;
mod port_groups;
mod reservation;
mod reservoir;
mod scsi;
mod sense;
mod status;
mod store;
mod target;
mod task_management;
#[cfg(test)]
mod testing;
mod unit;
mod wire;

pub use access_state::{AccessState, FarGroups, ParseAccessStateError, PortGroupView};
pub use array::{Array, ArraySnapshot, ArrayView, Disposition, LunView, PortNumbers, Transfer};
pub use canary::Canary;
pub use command::{Buffers, Cdb, Command, DmaError};
pub use completion::{Completion, Ticket};
pub use condition::{LunCondition, ParseConditionError};
pub use config::{ArrayConfig, ControllerConfig, FrameConfig, MetroConfig, WithoutWitness};
pub use controller::{ControllerState, ParseControllerStateError};
pub use error::{ConfigError, RuleError};
pub use families::*;
pub use fault::{
    Action, ActionError, Answer, ArrayState, Chance, CommandFilter, DataFault, Delay, Effect, Fate,
    FaultRule, FunctionFate, FunctionThen, Lose, Matches, OpMatcher, ParseOpError, ParseTmfError,
    Phase, RuleView, Then, TmfMatcher, VolumeChange, Wait, When,
};
pub use identity::{DesignatorKind, Identity};
pub use ids::{
    Addressing, ControllerId, Controllers, EncodedLun, HbaId, Lun, Nexus, NexusPattern,
    ParseIdError, PortId, Ports,
};
pub use inquiry_page::{CapturedPage, InquiryPage};
pub use lun_config::{LunConfig, Mapping, Shown};
pub use notice::{LunEvent, Notice, Notification, Notifications};
pub use observe::{Changed, CommandRecord, LunChange, Observer, Stage, StateChange};
pub use operation::{Class, DataDirection, OPERATIONS, Operation};
pub use ownership::OwnershipPolicy;
pub use port_groups::{CapturedGroup, CapturedGroups};
pub use reservoir::{Reservoir, WhenFull};
pub use scsi::corrupt::Corruption;
pub use sense::{ParseSenseError, Sense, SenseForm};
pub use status::{ServiceResponse, Status};
pub use target::{Lunz, Target};
pub use task_management::{TaskManagement, TmfResponse};
pub use unit::{Apart, Replication, ReplicationLink};
pub use wire::KeptData;
