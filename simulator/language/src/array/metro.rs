//! `[metro]`: how two arrays present a LUN as one.

use sansim_array::{AccessState, FarGroups, MetroConfig, WithoutWitness};

use crate::{
    form::{Name, name, table, words},
    value::TimeSpan,
};

table! {
    /// How two arrays present a LUN as one: one that has a `partner`, or that a step stretches.
    #[derive(Default)]
    pub(crate) struct MetroTable, "a table" {
        /// Whether there is a witness as the story begins. While there is one, the array that goes on
        /// after replication was lost is one that reaches it: the one with the preferred controller, if
        /// that does. Default: true.
        witness: Option<bool>,
        /// Which array goes on if replication is lost while the witness is away. Default: "preferred".
        without_witness: Option<WithoutWitnessName>,
        /// How long it takes to decide that. Meanwhile the target port groups of both arrays are in
        /// transition. Default: "3s".
        arbitration: Option<Name<TimeSpan>>,
        /// The access state of the target port groups of the array that does not have the owner.
        /// Default: "active/non-optimized".
        following: Option<Name<AccessState>>,
        /// The access state of the target port groups of an array that does not serve the LUN.
        /// Default: "unavailable".
        suspended: Option<Name<AccessState>>,
        /// How long it takes to copy what an array lacks when replication is back. Default: "10s".
        resync: Option<Name<TimeSpan>>,
        /// When an array reports the target port groups of the other one, too. Default: "connected".
        far_groups: Option<FarGroupsName>,
    }
}

words! {
    /// Which array goes on if replication is lost while the witness is away.
    enum WithoutWitnessName for WithoutWitness {
        /// The one with the preferred controller (bias). If it is the one that is lost, nobody does.
        Preferred = "preferred",
        /// Neither: I/O stops.
        Neither = "neither",
        /// Both that are alive: a split brain.
        Both = "both",
    }
}

words! {
    /// When an array reports the target port groups of the other one.
    enum FarGroupsName for FarGroups {
        /// Never.
        Never = "never",
        /// While they reach each other.
        Connected = "connected",
        /// Always: if they do not reach each other, as unavailable. Linux takes every array's word for every
        /// group, so that this makes it fail paths that work.
        Always = "always",
    }
}

impl MetroTable {
    /// The configuration, with the defaults.
    pub(crate) fn resolved(&self) -> MetroConfig {
        let default = MetroConfig::default();
        let span = |given: &Option<Name<TimeSpan>>, default| {
            given.as_ref().map_or(default, |given| given.0.0)
        };
        let state = |given: &Option<Name<AccessState>>, default| {
            given.as_ref().map_or(default, |given| given.0)
        };
        MetroConfig {
            witness: self.witness.unwrap_or(default.witness),
            without_witness: self.without_witness.map_or(default.without_witness, Into::into),
            arbitration: span(&self.arbitration, default.arbitration),
            following: state(&self.following, default.following),
            suspended: state(&self.suspended, default.suspended),
            resync: span(&self.resync, default.resync),
            far_groups: self.far_groups.map_or(default.far_groups, Into::into),
        }
    }

    /// Whether any key is given.
    pub(crate) fn says_anything(&self) -> bool {
        self.resolved() != MetroConfig::default()
    }

    /// The table that would be read as this configuration; an empty one for the default, so that nothing
    /// is said where no LUN has two arrays.
    pub(crate) fn of(metro: &MetroConfig) -> Self {
        if *metro == MetroConfig::default() {
            return MetroTable::default();
        }
        MetroTable {
            witness: Some(metro.witness),
            without_witness: Some(metro.without_witness.into()),
            arbitration: Some(name(TimeSpan(metro.arbitration))),
            following: Some(name(metro.following)),
            suspended: Some(name(metro.suspended)),
            resync: Some(name(TimeSpan(metro.resync))),
            far_groups: Some(metro.far_groups.into()),
        }
    }
}
