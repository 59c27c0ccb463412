//! `on = { owner = … }`: a controller becomes the owner of a LUN.

use std::fmt;

use sansim_array::{Changed, ControllerId, Lun};
use sansim_stage::{Awaited, Seen, World};

use super::{Event, OnWord, put};
use crate::{
    check::Checker,
    form::{PlainTable, name, table},
    step::LunOwner,
};

table! {
    /// A controller becomes the owner of a LUN.
    pub(super) struct Owner, "a table such as { fault = \"name\" }" {
        /// A controller becomes the owner of a LUN.
        owner: LunOwner,
    }
}

#[derive(Debug)]
pub(super) struct Comes {
    lun: Lun,
    controller: ControllerId,
}

impl OnWord for Owner {
    const EXAMPLE: &'static str = r#"owner = { lun = 0, controller = "B" }"#;
    type Event = Comes;

    fn check(&self, _: &str, checker: &mut Checker<'_>) -> Comes {
        let controller = checker.controller(&self.owner.controller);
        Comes { lun: checker.lun(&self.owner.lun), controller }
    }
}

impl Event for Comes {
    fn put(&self, table: &mut PlainTable) {
        put(
            &Owner { owner: LunOwner { lun: self.lun.into(), controller: name(self.controller) } },
            table,
        );
    }
}

impl Awaited for Comes {
    fn has_come(&self, seen: &Seen<'_>, _: &World) -> bool {
        let Seen::Change(change) = seen else { return false };
        matches!(change.what, Changed::Owner { lun, to, .. }
            if lun == self.lun && to == self.controller)
    }
}

impl fmt::Display for Comes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LUN {} comes to controller {}", self.lun, self.controller)
    }
}
