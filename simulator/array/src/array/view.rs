//! A view of the array's state, for people who look at it while it runs.

use std::{collections::BTreeMap, sync::Arc};

use super::state::State;
use crate::{
    access_state::{AccessState, PortGroupView},
    condition::LunCondition,
    controller::ControllerState,
    fault::RuleView,
    ids::{ControllerId, Controllers, HbaId, Lun, Nexus, PortId},
    lun_config::Mapping,
    unit::{Apart, Replication, Unit},
};

/// The state of an array at one moment, without the contents of its LUNs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayView {
    /// The state of each controller, in order.
    pub controllers: Vec<ControllerState>,
    /// The names of the arrays that are isolated.
    pub isolated: Vec<String>,
    /// Whether the witness of the metro cluster is there.
    pub witness: bool,
    /// The ports that are removed.
    pub ports_out: Vec<PortId>,
    /// The links that are down. `None` in place of an HBA for the port's own link.
    pub links_down: Vec<(Option<HbaId>, PortId)>,
    /// The mapped LUNs, in ascending order.
    pub luns: Vec<LunView>,
    /// The fault rules, in the order in which they are tried.
    pub rules: Vec<RuleView>,
    /// The number of commands that are held under each name.
    pub held: BTreeMap<Arc<str>, usize>,
}

/// The state of a LUN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LunView {
    /// The LUN number.
    pub lun: Lun,
    /// Which nexuses see the LUN, and under which number.
    pub mapping: Mapping,
    /// The controller that owns the LUN.
    pub owner: ControllerId,
    /// The controller that is preferred.
    pub preferred: ControllerId,
    /// The size in bytes.
    pub bytes: u64,
    /// Whether writes are refused.
    pub read_only: bool,
    /// The operation of the array that restricts the LUN.
    pub condition: LunCondition,
    /// What the controllers disagree about.
    pub split: Option<Apart>,
    /// The replication between the two arrays that present the LUN, and the controllers of those that
    /// serve it; `None` if one array presents it.
    pub replication: Option<(Replication, Controllers)>,
    /// The explicit access states of target port groups.
    pub group_states: BTreeMap<u16, AccessState>,
    /// The target port groups, in ascending order. Families without ALUA have none.
    pub groups: Vec<PortGroupView>,
}

impl ArrayView {
    /// Whether a command over this nexus reaches a controller that answers.
    pub fn answers(&self, nexus: Nexus) -> bool {
        let carries = |(hba, port): &(Option<HbaId>, PortId)| {
            *port == nexus.port && hba.is_none_or(|hba| hba == nexus.hba)
        };
        let controller = self.controllers.get(nexus.port.controller.index());
        controller.is_some_and(|state| state.answers())
            && !self.ports_out.contains(&nexus.port)
            && !self.links_down.iter().any(carries)
    }

    pub(super) fn of(state: &State) -> Self {
        let links = state.links_down.iter();
        ArrayView {
            controllers: state.controllers.iter().map(|controller| controller.state).collect(),
            isolated: state.isolated_arrays().map(str::to_owned).collect(),
            witness: state.witness,
            ports_out: state.ports_out.iter().copied().collect(),
            links_down: links.map(|link| (link.hba, link.port)).collect(),
            luns: state.units.values().map(|unit| LunView::of(state, unit)).collect(),
            rules: state.faults.views(),
            held: state.parking.held(),
        }
    }
}

impl LunView {
    fn of(state: &State, unit: &Unit) -> Self {
        LunView {
            lun: unit.lun,
            mapping: unit.mapping.clone(),
            owner: unit.owner,
            preferred: unit.preferred,
            bytes: unit.bytes(),
            read_only: unit.read_only,
            condition: unit.condition,
            split: unit.split.as_ref().map(|split| split.apart()),
            replication: unit.stretch.as_ref().map(|it| (it.replication(), it.serving())),
            group_states: unit.group_states.clone(),
            groups: state.family_of(unit.owner).group_views(&state.site_of(unit), unit),
        }
    }
}
