//! `[[step]]`: what the scenario does.

use sansim_array::{AccessState, Apart, Condition, ControllerId, ControllerState, PortId, Sense};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LunTable, Name, Part, PathName, PathsName, personality::words};
use crate::lang::value::{At, Size, TimeSpan};

/// Something the scenario does: exactly one action, `at` a time or `on` an event.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `at` or `on` and one action")]
pub struct Step {
    /// Its name, for other steps, expectations and the report. Default: `step-1` and so on.
    pub name: Option<At<String>>,
    /// When: a time of the story.
    pub at: Option<Name<TimeSpan>>,
    /// When: an event.
    pub on: Option<At<On>>,
    /// How long after the event. Default: "0s".
    pub after: Option<Name<TimeSpan>>,
    /// Action: a part of the array fails.
    pub fail: Option<Name<Part>>,
    /// Action: a part of the array is online again.
    pub restore: Option<Name<Part>>,
    /// Action: a controller changes its state.
    pub set: Option<SetState>,
    /// Action: a controller goes through several states, unless another step changes its state
    /// meanwhile.
    pub phases: Option<At<Phases>>,
    /// Action: a link goes down, comes back or flaps.
    pub link: Option<At<Link>>,
    /// Action: a port is taken away, and its disks with it.
    pub unplug: Option<Name<PortId>>,
    /// Action: a port is put back, and its disks with it.
    pub plug: Option<Name<PortId>>,
    /// Action: an HBA is reset.
    pub reset_hba: Option<At<u64>>,
    /// Action: a LUN changes hands without a host's asking.
    pub own: Option<LunOwner>,
    /// Action: each controller takes itself for the owner of a LUN.
    pub split: Option<At<Split>>,
    /// Action: the controllers agree about the LUN with this number again: on the owner from before.
    pub heal: Option<At<u64>>,
    /// Action: a target port group of a LUN gets a state of its own.
    pub port_group: Option<At<PortGroup>>,
    /// Action: the array does something with a LUN.
    pub condition: Option<At<LunCondition>>,
    /// Action: commands under this hold go on.
    pub release: Option<At<String>>,
    /// Action: this fault rule works from now on.
    pub arm: Option<At<String>>,
    /// Action: this fault rule does not work any longer.
    pub disarm: Option<At<String>>,
    /// Action: a unit attention is queued.
    pub unit_attention: Option<At<UnitAttention>>,
    /// Action: a message to the multipath map, such as "switch_group 2".
    pub message: Option<At<String>>,
    /// Action: paths of the multipath map are reinstated.
    pub reinstate: Option<At<PathsName>>,
    /// Action: a program of the guest is run, without a shell. `{map}`, `{map:lun1}`, `{disk:A0}` and
    /// `{disk:hba0:A0:lun1}` stand for device names.
    pub run: Option<At<Vec<String>>>,
    /// How long the program may run. Default: "30s".
    pub timeout: Option<Name<TimeSpan>>,
    /// Action: a file of the guest is written.
    pub write: Option<At<WriteFile>>,
    /// Action: a LUN appears.
    pub map: Option<At<LunTable>>,
    /// Action: the LUN with this number disappears.
    pub unmap: Option<At<u64>>,
    /// Action: a LUN gets another number.
    pub remap: Option<At<Remap>>,
    /// Action: another volume, empty and with another name, takes the place of the LUN with this number,
    /// and no event tells of it.
    pub replace: Option<At<u64>>,
    /// Action: a LUN changes its size.
    pub resize: Option<Resize>,
    /// Action: a LUN refuses writes, or takes them again.
    pub read_only: Option<ReadOnly>,
    /// Action: the workload is stopped.
    pub stop: Option<StopName>,
    /// Action: the story ends.
    pub end: Option<At<bool>>,
    /// The LUN whose map a `message` or `reinstate` is for. Default: the workload's.
    pub lun: Option<At<u64>>,
}

/// An event to wait for; exactly one.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { fault = \"name\" }")]
pub struct On {
    /// This fault rule fires.
    pub fault: Option<At<String>>,
    /// Which time it fires, from 1. Default: 1.
    pub nth: Option<At<u64>>,
    /// pg_init comes to this round, from 1.
    pub pg_init: Option<At<u64>>,
    /// A LUN comes to a controller.
    pub owner: Option<LunOwner>,
    /// A path fails in the eyes of dm-multipath.
    pub path_failed: Option<At<PathName>>,
    /// A command comes under this hold.
    pub held: Option<At<String>>,
    /// The guest's kernel logs a line with this text.
    pub log: Option<At<String>>,
    /// Another step is done.
    pub step: Option<At<String>>,
    /// The LUN whose map `pg_init` and `path_failed` are about. Default: the workload's.
    pub lun: Option<At<u64>>,
}

/// A LUN and a controller that owns it.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { lun = 0, controller = \"B\" }")]
pub struct LunOwner {
    /// The LUN.
    pub lun: At<u64>,
    /// The controller.
    pub controller: Name<ControllerId>,
}

/// A controller's new state.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { controller = \"A\", state = \"quiescing\" }"
)]
pub struct SetState {
    /// The controller.
    pub controller: Name<ControllerId>,
    /// Its new state.
    pub state: Name<ControllerState>,
}

/// What becomes of a link.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { port = \"A0\", up = false }")]
pub struct Link {
    /// The port it leads to.
    pub port: Name<PortId>,
    /// The HBA it leads from. Default: the port's own link, which is every HBA's.
    pub hba: Option<At<u64>>,
    /// Whether it is up from now on. Default: false.
    pub up: Option<bool>,
    /// It goes down and comes back instead, again and again.
    pub flap: Option<At<Flap>>,
}

/// How a link flaps.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { every = \"1s\", times = 5 }")]
pub struct Flap {
    /// How long it is down, and then up.
    pub every: Name<TimeSpan>,
    /// How many times, at most 1000.
    pub times: At<u64>,
}

/// Controllers that no longer agree about a LUN.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { lun = 0 }")]
pub struct Split {
    /// The LUN.
    pub lun: At<u64>,
    /// What they disagree about. Default: "ownership".
    pub apart: Option<ApartName>,
}

words! {
    /// What controllers disagree about.
    ApartName for Apart {
        /// Who owns the LUN; there is one copy of its data.
        Ownership = "ownership",
        /// Its data as well: what is written through any controller but the owner is lost once they
        /// agree again.
        Data = "data",
    }
}

/// The states that a controller goes through.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { controller = \"A\", through = [{ state = \"booting\", lasts = \"30s\" }] }"
)]
pub struct Phases {
    /// The controller.
    pub controller: Name<ControllerId>,
    /// The states, the first of which begins now.
    pub through: Vec<PhaseTable>,
    /// The state after them. Default: "online".
    pub last: Option<Name<ControllerState>>,
}

/// A state that passes.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { state = \"booting\", lasts = \"30s\" }"
)]
pub struct PhaseTable {
    /// The state.
    pub state: Name<ControllerState>,
    /// How long it lasts.
    pub lasts: Name<TimeSpan>,
}

/// A LUN's new number.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { lun = 1, to = 5 }")]
pub struct Remap {
    /// Its number.
    pub lun: At<u64>,
    /// Its new number, which must be free then.
    pub to: At<u64>,
}

/// A state that a target port group has for a LUN, apart from ownership.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { group = 2, state = \"standby\" }")]
pub struct PortGroup {
    /// The LUN. Default: the workload's.
    pub lun: Option<At<u64>>,
    /// The group, as REPORT TARGET PORT GROUPS numbers it.
    pub group: At<u64>,
    /// The state. Default: the one that ownership gives it.
    pub state: Option<Name<AccessState>>,
}

/// What the array does with a LUN that stands in the way of a host.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { lun = 0, is = \"array-copy\" }")]
pub struct LunCondition {
    /// The LUN.
    pub lun: At<u64>,
    /// What it is.
    pub is: Name<Condition>,
}

/// A unit attention.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { sense = \"06/29/00\" }")]
pub struct UnitAttention {
    /// What it says; its sense key is 06.
    pub sense: Name<Sense>,
    /// The HBA it is for, together with `port`. Default: all.
    pub hba: Option<At<u64>>,
    /// The port it is for, together with `hba`. Default: all.
    pub port: Option<Name<PortId>>,
    /// The LUN it is queued on. Default: all.
    pub lun: Option<At<u64>>,
}

/// A file of the guest to write.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { path = \"/sys/…\", text = \"1\" }")]
pub struct WriteFile {
    /// Its absolute path; placeholders as in `run`, but for kernel names such as `sda`.
    pub path: At<String>,
    /// Its new contents.
    pub text: String,
}

/// A LUN's new size.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { lun = 0, size = \"1GiB\" }")]
pub struct Resize {
    /// The LUN.
    pub lun: At<u64>,
    /// Its new size.
    pub size: Name<Size>,
}

/// Whether a LUN refuses writes.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { lun = 0 }")]
pub struct ReadOnly {
    /// The LUN.
    pub lun: At<u64>,
    /// Whether it refuses writes. Default: true.
    pub read_only: Option<bool>,
}

/// What a step can stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StopName {
    /// The workload.
    Workload,
}
