//! `port_group`: a target port group gets an explicit access state for a LUN.

use sansim_array::{AccessState, Action};

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
    /// A target port group and its access state for a LUN.
    pub(super) struct PortGroupTable, "a table such as { group = 2, state = \"standby\" }" {
        /// The LUN for which the state applies. Default: the workload's.
        lun: Option<At<u64>>,
        /// The identifier of the target port group, as in REPORT TARGET PORT GROUPS.
        group: At<u64>,
        /// The access state. Default: the state that follows from the ownership of the LUN.
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
