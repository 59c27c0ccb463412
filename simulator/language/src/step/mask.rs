//! `mask`: a LUN is masked for some paths.

use sansim_array::{Action, ControllerId, PortId, Shown, VolumeChange};

use super::{
    ArrayWord,
    notice::{self, Notice},
};
use crate::{
    check::Checker,
    form::{Name, table},
    nexuses::To,
    value::At,
};

table! {
    /// Masks a LUN for some paths: to them, nothing is mapped there.
    pub(crate) struct Mask, "a step" {
        /// Masks a LUN for some paths: to them, nothing is mapped there.
        pub(super) mask: At<MaskTable>,
        /// How hosts hear of a change of a volume: "none", one notice, or a list of notices. Default: as
        /// docs/arrays.md says.
        notice: Option<Notice>,
    }
}

table! {
    /// A LUN, and the paths for which it is masked.
    pub(super) struct MaskTable, "a table such as { lun = 0, controller = \"B\" }" {
        /// The LUN, by its own number.
        lun: At<u64>,
        /// The HBA that no longer sees the LUN. Default: all.
        hba: Option<At<u64>>,
        /// The controller through which the LUN is no longer seen. Default: all.
        controller: Option<Name<ControllerId>>,
        /// The port through which the LUN is no longer seen. Default: all.
        port: Option<Name<PortId>>,
    }
}

impl ArrayWord for Mask {
    const EXAMPLE: &'static str = r#"mask = { lun = 0, controller = "B" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let MaskTable { lun, hba, controller, port } = &self.mask.value;
        let span = &self.mask.span;
        let to = checker.nexuses(hba.as_ref(), controller.as_ref(), port.as_ref(), span);
        let change = VolumeChange::Show { lun: checker.lun(lun), to, shown: Shown::Masked };
        notice::action(change, self.notice.as_ref(), checker)
    }

    fn of(action: &Action) -> Option<Self> {
        let (VolumeChange::Show { lun, to, shown: Shown::Masked }, notice) = notice::parts(action)?
        else {
            return None;
        };
        let To { hba, controller, port } = To::of(*to);
        let mask = MaskTable { lun: (*lun).into(), hba, controller, port };
        Some(Mask { mask: At::nowhere(mask), notice })
    }

    fn words(action: &Action) -> Option<String> {
        notice::words(action, |change| match change {
            VolumeChange::Show { lun, to, shown: Shown::Masked } => {
                Some(format!("mask LUN {lun} for {to}"))
            }
            _ => None,
        })
    }
}
