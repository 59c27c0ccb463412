//! The SAN: SCSI, personalities, controllers, LUNs, faults. Pure and deterministic.
//!
//! An [`Array`] has controllers with ports, and LUNs each owned by one controller. An HBA hands it
//! a [`Command`] and the initiator's [`Buffers`] with [`Array::submit`] and acts on the [`Outcome`].
//! Nothing here waits, reads a clock or starts a thread: time comes in as an argument, and a command
//! that must be held back is *parked*, to be gone on with when a [`Notice`] says so.
//!
//! | Subject | Module |
//! |---|---|
//! | what a command is, and its answer | `command`, `completion`, `sense` |
//! | the operations and their CDBs | `operation` |
//! | what a logical unit answers | `scsi` |
//! | how a family of arrays moves a LUN | `personality` |
//! | who keeps whom from a LUN | `reservation` |
//! | what goes wrong, and when | `fault` |
//! | who owns what, and who waits for what | `array` |
//! | the LUNs' contents | `store` |

#![forbid(unsafe_code)]

mod access_state;
mod array;
mod attention;
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
mod reservation;
mod scsi;
mod sense;
mod status;
mod store;
mod task_management;
#[cfg(test)]
mod testing;
mod unit;
mod wire;

pub use access_state::{AccessState, ParseAccessStateError};
pub use array::{Array, ArraySnapshot, Outcome, Transfer};
pub use command::{Buffers, Cdb, Command, DmaError};
pub use completion::{Completion, Ticket};
pub use condition::{Condition, ParseConditionError};
pub use config::{ArrayConfig, ControllerConfig};
pub use controller::{ControllerState, ParseControllerStateError};
pub use error::{ConfigError, RuleError};
pub use families::*;
pub use fault::{
    Action, ActionError, Answer, Chance, CommandFilter, DataFault, Delay, Effect, Fate, FaultRule,
    FunctionFate, FunctionThen, Lose, Matches, OpMatcher, ParseOpError, ParseTmfError, Phase, Then,
    TmfMatcher, Wait, When,
};
pub use identity::Identity;
pub use ids::{ControllerId, HbaId, Lun, Nexus, ParseIdError, PortId};
pub use inquiry_page::{CapturedPage, InquiryPage};
pub use lun_config::LunConfig;
pub use notice::Notice;
pub use observe::{Changed, CommandRecord, LunChange, Observer, Stage, StateChange};
pub use operation::{Class, DataDirection, OPERATIONS, Operation};
pub use ownership::OwnershipPolicy;
pub use scsi::corrupt::Corruption;
pub use sense::{ParseSenseError, Sense, SenseForm};
pub use status::{ServiceResponse, Status};
pub use task_management::{TaskManagement, TmfResponse};
pub use unit::Apart;
