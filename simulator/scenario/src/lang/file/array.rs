//! `[array]`: the array that the guest sees.

use sansim_array::ControllerId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Name;
use crate::lang::value::{At, Size};

/// The array that the guest sees.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Array {
    /// The family of arrays it belongs to: how it identifies itself and how it is told to move a LUN.
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
    /// How many controllers it has, 1 or 2. Default: 2.
    pub controllers: Option<At<u64>>,
    /// How many ports each controller has, 1 to 10. Default: 2.
    pub ports_per_controller: Option<At<u64>>,
    /// What is particular to the personality `rdac`.
    pub rdac: Option<At<Rdac>>,
}

/// A family of arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PersonalityName {
    /// LSI/Engenio RAID Disk Array Controller, sold as IBM DS4000, Dell MD3000, StorageTek and others.
    Rdac,
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

/// What is particular to the personality `rdac`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Rdac {
    /// What the controller that does not own a LUN does with I/O. Default: "rdac".
    pub mode: Option<RdacModeName>,
    /// The highest LUN that the array says it supports, 1 to 255. Below 32 the guest moves LUNs by
    /// MODE SELECT(6) instead of (10). Default: 255.
    pub max_luns: Option<At<u64>>,
    /// What a quiescing controller answers. Default: "not-ready".
    pub quiescence: Option<QuiescenceName>,
}

/// What a quiescing controller answers; firmware families differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuiescenceName {
    /// 02/04/A1, quiescence in progress.
    NotReady,
    /// 02/A1/02, quiescence in progress or achieved.
    Achieved,
    /// 06/8B/02, quiescence in progress.
    UnitAttention,
}

/// What the controller that does not own a LUN does with I/O.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RdacModeName {
    /// It refuses it until it is told to take the LUN.
    Rdac,
    /// It takes the LUN and serves it (auto volume transfer).
    Avt,
    /// It serves it without taking the LUN.
    Ioship,
}
