//! The state of a lab, put together from the array and the maps.

use std::collections::BTreeMap;

use sansim_array::{
    Apart, ArrayView, ControllerId, ControllerState, LunCondition, LunView, PortGroupView, PortId,
    Replication, RuleView,
};
use sansim_stage::{Setup, Stage};

use crate::api::{
    ArrayStatus, Clock, ControllerStatus, GroupStatus, HbaStatus, HeldStatus, LabStatus,
    LinkStatus, LunStatus, MapStatus, PathStatus, PortGroupStatus, PortStatus, Status,
};

/// The SAN at one moment.
pub(super) struct Picture<'p> {
    pub(super) setup: &'p Setup,
    pub(super) view: &'p ArrayView,
}

impl Picture<'_> {
    /// The state as far as it is that of the array. There are no maps, no acts and no workloads in
    /// it.
    pub(super) fn status(&self, lab: LabStatus, clock: Clock) -> Status {
        Status {
            lab,
            starting: None,
            clock,
            hbas: self.hbas(),
            links: self.links(),
            arrays: self.arrays(),
            witness: self.setup.is_metro().then_some(self.view.witness),
            controllers: self.controllers(),
            luns: self.view.luns.iter().map(lun_status).collect(),
            faults: Vec::new(),
            broken: Vec::new(),
            workloads: Vec::new(),
            held: HeldStatus::default(),
            history: Vec::new(),
            tour: None,
            capture: None,
        }
    }

    fn hbas(&self) -> Vec<HbaStatus> {
        let status =
            |hba: &sansim_stage::Hba| HbaStatus { hba: hba.id.0, name: hba.id.to_string() };
        self.setup.hbas.iter().map(status).collect()
    }

    fn links(&self) -> Vec<LinkStatus> {
        let links = self.setup.nexuses().map(|nexus| LinkStatus {
            path: nexus.to_string(),
            hba: nexus.hba.0,
            port: nexus.port.to_string(),
            up: self.view.answers(nexus),
        });
        links.collect()
    }

    /// The arrays, if there are several.
    fn arrays(&self) -> Vec<ArrayStatus> {
        let several = self.setup.arrays.iter().filter(|_| self.setup.arrays.len() > 1);
        let status = several.map(|array| {
            let identity = &array.identity;
            ArrayStatus {
                array: identity.name.clone(),
                family: array.personality.handler().to_owned(),
                identity: identity.vendor_and_product(),
                controllers: array.controller_ids().map(|it| it.to_string()).collect(),
                isolated: self.view.isolated.contains(&identity.name),
            }
        });
        status.collect()
    }

    fn controllers(&self) -> Vec<ControllerStatus> {
        let controllers = self.setup.controller_ids().zip(&self.view.controllers);
        let status = controllers.map(|(controller, state)| ControllerStatus {
            controller: controller.to_string(),
            state: state.to_string(),
            since: 0.0,
            ports: self.ports(controller),
        });
        status.collect()
    }

    fn ports(&self, controller: ControllerId) -> Vec<PortStatus> {
        let ports = self.setup.ports().filter(|port| port.controller == controller);
        ports.map(|port| self.port(port)).collect()
    }

    fn port(&self, port: PortId) -> PortStatus {
        PortStatus {
            port: port.to_string(),
            present: !self.view.ports_out.contains(&port),
            up: !self.view.links_down.contains(&(None, port)),
        }
    }
}

fn lun_status(lun: &LunView) -> LunStatus {
    LunStatus {
        lun: lun.lun.0,
        owner: lun.owner.to_string(),
        preferred: lun.preferred.to_string(),
        bytes: lun.bytes,
        read_only: lun.read_only,
        split: lun.split.map(|apart| {
            match apart {
                Apart::Ownership => "ownership",
                Apart::Data => "data",
            }
            .to_owned()
        }),
        condition: match lun.condition {
            LunCondition::None => None,
            condition => Some(condition.to_string()),
        },
        replication: lun.replication.map(|(is, _)| is.to_string()),
        served_by: lun
            .replication
            .map(|(_, serving)| serving.iter().map(|controller| controller.to_string()).collect()),
        port_groups: lun.groups.iter().map(port_group).collect(),
        map: None,
    }
}

fn port_group(group: &PortGroupView) -> PortGroupStatus {
    PortGroupStatus {
        group: group.group,
        ports: group.ports.iter().map(ToString::to_string).collect(),
        state: group.state.to_string(),
    }
}

/// The multipath map of each LUN, by LUN number.
pub(super) fn maps(stage: &Stage<'_>) -> BTreeMap<u16, MapStatus> {
    let maps = stage.maps().statuses().flat_map(|map| {
        let groups = map.groups.iter().enumerate().map(|(index, group)| GroupStatus {
            group: index + 1,
            state: group.state.to_string(),
            paths: group.paths.iter().map(|path| path_status(stage, path)).collect(),
        });
        let status =
            MapStatus { name: map.map.clone(), rounds: map.rounds, groups: groups.collect() };
        stage.world().luns_of(map).into_iter().map(move |lun| (lun.0, status.clone()))
    });
    maps.collect()
}

fn path_status(stage: &Stage<'_>, path: &sansim_protocol::PathStatus) -> PathStatus {
    let paths = stage.paths();
    PathStatus {
        path: paths.nexus(&path.dev).map_or_else(|| path.dev.clone(), |nexus| nexus.to_string()),
        dev: path.dev.clone(),
        disk: paths.at(&path.dev).map(|disk| disk.name.clone()),
        state: path.state.to_string(),
        fails: path.fail_count,
    }
}

/// The state of the array before anything has happened.
pub(super) fn first_view(setup: &Setup) -> ArrayView {
    let luns = setup.luns().map(|config| LunView {
        lun: config.lun,
        mapping: config.mapping.clone(),
        owner: config.owner,
        preferred: config.preferred,
        bytes: config.bytes,
        read_only: config.read_only,
        condition: LunCondition::None,
        split: None,
        replication: config.partner.map(|_| (Replication::Up, config.mapping.presenters())),
        group_states: BTreeMap::new(),
        groups: Vec::new(),
    });
    let rules = setup.faults.iter().map(|rule| RuleView {
        name: rule.name.clone(),
        armed: rule.armed,
        met: 0,
        caught: 0,
    });
    ArrayView {
        controllers: setup.controller_ids().map(|_| ControllerState::Online).collect(),
        isolated: Vec::new(),
        witness: setup.metro.witness,
        ports_out: setup.arrays.iter().flat_map(|array| array.unplugged.clone()).collect(),
        links_down: Vec::new(),
        luns: luns.collect(),
        rules: rules.collect(),
        held: BTreeMap::new(),
    }
}
