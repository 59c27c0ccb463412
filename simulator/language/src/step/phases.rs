//! `phases`: a controller goes through several states.

use sansim_array::{Action, ControllerId, ControllerState, Phase};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::{At, TimeSpan},
};

/// The most states that a controller goes through in one step.
const MOST: usize = 32;

table! {
    /// A controller goes through several states.
    pub(crate) struct Phases, "a step" {
        /// A controller goes through several states, unless another step changes its state
        /// meanwhile.
        pub(super) phases: At<PhasesTable>,
    }
}

table! {
    /// The states that a controller goes through.
    pub(super) struct PhasesTable, "a table such as { controller = \"A\", through = [{ state = \"booting\", lasts = \"30s\" }] }" {
        /// The controller.
        controller: Name<ControllerId>,
        /// The states, the first of which begins now.
        through: Vec<PhaseTable>,
        /// The state after them. Default: "online".
        last: Option<Name<ControllerState>>,
    }
}

table! {
    /// A state that passes.
    struct PhaseTable, "a table such as { state = \"booting\", lasts = \"30s\" }" {
        /// The state.
        state: Name<ControllerState>,
        /// How long it lasts.
        lasts: Name<TimeSpan>,
    }
}

impl ArrayWord for Phases {
    const EXAMPLE: &'static str =
        r#"phases = { controller = "A", through = [{ state = "booting", lasts = "30s" }] }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let given = &self.phases;
        if given.through.is_empty() || given.through.len() > MOST {
            let problem = format!("a controller goes through 1 to {MOST} states");
            let help = "write for instance through = [{ state = \"booting\", lasts = \"30s\" }]";
            checker.refuse(&given.span, problem, help);
        }
        let phases = given.through.iter();
        let phases = phases.map(|phase| Phase { state: phase.state.0, lasts: phase.lasts.0.0 });
        Action::Phases {
            controller: checker.controller(&given.controller),
            phases: phases.collect(),
            last: given.last.as_ref().map_or(ControllerState::Online, |last| last.0),
        }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::Phases { controller, phases, last } = action else { return None };
        let phases = phases.iter().map(|phase| PhaseTable {
            state: name(phase.state),
            lasts: name(TimeSpan(phase.lasts)),
        });
        let through = PhasesTable {
            controller: name(*controller),
            through: phases.collect(),
            last: Some(name(*last)),
        };
        Some(Phases { phases: At::nowhere(through) })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::Phases { controller, phases, last } = action else { return None };
        let phases: String = phases
            .iter()
            .map(|phase| format!("{} for {}, ", phase.state, TimeSpan(phase.lasts)))
            .collect();
        Some(format!("controller {controller} is {phases}then {last}"))
    }
}
