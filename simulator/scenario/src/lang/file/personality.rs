//! What is particular to each family of arrays: `[array.rdac]` and its like.

use sansim_array::{
    AccessState, Condition, FailoverMode, Groups, PersonalityConfig, Quiescence, Reporting, Scope,
    Tpgs,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Name;
use crate::lang::value::{At, Kind, TimeSpan};

/// A word of the language for each variant of an enum of the array's.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident for $target:ty {
        $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)*
        }

        impl From<$name> for $target {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$variant => <$target>::$variant,)*
                }
            }
        }

        impl From<$target> for $name {
            fn from(value: $target) -> Self {
                match value {
                    $(<$target>::$variant => $name::$variant,)*
                }
            }
        }
    };
}

pub(super) use words;

/// A family of arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonalityName {
    /// LSI/Engenio RAID Disk Array Controller, sold as IBM DS4000, Dell MD3000, StorageTek and others.
    Rdac,
    /// EMC CLARiiON and VNX, which are told by a trespass.
    Emc,
    /// HP and Compaq MSA1000, EVA and HSG, which are told by START STOP UNIT.
    HpSw,
    /// Active/passive, for hardware handlers of one's own: told by START STOP UNIT, and known to no
    /// kernel.
    HwHandler,
    /// Asymmetric logical unit access, with target port groups.
    Alua,
}

impl PersonalityName {
    /// That of an array.
    pub fn of(personality: &PersonalityConfig) -> Self {
        match personality {
            PersonalityConfig::Rdac(_) => PersonalityName::Rdac,
            PersonalityConfig::Emc(_) => PersonalityName::Emc,
            PersonalityConfig::HpSw(_) => PersonalityName::HpSw,
            PersonalityConfig::HwHandler(_) => PersonalityName::HwHandler,
            PersonalityConfig::Alua(_) => PersonalityName::Alua,
        }
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            PersonalityName::Rdac => "rdac",
            PersonalityName::Emc => "emc",
            PersonalityName::HpSw => "hp_sw",
            PersonalityName::HwHandler => "hw_handler",
            PersonalityName::Alua => "alua",
        }
    }
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

words! {
    /// What a quiescing controller answers; firmware families differ.
    QuiescenceName for Quiescence {
        /// 02/04/A1, quiescence in progress.
        NotReady = "not-ready",
        /// 02/A1/02, quiescence in progress or achieved.
        Achieved = "achieved",
        /// 06/8B/02, quiescence in progress.
        UnitAttention = "unit-attention",
    }
}

/// What is particular to the personality `emc`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Emc {
    /// How a passive path behaves. Default: "linux".
    pub failover_mode: Option<FailoverModeName>,
    /// The model in the INQUIRY data, 1 to 16 characters. Of one that begins with "FC" the guest
    /// concludes that it must send short trespasses. Default: "CX3-40f".
    pub model: Option<At<String>>,
    /// Whether the INQUIRY data has 36 bytes, without a model. Default: false.
    pub short_inquiry: Option<At<bool>>,
    /// The version in the INQUIRY data, 2 to 6. Below 4 a guest does not ask `DGC RAID` for VPD pages.
    /// Default: 4.
    pub inquiry_version: Option<At<u64>>,
}

words! {
    /// How storage processors share a LUN; in VPD page C0h it is a number.
    FailoverModeName for FailoverMode {
        /// 1: the passive path is not ready.
        PassiveNotReady = "passive-not-ready",
        /// 2: I/O on the passive path moves the LUN there unasked.
        AutoTrespass = "auto-trespass",
        /// 3: the passive path says that it is ready, and refuses I/O.
        PassiveAlwaysReady = "passive-always-ready",
        /// 4: what Linux wants; the passive path is not ready.
        Linux = "linux",
        /// 6: what arrays with ALUA say; otherwise as "linux".
        Alua = "alua",
    }
}

/// What is particular to the personality `hp_sw`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct HpSw {
    /// How long a switch-over takes, during which START STOP UNIT is answered 02/04/03. Default: "0s".
    pub switch_over: Option<Name<TimeSpan>>,
    /// What START STOP UNIT moves. Default: "controller".
    pub moves: Option<MovesName>,
}

/// What START STOP UNIT moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MovesName {
    /// Every LUN of the controller that has the addressed one.
    Controller,
    /// The addressed LUN.
    Lun,
}

/// What is particular to the personality `hw_handler`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct HwHandler {
    /// How long a switch-over takes, during which START STOP UNIT is answered 02/04/03. Default: "0s".
    pub switch_over: Option<Name<TimeSpan>>,
}

/// What is particular to the personality `alua`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Alua {
    /// Who changes access states. Default: "both".
    pub tpgs: Option<TpgsName>,
    /// The state of the target port groups of a controller that does not own a LUN. Default:
    /// "active/non-optimized".
    pub non_owner: Option<Name<AccessState>>,
    /// What forms a target port group. Default: "controller".
    pub groups: Option<GroupsOf>,
    /// Whether REPORT TARGET PORT GROUPS knows the extended header. Default: true.
    pub extended_header: Option<bool>,
    /// The implicit transition time that the extended header tells, in seconds, at most 255; 0 tells
    /// nothing. Default: 0.
    pub transition_time: Option<At<u64>>,
    /// How long a LUN is on its way from one controller to another. Default: "0s".
    pub transition: Option<Name<TimeSpan>>,
    /// Which target port groups are in transition meanwhile. Default: "all".
    pub scope: Option<ScopeName>,
    /// How a transition is told. Default: "not-ready".
    pub reporting: Option<ReportingName>,
    /// Whether the groups of the preferred controller say so. Default: true.
    pub preferred_bit: Option<bool>,
    /// Whether a LUN that the array itself sends to another controller stays where it is once the transition
    /// is over, which 06/2A/07 tells. Default: false.
    pub implicit_fails: Option<bool>,
    /// Bits 6 to 4 of the first byte of each group that REPORT TARGET PORT GROUPS tells, 0 to 7. They
    /// are reserved, and 0 by the standard. Default: 0.
    pub reserved_bits: Option<At<u64>>,
    /// Whether VPD page 83h names the LUN. Default: true.
    pub lun_designator: Option<bool>,
}

words! {
    /// Who changes access states.
    TpgsName for Tpgs {
        /// Nobody: the guest takes it for an array without port groups.
        Never = "none",
        /// The array alone.
        Implicit = "implicit",
        /// Hosts alone.
        Explicit = "explicit",
        /// Both.
        Both = "both",
    }
}

words! {
    /// What forms a target port group.
    GroupsOf for Groups {
        /// The ports of a controller: A's are group 1, B's are group 2.
        Controller = "controller",
        /// Each port for itself, counted from 1.
        Port = "port",
    }
}

words! {
    /// Which target port groups are in transition.
    ScopeName for Scope {
        /// All of them.
        All = "all",
        /// Those of the controller that the LUN goes to.
        Target = "target",
    }
}

words! {
    /// How a transition is told.
    ReportingName for Reporting {
        /// By 02/04/0A, but REPORT TARGET PORT GROUPS is answered.
        NotReady = "not-ready",
        /// By 02/04/0A, to REPORT TARGET PORT GROUPS as well.
        NotReadyAtAll = "not-ready-at-all",
        /// By 06/04/0A, against the standard.
        UnitAttention = "unit-attention",
    }
}

impl Kind for AccessState {
    const EXPECTED: &'static str = "an access state: active/optimized, active/non-optimized, standby, \
                                    unavailable, lba-dependent, offline or transitioning";
    const PATTERN: &'static str = "^(active/optimized|active/non-optimized|standby|unavailable|lba-dependent|offline|transitioning)$";

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AccessState".into()
    }
}

impl Kind for Condition {
    const EXPECTED: &'static str = "a condition: none, array-copy or inactive-snapshot";
    const PATTERN: &'static str = "^(none|array-copy|inactive-snapshot)$";

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Condition".into()
    }
}
