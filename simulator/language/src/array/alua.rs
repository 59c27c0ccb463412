//! `[array.alua]`: settings of the personality `alua`.

use std::time::Duration;

use sansim_array::{
    AccessState, AluaConfig, Groups, PersonalityConfig, PortId, Reporting, Scope, Tpgs,
};
use toml::de::DeValue;

use super::family::Family;
use crate::{
    check::Checker,
    form::{Form, Given, Name, Plain, Problems, Value, name, table, words},
    value::{At, TimeSpan},
};

table! {
    /// Settings of the personality `alua`.
    pub(super) struct Alua, "a table" {
        /// Settings of the personality `alua`.
        alua: Option<At<AluaTable>>,
    }
}

table! {
    /// Settings of the personality `alua`.
    struct AluaTable, "a table" {
        /// Who can change access states (the TPGS field). Default: "both".
        tpgs: Option<TpgsName>,
        /// The access state of the target port groups of a controller that does not own the LUN.
        /// Default: "active/non-optimized".
        non_owner: Option<Name<AccessState>>,
        /// How ports form target port groups: "controller", "port", or a list of groups. Default:
        /// "controller".
        groups: Option<GroupsGiven>,
        /// The identifier of the first target port group, if the groups are not listed, 0 to 65535.
        /// Default: 1; of an array that is not the first, after those of the controllers (or ports)
        /// before it.
        first_group: Option<At<u64>>,
        /// Whether REPORT TARGET PORT GROUPS supports the extended header. Default: true.
        extended_header: Option<bool>,
        /// The implicit transition time that the extended header reports, in seconds, at most 255;
        /// 0 means that none is reported. Default: 0.
        transition_time: Option<At<u64>>,
        /// How long the move of a LUN to another controller takes. Default: "0s".
        transition: Option<Name<TimeSpan>>,
        /// Which target port groups are in transition during the move. Default: "all".
        scope: Option<ScopeName>,
        /// How a controller reports a transition. Default: "not-ready".
        reporting: Option<ReportingName>,
        /// Whether the target port groups of the preferred controller have the PREF bit set.
        /// Default: true.
        preferred_bit: Option<bool>,
        /// Whether implicit transitions fail: a LUN that the array itself moves is still on the old
        /// controller after the transition, and 06/2A/07 (implicit asymmetric access state
        /// transition failed) is reported. Default: false.
        implicit_fails: Option<bool>,
        /// Bits 6 to 4 of the first byte of each target port group descriptor in REPORT TARGET PORT
        /// GROUPS, 0 to 7. The standard reserves these bits and requires 0. Default: 0.
        reserved_bits: Option<At<u64>>,
        /// The access states that REPORT TARGET PORT GROUPS reports as supported. Default: the
        /// states that the groups can have.
        supports: Option<Vec<Name<AccessState>>>,
        /// Whether VPD page 83h has a designator for the LUN. Default: true.
        lun_designator: Option<bool>,
        /// Whether there is VPD page C0h, the unit path report of the CLARiiON line, for which the
        /// checker of multipath-tools for vendor DGC asks. Default: false.
        unit_path_report: Option<bool>,
    }
}

table! {
    /// A target port group.
    struct TargetPortGroup, "a table such as { group = 1, ports = [\"A0\", \"B0\"] }" {
        /// The identifier of the group, 0 to 65535.
        group: At<u64>,
        /// Its ports, which can be of several controllers. A port is in exactly one group.
        ports: At<Vec<Name<PortId>>>,
    }
}

/// The value of `groups`.
#[derive(Debug, Clone)]
enum GroupsGiven {
    Word(GroupsOf),
    List(Vec<TargetPortGroup>),
}

impl Value for GroupsGiven {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match given.get_ref() {
            DeValue::Array(_) => Vec::read(given, problems).map(GroupsGiven::List),
            _ => GroupsOf::read(given, problems).map(GroupsGiven::Word),
        }
    }

    fn write(&self) -> Plain {
        match self {
            GroupsGiven::Word(word) => word.write(),
            GroupsGiven::List(list) => list.write(),
        }
    }

    fn form() -> Form {
        let table = <TargetPortGroup as Value>::form();
        Form::Either(vec![<GroupsOf as Value>::form(), Form::List(Box::new(table))])
    }
}

impl GroupsGiven {
    fn check(&self, checker: &mut Checker<'_>) -> Groups {
        let list = match self {
            GroupsGiven::Word(GroupsOf::Controller) => return Groups::Controller,
            GroupsGiven::Word(GroupsOf::Port) => return Groups::Port,
            GroupsGiven::List(list) => list,
        };
        let group = |table: &TargetPortGroup| {
            let what = "the identifier of a target port group";
            let id = checker.number(Some(&table.group), 0..=65_535, 0, what) as u16;
            (id, table.ports.iter().map(|port| port.0).collect())
        };
        Groups::Listed(list.iter().map(group).collect())
    }

    fn of(groups: &Groups) -> Self {
        let list = match groups {
            Groups::Controller => return GroupsGiven::Word(GroupsOf::Controller),
            Groups::Port => return GroupsGiven::Word(GroupsOf::Port),
            Groups::Listed(list) => list,
        };
        let table = |(group, ports): &(u16, Vec<PortId>)| TargetPortGroup {
            group: At::nowhere(u64::from(*group)),
            ports: At::nowhere(ports.iter().copied().map(name).collect()),
        };
        GroupsGiven::List(list.iter().map(table).collect())
    }
}

words! {
    /// Who can change access states.
    enum TpgsName for Tpgs {
        /// No one: TPGS is 0, and the guest treats the array as one without target port groups.
        Never = "none",
        /// Only the array.
        Implicit = "implicit",
        /// Only hosts, by SET TARGET PORT GROUPS.
        Explicit = "explicit",
        /// Both the array and hosts.
        Both = "both",
    }
}

words! {
    /// How ports form target port groups.
    enum GroupsOf {
        /// One group for each controller, in their order: the ports of A are the first group.
        Controller = "controller",
        /// One group for each port, in their order.
        Port = "port",
    }
}

words! {
    /// Which target port groups are in transition.
    enum ScopeName for Scope {
        /// All target port groups.
        All = "all",
        /// The groups of the controller to which the LUN moves.
        Target = "target",
    }
}

words! {
    /// How a controller reports a transition.
    enum ReportingName for Reporting {
        /// With 02/04/0A; REPORT TARGET PORT GROUPS still works.
        NotReady = "not-ready",
        /// With 02/04/0A, to REPORT TARGET PORT GROUPS too.
        NotReadyAtAll = "not-ready-at-all",
        /// With 06/04/0A, contrary to the standard.
        UnitAttention = "unit-attention",
    }
}

impl Family for Alua {
    const NAME: &'static str = "alua";
    const ABOUT: &'static str =
        "Arrays with asymmetric logical unit access (ALUA) and target port groups.";

    fn check(&self, checker: &mut Checker<'_>) -> PersonalityConfig {
        let default = AluaConfig::default();
        // The groups of an array that is not the first have identifiers that go on from those before.
        let first_of = |groups: &Groups, checker: &Checker<'_>| match groups {
            Groups::Port => checker.shape.ports() as u64 + 1,
            Groups::Controller | Groups::Listed(_) => checker.shape.controllers() as u64 + 1,
        };
        let Some(table) = &self.alua else {
            let first_group = first_of(&default.groups, checker) as u16;
            return PersonalityConfig::Alua(AluaConfig { first_group, ..default });
        };
        let groups = table.groups.as_ref().map_or(Groups::Controller, |it| it.check(checker));
        let time = checker.number(table.transition_time.as_ref(), 0..=255, 0, "`transition_time`");
        let what = "`first_group`";
        let first = first_of(&groups, checker);
        let first = checker.number(table.first_group.as_ref(), 0..=65_535, first, what);
        let bits = checker.number(table.reserved_bits.as_ref(), 0..=7, 0, "`reserved_bits`");
        PersonalityConfig::Alua(AluaConfig {
            tpgs: table.tpgs.map_or(default.tpgs, Into::into),
            non_owner: table.non_owner.as_ref().map_or(default.non_owner, |state| state.0),
            groups,
            first_group: first as u16,
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
            unit_path_report: table.unit_path_report.unwrap_or(default.unit_path_report),
        })
    }

    fn of(personality: &PersonalityConfig) -> Option<Self> {
        let PersonalityConfig::Alua(config) = personality else { return None };
        let table = AluaTable {
            tpgs: Some(config.tpgs.into()),
            non_owner: Some(name(config.non_owner)),
            groups: Some(GroupsGiven::of(&config.groups)),
            first_group: Some(At::nowhere(config.first_group.into())),
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
            unit_path_report: Some(config.unit_path_report),
        };
        Some(Alua { alua: Some(At::nowhere(table)) })
    }
}
