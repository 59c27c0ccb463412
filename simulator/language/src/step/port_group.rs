//! `port_group`: a target port group of a LUN gets a state of its own.

use sansim_array::{AccessState, Action};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::At,
};

table! {
    /// A target port group of a LUN gets a state of its own.
    pub(crate) struct PortGroup, "a step" {
        /// A target port group of a LUN gets a state of its own.
        pub(super) port_group: At<PortGroupTable>,
    }
}

table! {
    /// A state that a target port group has for a LUN, apart from ownership.
    pub(super) struct PortGroupTable, "a table such as { group = 2, state = \"standby\" }" {
        /// The LUN. Default: the workload's.
        lun: Option<At<u64>>,
        /// The group, as REPORT TARGET PORT GROUPS numbers it.
        group: At<u64>,
        /// The state. Default: the one that ownership gives it.
        state: Option<Name<AccessState>>,
    }
}

impl ArrayWord for PortGroup {
    const EXAMPLE: &'static str = r#"port_group = { group = 2, state = "standby" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let given = &self.port_group;
        let lun = checker.lun_or_main(given.lun.as_ref());
        let group = checker.number(Some(&given.group), 1..=80, 1, "a target port group") as u16;
        Action::SetGroupState { lun, group, state: given.state.as_ref().map(|state| state.0) }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::SetGroupState { lun, group, state } = *action else { return None };
        let group = At::nowhere(group.into());
        let table = PortGroupTable { lun: Some(lun.into()), group, state: state.map(name) };
        Some(PortGroup { port_group: At::nowhere(table) })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::SetGroupState { lun, group, state } = action else { return None };
        Some(match state {
            Some(state) => format!("target port group {group} is {state} for LUN {lun}"),
            None => format!("target port group {group} is as ownership makes it for LUN {lun}"),
        })
    }
}
