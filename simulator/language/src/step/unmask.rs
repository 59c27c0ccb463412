//! `unmask`: a LUN is shown to some paths.

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
    /// Shows a LUN to some paths, or gives it another number there.
    pub(crate) struct Unmask, "a step" {
        /// Shows a LUN to some paths, or gives it another number there.
        pub(super) unmask: At<UnmaskTable>,
        /// How hosts hear of a change of a volume: "none", one notice, or a list of notices. Default: as
        /// docs/arrays.md says.
        notice: Option<Notice>,
    }
}

table! {
    /// A LUN, and the paths that see it.
    pub(super) struct UnmaskTable, "a table such as { lun = 0, controller = \"B\" }" {
        /// The LUN, by its own number.
        lun: At<u64>,
        /// The HBA that sees the LUN. Default: all.
        hba: Option<At<u64>>,
        /// The controller through which the LUN is seen. Default: all.
        controller: Option<Name<ControllerId>>,
        /// The port through which the LUN is seen. Default: all.
        port: Option<Name<PortId>>,
        /// The number under which it is seen. Default: its own.
        number: Option<At<u64>>,
    }
}

impl ArrayWord for Unmask {
    const EXAMPLE: &'static str = r#"unmask = { lun = 0, controller = "B" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let UnmaskTable { lun, hba, controller, port, number } = &self.unmask.value;
        let span = &self.unmask.span;
        let to = checker.nexuses(hba.as_ref(), controller.as_ref(), port.as_ref(), span);
        let shown = checker.shown(number.as_ref());
        let change = VolumeChange::Show { lun: checker.lun(lun), to, shown };
        notice::action(change, self.notice.as_ref(), checker)
    }

    fn of(action: &Action) -> Option<Self> {
        let (VolumeChange::Show { lun, to, shown }, notice) = notice::parts(action)? else {
            return None;
        };
        let number = match shown {
            Shown::Masked => return None,
            Shown::Own => None,
            Shown::As(number) => Some((*number).into()),
        };
        let To { hba, controller, port } = To::of(*to);
        let unmask = UnmaskTable { lun: (*lun).into(), hba, controller, port, number };
        Some(Unmask { unmask: At::nowhere(unmask), notice })
    }

    fn words(action: &Action) -> Option<String> {
        notice::words(action, |change| match change {
            VolumeChange::Show { lun, to, shown: Shown::Own } => {
                Some(format!("show LUN {lun} to {to}"))
            }
            VolumeChange::Show { lun, to, shown: Shown::As(number) } => {
                Some(format!("show LUN {lun} to {to} as LUN {number}"))
            }
            _ => None,
        })
    }
}
