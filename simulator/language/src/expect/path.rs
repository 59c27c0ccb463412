//! `path`: the state of certain paths.

use std::{fmt, sync::Arc};

use sansim_array::{Lun, PortId};
use sansim_protocol::PathState;
use sansim_stage::{Condition, Judgement, PathPattern, World};

use super::{Context, ExpectWord, Expected, Expecting, condition};
use crate::{
    check::{Checker, Shape},
    form::{Many, Name, name, table, words},
    value::At,
};

table! {
    /// The state of particular paths.
    pub(super) struct Path, "`path`" {
        /// The state of particular paths.
        path: Many<PathInState>,
    }
}

table! {
    /// The state of every path through a port.
    struct PathInState, "a table such as { port = \"A0\", state = \"failed\" }" {
        /// The target port of the paths.
        port: Name<PortId>,
        /// The HBA of the paths. Default: every HBA that sees the port.
        hba: Option<At<u64>>,
        /// The state of the paths.
        state: PathStateName,
    }
}

words! {
    /// The state of a path in dm-multipath.
    enum PathStateName for PathState {
        /// The path can be used for I/O.
        Active = "active",
        /// The path is not used until it is reinstated.
        Failed = "failed",
    }
}

#[derive(Debug)]
struct States {
    lun: Lun,
    path: PathPattern,
    state: PathState,
}

impl ExpectWord for Path {
    const EXAMPLE: &'static str = r#"path = { port = "A0", state = "failed" }"#;

    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        let one = |given: &PathInState| {
            let hba = given.hba.as_ref().map(|hba| checker.hba(hba));
            let pattern = PathPattern { hba, port: given.port.0 };
            let path = checker.path(pattern, &given.port.span);
            condition(States { lun: context.lun, path, state: given.state.into() })
        };
        self.path.iter().map(one).collect()
    }
}

impl Condition for States {
    fn judge(&self, world: &World) -> Judgement {
        Judgement::of_map(self.lun, world, |status| {
            let mut words = Vec::new();
            let mut holds = true;
            for path in status.groups.iter().flat_map(|group| &group.paths) {
                let nexus = world.nexus(&path.dev).filter(|nexus| self.path.matches(*nexus));
                let Some(nexus) = nexus else { continue };
                holds &= path.state == self.state;
                let state = PathStateName::from(path.state).word();
                words.push(format!("path {nexus} of LUN {} is {state}", self.lun));
            }
            if words.is_empty() {
                let none = format!("LUN {} has no path over {}", self.lun, self.path);
                return Judgement::new(false, none);
            }
            Judgement::new(holds, words.join(", "))
        })
    }

    fn subjects(&self) -> Vec<String> {
        vec![self.what()]
    }
}

impl States {
    /// The paths in words.
    fn what(&self) -> String {
        format!("path {} of LUN {}", self.path, self.lun)
    }
}

impl Expected for States {
    fn is_about_map_of(&self, lun: Lun) -> bool {
        self.lun == lun
    }

    fn put(&self, table: &mut Expecting) {
        let path = PathInState {
            port: name(self.path.port),
            hba: self.path.hba.map(At::from),
            state: self.state.into(),
        };
        table.push("path", &path);
    }

    fn holds_at_first(&self, _: &Shape) -> bool {
        self.state == PathState::Active
    }
}

impl fmt::Display for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = PathStateName::from(self.state).word();
        write!(f, "{} is {state}", self.what())
    }
}
