//! `resize`: the size of a LUN changes.

use sansim_array::{Action, LunConfig, VolumeChange};

use super::{
    ArrayWord,
    notice::{self, Notice},
};
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::{At, Size},
};

table! {
    /// Changes the size of a LUN.
    pub(crate) struct Resize, "a step" {
        /// Changes the size of a LUN.
        pub(super) resize: ResizeTable,
        /// How hosts hear of a change of a volume: "none", one notice, or a list of notices. Default: as
        /// docs/arrays.md says.
        notice: Option<Notice>,
    }
}

table! {
    /// A LUN and its new size.
    pub(super) struct ResizeTable, "a table such as { lun = 0, size = \"1GiB\" }" {
        /// The LUN to resize.
        lun: At<u64>,
        /// The new size of the LUN.
        size: Name<Size>,
    }
}

impl ArrayWord for Resize {
    const EXAMPLE: &'static str = r#"resize = { lun = 0, size = "1GiB" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let ResizeTable { lun, size } = &self.resize;
        let bytes = size.0.0;
        if bytes == 0 || !bytes.is_multiple_of(4096) || bytes > LunConfig::MAX_BYTES {
            let help = "write a multiple of 4KiB, at most 64TiB";
            checker.refuse(&size.span, "no LUN can have this size", help);
        }
        let change = VolumeChange::Resize { lun: checker.lun(lun), bytes };
        notice::action(change, self.notice.as_ref(), checker)
    }

    fn of(action: &Action) -> Option<Self> {
        let (VolumeChange::Resize { lun, bytes }, notice) = notice::parts(action)? else {
            return None;
        };
        let resize = ResizeTable { lun: (*lun).into(), size: name(Size(*bytes)) };
        Some(Resize { resize, notice })
    }

    fn words(action: &Action) -> Option<String> {
        notice::words(action, |change| match change {
            VolumeChange::Resize { lun, bytes } => {
                Some(format!("resize LUN {lun} to {}", Size(*bytes)))
            }
            _ => None,
        })
    }
}
