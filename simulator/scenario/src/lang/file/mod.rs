//! The tables of a scenario file as they are written. The doc comments here become the descriptions
//! of the JSON Schema, so they speak to the author of a scenario.
//!
//! Whatever may be wrong beyond its form is an [`At`], so that a caret can be put under it.

mod array;
mod captured;
mod expect;
mod fault;
mod guest;
mod hba;
mod many;
mod names;
mod personality;
mod step;
mod workload;

pub use array::{Array, LunTable, Ownership};
pub use captured::{Captured, PageName};
pub use expect::{
    Commands, Expect, FaultFired, Group, Io, KnownFailure, Log, PathStateName, PathWithState,
    Paths, RanTable, StageName, UeventName, Uevents,
};
pub use fault::{
    CorruptionName, Fault, FunctionName, LoseName, ResponseName, SenseFormName, StatusName, Then,
    When,
};
pub use guest::{GroupsName, Guest, ManagerName, Multipath, Multipathd, SelectorName, UdevName};
pub use hba::{Hba, Targets};
pub use many::Many;
pub use names::{ControllersAre, Name, NumberRange, Part, PathName, PathsName, StringOrPath};
pub use personality::{
    Alua, Emc, FailoverModeName, GroupsOf, HpSw, HwHandler, MovesName, PersonalityName,
    QuiescenceName, Rdac, RdacModeName, ReportingName, ScopeName, TpgsName,
};
pub use step::{
    ApartName, Flap, Link, LunCondition, LunOwner, On, PhaseTable, Phases, PortGroup, ReadOnly,
    Remap, Resize, SetState, Split, Step, StopName, UnitAttention, WriteFile,
};
pub use workload::{PatternName, Workload};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::{At, TimeSpan};

/// A sansim scenario: a guest, an array, what is done to them and what must come of it.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a scenario")]
#[schemars(title = "sansim scenario", extend("required" = ["title", "array"]))]
pub struct File {
    /// One line that says what the scenario shows. Required.
    pub title: Option<At<String>>,
    /// More about it, for whoever reads the report.
    pub description: Option<String>,
    /// Where the story comes from: reports, commits, kernel functions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cites: Vec<String>,
    /// Traps, reports and complaints of docs/handlers.md that it shows: "T3", "R1", "G23".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
    /// The seed of everything random, for a scenario that only makes sense with one. Otherwise every
    /// run draws its own, unless the command line gives one.
    pub seed: Option<At<u64>>,
    /// A story that lasts longer than this fails. Default: "120s".
    pub limit: Option<Name<TimeSpan>>,
    /// How long the story goes on once every `by` and `at` expectation is decided and every timed
    /// step is done. Default: "500ms".
    pub settle: Option<Name<TimeSpan>>,
    /// Ends the story after exactly so long, whatever is decided by then.
    pub run_for: Option<Name<TimeSpan>>,
    /// The machine under test.
    #[serde(default)]
    pub guest: Guest,
    /// The array that the guest sees. Required.
    pub array: Option<Array>,
    /// The HBAs through which the guest sees it.
    #[serde(default)]
    pub hba: Hba,
    /// The I/O that runs during the story.
    #[serde(default)]
    pub workload: Workload,
    /// Fault rules: what goes wrong with which commands. The first rule that matches a command
    /// decides about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<At<Fault>>,
    /// What the scenario does, at a time or when something happens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub step: Vec<At<Step>>,
    /// What must come of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<At<Expect>>,
}
