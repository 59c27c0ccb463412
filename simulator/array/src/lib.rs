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

mod action;
mod array;
mod attention;
mod command;
mod completion;
mod config;
mod controller;
mod fault;
pub mod ids;
mod notice;
mod observe;
mod operation;
mod ownership;
mod personality;
mod reservation;
mod scsi;
mod sense;
mod store;
#[cfg(test)]
mod testing;

mod unit;

pub use action::{Action, ActionError, Apart, Phase};
pub use array::{Array, ArraySnapshot, Transfer};
pub use command::{Buffers, Cdb, Command, DmaError};
pub use completion::{
    Completion, Outcome, ServiceResponse, Status, TaskManagement, Ticket, TmfResponse,
};
pub use config::{
    ArrayConfig, ConfigError, ControllerConfig, Identity, LunConfig, PersonalityConfig,
};
pub use controller::{ControllerState, ParseControllerStateError};
pub use fault::{
    Answer, Chance, CommandFilter, Corruption, DataFault, Delay, Effect, Fate, FaultRule,
    FunctionFate, FunctionThen, Lose, Matches, OpMatcher, ParseOpError, ParseTmfError, RuleError,
    Then, TmfMatcher, Wait, When,
};
pub use ids::{ControllerId, HbaId, Lun, Nexus, ParseIdError, PortId};
pub use notice::Notice;
pub use observe::{Changed, CommandRecord, LunChange, Observer, Stage, StateChange};
pub use operation::{Class, DataDirection, OPERATIONS, Operation};
pub use ownership::OwnershipPolicy;
pub use personality::{
    alua::{AccessState, AluaConfig, Groups, ParseAccessStateError, Reporting, Scope, Tpgs},
    emc::{Condition, EmcConfig, FailoverMode, InquiryForm, ParseConditionError},
    hp_sw::HpSwConfig,
    hw_handler::HwHandlerConfig,
    rdac::{Quiescence, RdacConfig},
};
pub use scsi::captured::{CapturedPage, InquiryPage};
pub use sense::{ParseSenseError, Sense, SenseForm};
