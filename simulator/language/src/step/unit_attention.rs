//! `unit_attention`: a unit attention is queued.

use sansim_array::{Action, Nexus, PortId, Sense};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::At,
};

/// Sense key UNIT ATTENTION (SPC-4, table 27).
const UNIT_ATTENTION: u8 = 0x06;

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
        /// The HBA of the nexus that gets the unit attention, together with `port`. Default: all.
        hba: Option<At<u64>>,
        /// The port of the nexus that gets the unit attention, together with `hba`. Default: all.
        port: Option<Name<PortId>>,
        /// The LUN that reports the unit attention. Default: all.
        lun: Option<At<u64>>,
    }
}

impl ArrayWord for UnitAttention {
    const EXAMPLE: &'static str = r#"unit_attention = { sense = "06/29/00", lun = 0 }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let given = &self.unit_attention;
        let sense = given.sense.0;
        if sense.key != UNIT_ATTENTION {
            let help = format!("write \"06/{:02x}/{:02x}\"", sense.asc, sense.ascq);
            checker.refuse(&given.sense.span, "the sense key of a unit attention is 06", help);
        }
        let nexus = match (&given.hba, &given.port) {
            (Some(hba), Some(port)) => {
                Some(Nexus { hba: checker.hba(hba), port: checker.port(port) })
            }
            (None, None) => None,
            _ => {
                let help = "name both, or none for every nexus";
                checker.refuse(&given.span, "a nexus is an HBA and a port", help);
                None
            }
        };
        Action::UnitAttention { nexus, lun: given.lun.as_ref().map(|lun| checker.lun(lun)), sense }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::UnitAttention { nexus, lun, sense } = *action else { return None };
        let attention = UnitAttentionTable {
            sense: name(sense),
            hba: nexus.map(|nexus| nexus.hba.into()),
            port: nexus.map(|nexus| name(nexus.port)),
            lun: lun.map(At::from),
        };
        Some(UnitAttention { unit_attention: At::nowhere(attention) })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::UnitAttention { nexus, lun, sense } = action else { return None };
        let lun = lun.map(|lun| format!(" on LUN {lun}")).unwrap_or_default();
        let nexus = nexus.map(|nexus| format!(" for {nexus}")).unwrap_or_default();
        Some(format!("unit attention {sense}{lun}{nexus}"))
    }
}
