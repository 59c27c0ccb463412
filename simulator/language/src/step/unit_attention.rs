//! `unit_attention`: a unit attention is queued.

use sansim_array::{Action, ControllerId, NexusPattern, PortId, Sense};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
    nexuses::To,
    value::At,
};

table! {
    /// Queues a unit attention.
    pub(crate) struct UnitAttention, "a step" {
        /// Queues a unit attention.
        pub(super) unit_attention: At<UnitAttentionTable>,
    }
}

table! {
    /// A unit attention, and the nexuses and LUNs that report it.
    pub(super) struct UnitAttentionTable, "a table such as { sense = \"06/29/00\" }" {
        /// The sense key, ASC and ASCQ; the sense key must be 06.
        sense: Name<Sense>,
        /// The HBA that gets the unit attention. Default: all.
        hba: Option<At<u64>>,
        /// The controller through which the unit attention comes. Default: all.
        controller: Option<Name<ControllerId>>,
        /// The port through which the unit attention comes. Default: all.
        port: Option<Name<PortId>>,
        /// The LUN that reports the unit attention. Default: all.
        lun: Option<At<u64>>,
    }
}

impl ArrayWord for UnitAttention {
    const EXAMPLE: &'static str = r#"unit_attention = { sense = "06/29/00", lun = 0 }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let given = &self.unit_attention;
        let sense = checker.unit_attention(&given.sense);
        let (hba, controller) = (given.hba.as_ref(), given.controller.as_ref());
        let to = checker.nexuses(hba, controller, given.port.as_ref(), &given.span);
        Action::UnitAttention { to, lun: given.lun.as_ref().map(|lun| checker.lun(lun)), sense }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::UnitAttention { to, lun, sense } = *action else { return None };
        let To { hba, controller, port } = To::of(to);
        let (sense, lun) = (name(sense), lun.map(At::from));
        let attention = UnitAttentionTable { sense, hba, controller, port, lun };
        Some(UnitAttention { unit_attention: At::nowhere(attention) })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::UnitAttention { to, lun, sense } = action else { return None };
        let lun = lun.map(|lun| format!(" on LUN {lun}")).unwrap_or_default();
        let to = match *to {
            NexusPattern::ALL => String::new(),
            to => format!(" for {to}"),
        };
        Some(format!("unit attention {sense}{lun}{to}"))
    }
}
