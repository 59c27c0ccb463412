//! `stretch`: another array presents a LUN as well.

use sansim_array::{Action, ControllerId, VolumeChange};

use super::{
    ArrayWord,
    notice::{self, Notice},
};
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::{At, TimeSpan},
};

table! {
    /// Has another array present a LUN as well, under the same number and with the same identity. It
    /// serves the LUN when the data has been copied.
    pub(crate) struct Stretch, "a step" {
        /// Has another array present a LUN as well, under the same number and with the same identity. It
        /// serves the LUN when the data has been copied.
        stretch: At<StretchTable>,
        /// How hosts hear of a change of a volume: "none", one notice, or a list of notices. Default: as
        /// docs/arrays.md says.
        notice: Option<Notice>,
    }
}

table! {
    /// A LUN, and the array that is to present it as well.
    struct StretchTable, "a table such as { lun = 0, to = \"C\" }" {
        /// The LUN.
        lun: At<u64>,
        /// The controller of the other array that owns the LUN while its array serves it alone.
        to: Name<ControllerId>,
        /// How long the copying takes. Default: [metro] resync.
        copying: Option<Name<TimeSpan>>,
    }
}

impl ArrayWord for Stretch {
    const EXAMPLE: &'static str = r#"stretch = { lun = 0, to = "C", copying = "20s" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let given = &self.stretch;
        checker.needs_metro(&given.span);
        let change = VolumeChange::Stretch {
            lun: checker.lun(&given.lun),
            to: checker.controller(&given.to),
            copying: given.copying.as_ref().map(|copying| copying.0.0),
        };
        notice::action(change, self.notice.as_ref(), checker)
    }

    fn of(action: &Action) -> Option<Self> {
        let (VolumeChange::Stretch { lun, to, copying }, notice) = notice::parts(action)? else {
            return None;
        };
        let copying = copying.map(|copying| name(TimeSpan(copying)));
        let stretch = StretchTable { lun: (*lun).into(), to: name(*to), copying };
        Some(Stretch { stretch: At::nowhere(stretch), notice })
    }

    fn words(action: &Action) -> Option<String> {
        notice::words(action, |change| match change {
            VolumeChange::Stretch { lun, to, .. } => {
                Some(format!("stretch LUN {lun} to controller {to}"))
            }
            _ => None,
        })
    }
}
