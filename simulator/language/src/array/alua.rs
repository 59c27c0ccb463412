//! `[array.alua]`: what is particular to the personality `alua`.

use std::time::Duration;

use sansim_array::{AccessState, AluaConfig, Groups, PersonalityConfig, Reporting, Scope, Tpgs};

use super::family::Family;
use crate::{
    check::Checker,
    form::{Name, name, table, words},
    value::{At, TimeSpan},
};

table! {
    /// What is particular to the personality `alua`.
    pub(super) struct Alua, "a table" {
        /// What is particular to the personality `alua`.
        alua: Option<At<AluaTable>>,
    }
}

table! {
    /// What is particular to the personality `alua`.
    struct AluaTable, "a table" {
        /// Who changes access states. Default: "both".
        tpgs: Option<TpgsName>,
        /// The state of the target port groups of a controller that does not own a LUN. Default:
        /// "active/non-optimized".
        non_owner: Option<Name<AccessState>>,
        /// What forms a target port group. Default: "controller".
        groups: Option<GroupsOf>,
        /// Whether REPORT TARGET PORT GROUPS knows the extended header. Default: true.
        extended_header: Option<bool>,
        /// The implicit transition time that the extended header tells, in seconds, at most 255; 0 tells
        /// nothing. Default: 0.
        transition_time: Option<At<u64>>,
        /// How long a LUN is on its way from one controller to another. Default: "0s".
        transition: Option<Name<TimeSpan>>,
        /// Which target port groups are in transition meanwhile. Default: "all".
        scope: Option<ScopeName>,
        /// How a transition is told. Default: "not-ready".
        reporting: Option<ReportingName>,
        /// Whether the groups of the preferred controller say so. Default: true.
        preferred_bit: Option<bool>,
        /// Whether a LUN that the array itself sends to another controller stays where it is once the transition
        /// is over, which 06/2A/07 tells. Default: false.
        implicit_fails: Option<bool>,
        /// Bits 6 to 4 of the first byte of each group that REPORT TARGET PORT GROUPS tells, 0 to 7. They
        /// are reserved, and 0 by the standard. Default: 0.
        reserved_bits: Option<At<u64>>,
        /// The states that REPORT TARGET PORT GROUPS says the groups support. Default: those that they can
        /// be in.
        supports: Option<Vec<Name<AccessState>>>,
        /// Whether VPD page 83h names the LUN. Default: true.
        lun_designator: Option<bool>,
    }
}

words! {
    /// Who changes access states.
    enum TpgsName for Tpgs {
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
    enum GroupsOf for Groups {
        /// The ports of a controller: A's are group 1, B's are group 2.
        Controller = "controller",
        /// Each port for itself, counted from 1.
        Port = "port",
    }
}

words! {
    /// Which target port groups are in transition.
    enum ScopeName for Scope {
        /// All of them.
        All = "all",
        /// Those of the controller that the LUN goes to.
        Target = "target",
    }
}

words! {
    /// How a transition is told.
    enum ReportingName for Reporting {
        /// By 02/04/0A, but REPORT TARGET PORT GROUPS is answered.
        NotReady = "not-ready",
        /// By 02/04/0A, to REPORT TARGET PORT GROUPS as well.
        NotReadyAtAll = "not-ready-at-all",
        /// By 06/04/0A, against the standard.
        UnitAttention = "unit-attention",
    }
}

impl Family for Alua {
    const NAME: &'static str = "alua";
    const ABOUT: &'static str = "Asymmetric logical unit access, with target port groups.";

    fn check(&self, checker: &mut Checker<'_>) -> PersonalityConfig {
        let default = AluaConfig::default();
        let Some(table) = &self.alua else { return PersonalityConfig::Alua(default) };
        let time = checker.number(table.transition_time.as_ref(), 0..=255, 0, "`transition_time`");
        let bits = checker.number(table.reserved_bits.as_ref(), 0..=7, 0, "`reserved_bits`");
        PersonalityConfig::Alua(AluaConfig {
            tpgs: table.tpgs.map_or(default.tpgs, Into::into),
            non_owner: table.non_owner.as_ref().map_or(default.non_owner, |state| state.0),
            groups: table.groups.map_or(default.groups, Into::into),
            extended_header: table.extended_header.unwrap_or(default.extended_header),
            transition_time: time as u8,
            transition: table.transition.as_ref().map_or(Duration::ZERO, |span| span.0.0),
            scope: table.scope.map_or(default.scope, Into::into),
            reporting: table.reporting.map_or(default.reporting, Into::into),
            preferred_bit: table.preferred_bit.unwrap_or(default.preferred_bit),
            implicit_fails: table.implicit_fails.unwrap_or(default.implicit_fails),
            reserved_bits: bits as u8,
            supports: table.supports.iter().flatten().map(|state| state.0).collect(),
            lun_designator: table.lun_designator.unwrap_or(default.lun_designator),
        })
    }

    fn of(personality: &PersonalityConfig) -> Option<Self> {
        let PersonalityConfig::Alua(config) = personality else { return None };
        let table = AluaTable {
            tpgs: Some(config.tpgs.into()),
            non_owner: Some(name(config.non_owner)),
            groups: Some(config.groups.into()),
            extended_header: Some(config.extended_header),
            transition_time: Some(At::nowhere(config.transition_time.into())),
            transition: Some(name(TimeSpan(config.transition))),
            scope: Some(config.scope.into()),
            reporting: Some(config.reporting.into()),
            preferred_bit: Some(config.preferred_bit),
            implicit_fails: Some(config.implicit_fails),
            reserved_bits: Some(At::nowhere(config.reserved_bits.into())),
            supports: (!config.supports.is_empty())
                .then(|| config.supports.iter().copied().map(name).collect()),
            lun_designator: Some(config.lun_designator),
        };
        Some(Alua { alua: Some(At::nowhere(table)) })
    }
}
