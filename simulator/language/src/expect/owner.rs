//! `owner`: a controller owns a LUN.

use std::{fmt, sync::Arc};

use sansim_array::{ControllerId, Lun};
use sansim_stage::{Condition, Judgement, World};

use super::{Context, ExpectWord, Expected, Expecting, condition};
use crate::{
    check::{Checker, Shape},
    form::{Many, name, table},
    step::LunOwner,
};

table! {
    /// A controller owns a LUN.
    pub(super) struct Owner, "`owner`" {
        /// A controller owns a LUN.
        owner: Many<LunOwner>,
    }
}

#[derive(Debug)]
struct Owns {
    lun: Lun,
    controller: ControllerId,
}

impl ExpectWord for Owner {
    const EXAMPLE: &'static str = r#"owner = { lun = 0, controller = "B" }"#;

    fn check(&self, _: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        let one = |owner: &LunOwner| {
            let controller = checker.controller(&owner.controller);
            condition(Owns { lun: checker.lun(&owner.lun), controller })
        };
        self.owner.iter().map(one).collect()
    }
}

impl Condition for Owns {
    fn judge(&self, world: &World) -> Judgement {
        let lun = self.lun;
        let owner = world.owner(lun);
        let seen = owner.map_or(format!("LUN {lun} is not mapped"), |owner| {
            format!("owner of LUN {lun} is controller {owner}")
        });
        Judgement::new(owner == Some(self.controller), seen)
    }

    fn subjects(&self) -> Vec<String> {
        vec![format!("the owner of LUN {}", self.lun)]
    }
}

impl Expected for Owns {
    fn put(&self, table: &mut Expecting) {
        let owner = LunOwner { lun: self.lun.into(), controller: name(self.controller) };
        table.push("owner", &owner);
    }

    fn holds_at_first(&self, shape: &Shape) -> bool {
        let mut luns = shape.configs.iter();
        luns.any(|config| config.lun == self.lun && config.owner == self.controller)
    }
}

impl fmt::Display for Owns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "owner of LUN {} is controller {}", self.lun, self.controller)
    }
}
