//! `identity`: a volume gets another world-wide name.

use sansim_array::{Action, VolumeChange};

use super::{
    ArrayWord,
    notice::{self, Notice},
};
use crate::{
    check::Checker,
    form::{Name, name, table},
    names::Wwid,
    value::At,
};

table! {
    /// Gives a volume another identity: its pages 80h and 83h tell another name. Its data stays.
    pub(crate) struct Identity, "a step" {
        /// Gives a volume another identity: its pages 80h and 83h tell another name. Its data stays.
        pub(super) identity: IdentityTable,
        /// How hosts hear of a change of a volume: "none", one notice, or a list of notices. Default: as
        /// docs/arrays.md says.
        notice: Option<Notice>,
    }
}

table! {
    /// A LUN and its new identity.
    pub(super) struct IdentityTable, "a table such as { lun = 0 }" {
        /// The LUN whose identity changes.
        lun: At<u64>,
        /// The new world-wide name. Default: one that no LUN has had.
        wwid: Option<Name<Wwid>>,
    }
}

impl ArrayWord for Identity {
    const EXAMPLE: &'static str = "identity = { lun = 0 }";

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let wwid = self.identity.wwid.as_ref().map(|wwid| wwid.0.0);
        let change = VolumeChange::Rename { lun: checker.lun(&self.identity.lun), name: wwid };
        notice::action(change, self.notice.as_ref(), checker)
    }

    fn of(action: &Action) -> Option<Self> {
        let (VolumeChange::Rename { lun, name: wwid }, notice) = notice::parts(action)? else {
            return None;
        };
        let wwid = wwid.map(|wwid| name(Wwid(wwid)));
        Some(Identity { identity: IdentityTable { lun: (*lun).into(), wwid }, notice })
    }

    fn words(action: &Action) -> Option<String> {
        notice::words(action, |change| match change {
            VolumeChange::Rename { lun, name: None } => {
                Some(format!("LUN {lun} gets another identity"))
            }
            VolumeChange::Rename { lun, name: Some(name) } => {
                Some(format!("LUN {lun} gets the identity {}", Wwid(*name)))
            }
            _ => None,
        })
    }
}
