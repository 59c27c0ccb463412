//! The SAN: SCSI, personalities, controllers, LUNs, faults. Pure and deterministic.
//!
//! An [`Array`] has controllers with ports, and LUNs each owned by one controller. An HBA hands it
//! a [`Command`] and the initiator's [`Buffers`] with [`Array::submit`] and acts on the [`Outcome`].
//! Nothing here waits, reads a clock or starts a thread: time comes in as an argument, and a command
//! that must be held back is *parked*, to be gone on with when a [`Notice`] says so.
//!
//! Modules import downwards only (`tests/layers.rs`), from the array down to the words:
//!
//! | Floor | Modules |
//! |---|---|
//! | the array: who owns what, and who waits for what | `array`, what it is made of: `config` |
//! | what goes wrong and what is done to it; what is told of it | `fault`, `observe` |
//! | what a LUN answers, whatever its family | `scsi` |
//! | the families of arrays, and what each says of itself | `families`, `personality` |
//! | a LUN: its contents, who keeps whom from it, what waits for whom | `unit`, `reservation`, `attention`, `store` |
//! | words: a command and its answer | `command`, `operation`, `completion`, `status`, `sense`, `task_management`, `wire`, `notice` |
//! | words: what an array consists of | `ids`, `controller`, `access_state`, `condition`, `inquiry_page`, `identity`, `lun_config`, `ownership`, `error` |
//! | words: how all that is written | `encoding`, `names`, `hash` |

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
