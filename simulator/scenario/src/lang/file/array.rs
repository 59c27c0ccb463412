//! `[array]`: the array that the guest sees.

use sansim_array::{ControllerId, PortId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alua, Captured, Emc, HpSw, HwHandler, Name, PersonalityName, Rdac};
use crate::lang::value::{At, Size, TimeSpan};

/// The array that the guest sees.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Array {
    /// The model that it is: a name of `sansim model list`, or a file of one's own whose name ends in
    /// `.toml`, beside the scenario. Every other key of this table wins over the model's.
    pub model: Option<At<String>>,
    /// The family of arrays it belongs to: how it identifies itself and how it is told to move a LUN.
    /// Required unless there is a model.
    pub personality: PersonalityName,
    /// Vendor of the INQUIRY data, 1 to 8 characters. Default: the personality's.
    pub vendor: Option<At<String>>,
    /// Product of the INQUIRY data, 1 to 16 characters. Default: the personality's.
    pub product: Option<At<String>>,
    /// Revision of the INQUIRY data, at most 4 characters. Default: the personality's.
    pub revision: Option<At<String>>,
    /// Serial number, 1 to 16 characters. Default: the personality's.
    pub serial: Option<At<String>>,
    /// The array's own name, its label, at most 30 characters. Default: the personality's.
    pub name: Option<At<String>>,
    /// The LUNs, at least one.
    pub luns: At<Vec<At<LunTable>>>,
    /// How many controllers it has: 1 or 2, with personality `alua` at most 8. Default: 2.
    pub controllers: Option<At<u64>>,
    /// How many ports each controller has, 1 to 10. Default: 2.
    pub ports_per_controller: Option<At<u64>>,
    /// Ports that are not there at first; a step can plug them. Default: none.
    pub unplugged: Option<At<Vec<Name<PortId>>>>,
    /// Pages of INQUIRY data that were captured from a real array. The first that fits holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captured: Vec<At<Captured>>,
    /// What it does about ownership by itself. Default: nothing.
    pub ownership: Option<At<Ownership>>,
    /// What is particular to the personality `rdac`.
    pub rdac: Option<At<Rdac>>,
    /// What is particular to the personality `emc`.
    pub emc: Option<At<Emc>>,
    /// What is particular to the personality `hp_sw`.
    pub hp_sw: Option<At<HpSw>>,
    /// What is particular to the personality `hw_handler`.
    pub hw_handler: Option<At<HwHandler>>,
    /// What is particular to the personality `alua`.
    pub alua: Option<At<Alua>>,
}

/// When LUNs change hands without a host's asking.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { takeover = \"5s\" }")]
pub struct Ownership {
    /// How long a controller is not on line before the next one that is takes its LUNs over. Default:
    /// never.
    pub takeover: Option<Name<TimeSpan>>,
    /// How long a controller is on line again before it gets back the LUNs that prefer it. Default:
    /// never.
    pub failback: Option<Name<TimeSpan>>,
    /// How many medium accesses in a row through a controller that does not own the LUN, but serves it,
    /// move it there. Default: none do.
    pub follow_io: Option<At<u64>>,
    /// How often every LUN moves to the next controller, from the beginning of the story on. Default:
    /// never.
    pub ping_pong: Option<Name<TimeSpan>>,
}

/// A LUN.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { size = \"256MiB\", owner = \"A\" }")]
pub struct LunTable {
    /// Its size.
    pub size: Name<Size>,
    /// The controller that owns it at first.
    pub owner: Name<ControllerId>,
    /// The controller that is preferred as owner. Default: the owner.
    pub preferred: Option<Name<ControllerId>>,
    /// Its number. Default: its place in the list, from 0.
    pub lun: Option<At<u64>>,
    /// Its logical blocks, "512B" or "4KiB". Default: "512B".
    pub block_size: Option<Name<Size>>,
    /// Whether it refuses writes. Default: false.
    pub read_only: Option<bool>,
    /// Its label in the array. Default: `lun` and its number.
    pub label: Option<At<String>>,
}
