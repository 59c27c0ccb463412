//! `port_group`: a target port group gets an explicit access state for a LUN.

use sansim_array::{AccessState, Action, PortId};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::At,
};

table! {
    /// Sets the access state of a target port group for a LUN, independently of ownership.
    pub(crate) struct PortGroup, "a step" {
        /// Sets the access state of a target port group for a LUN, independently of ownership.
        pub(super) port_group: At<PortGroupTable>,
    }
}

table! {
    /// A target port group and its access state for a LUN, or a port that is offline.
    pub(super) struct PortGroupTable, "a table such as { group = 2, state = \"standby\" }" {
        /// The identifier of the target port group, as in REPORT TARGET PORT GROUPS.
        group: Option<At<u64>>,
        /// Instead of a group, a port: "offline" is a secondary access state, of ports.
        port: Option<Name<PortId>>,
        /// The LUN for which the state applies. Default: the workload's.
        lun: Option<At<u64>>,
        /// The access state. Default: the state that follows from the ownership of the LUN; of a port,
        /// that of its group.
        state: Option<Name<AccessState>>,
    }
}

impl ArrayWord for PortGroup {
    const EXAMPLE: &'static str = r#"port_group = { group = 2, state = "standby" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let given = &self.port_group;
        let lun = checker.lun_or_main(given.lun.as_ref());
        let state = given.state.as_ref().map(|state| state.0);
        match (&given.group, &given.port) {
            (Some(group), None) => {
                let what = "a target port group";
                let group = checker.number(Some(group), 0..=65_535, 1, what) as u16;
                Action::SetGroupState { lun, group, state }
            }
            (None, Some(port)) => {
                if let Some(state) =
                    given.state.as_ref().filter(|state| state.0 != AccessState::Offline)
                {
                    let problem = format!("{} is a state of a group, not of a port", state.0);
                    checker.refuse(&state.span, problem, "write state = \"offline\", or a group");
                }
                let port = checker.port(port);
                Action::SetPortOffline { lun, port, offline: state.is_some() }
            }
            _ => {
                let problem = "a state is that of a group, or of a port";
                checker.refuse(&given.span, problem, "write either `group` or `port`");
                Action::SetGroupState { lun, group: 0, state }
            }
        }
    }

    fn of(action: &Action) -> Option<Self> {
        let table = match *action {
            Action::SetGroupState { lun, group, state } => PortGroupTable {
                lun: Some(lun.into()),
                group: Some(At::nowhere(group.into())),
                port: None,
                state: state.map(name),
            },
            Action::SetPortOffline { lun, port, offline } => PortGroupTable {
                lun: Some(lun.into()),
                group: None,
                port: Some(name(port)),
                state: offline.then(|| name(AccessState::Offline)),
            },
            _ => return None,
        };
        Some(PortGroup { port_group: At::nowhere(table) })
    }

    fn words(action: &Action) -> Option<String> {
        Some(match action {
            Action::SetGroupState { lun, group, state: Some(state) } => {
                format!("target port group {group} is {state} for LUN {lun}")
            }
            Action::SetGroupState { lun, group, state: None } => {
                format!("target port group {group} is as ownership makes it for LUN {lun}")
            }
            Action::SetPortOffline { lun, port, offline: true } => {
                format!("port {port} is offline for LUN {lun}")
            }
            Action::SetPortOffline { lun, port, offline: false } => {
                format!("port {port} is as its group for LUN {lun}")
            }
            _ => return None,
        })
    }
}
