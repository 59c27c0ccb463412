//! A running SAN and guest: a driver performs acts, the stage reports events, and conditions can be
//! evaluated at any time.
//!
//! [`Setup`] describes the guest and the SAN. [`San`] and [`bring_up`] start them, and [`prepare`]
//! builds the multipath maps in the running guest. Then there is a [`Stage`]: [`Act`] is what can
//! be done to it, [`Incoming`] and [`Event`](event::Event) are what happens, [`World`] is what has
//! been observed so far, [`Condition`] and [`Expectation`] are predicates on it, and [`Trial`]
//! decides expectations as time passes.
//!
//! A driver is a scenario's script, a person, or a random process. The stage depends neither on the
//! scenario language nor on reports; it may import the array, the HBAs, the lab and the agent's
//! protocol.

#![forbid(unsafe_code)]

mod act;
mod bring_up;
mod condition;
mod error;
pub mod event;
mod expectation;
mod fill;
mod guest;
mod hands;
mod idle;
mod incomplete;
mod io;
mod kernel_log;
mod maps;
mod pace;
mod path;
mod placeholder;
mod prepare;
mod san;
mod seen;
mod setup;
mod stage;
mod terminal;
mod text;
mod trial;
mod visible;
mod witness;
mod workloads;
mod world;

pub use act::{Act, Reinstate};
pub use bring_up::{Place, Start, Up, bring_up};
pub use condition::{Condition, Judgement, Miss};
pub use error::StageError;
pub use expectation::{Deadline, Expectation, Symptom};
pub use guest::{Guest, LoadedModule, Paths};
pub use hands::Brought;
pub use idle::{Idle, IdleKind};
pub use incomplete::{Incomplete, Part};
pub use io::IoSeen;
pub use kernel_log::complaint_mark;
pub use maps::Maps;
pub use pace::Pace;
pub use path::PathPattern;
pub use placeholder::{Piece, Placeholder, pieces, placeholder};
pub use prepare::{Prepared, Preparing, prepare};
pub use san::{San, SanError, Wire};
pub use seen::{Awaited, Seen};
pub use setup::{
    Array, Guest as GuestSetup, Hba, Manager, Memory, Multipath, Multipathd, PathGroups, QueueMode,
    Selector, Setup, UdevRules, Workload,
};
pub use stage::{Answer, Before, Incoming, Parts, Stage};
pub use terminal::{Input, Terminal};
pub use text::TextMatch;
pub use trial::{ExpectationResult, SymptomSeen, Trial};
pub use visible::{visible, visible_in_place};
pub use witness::Witness;
pub use world::{CommandFilter, CommandsSeen, Counted, MapSeen, Ran, World};
