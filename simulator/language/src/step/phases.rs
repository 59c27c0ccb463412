//! `phases`: a controller goes through several states in succession.

use sansim_array::{Action, ControllerId, ControllerState, Phase};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::{At, TimeSpan},
};

/// The maximum number of states in one `phases` step.
const MOST: usize = 32;

table! {
    /// Takes a controller through several states in succession.
    pub(crate) struct Phases, "a step" {
        /// Takes a controller through several states in succession. A later step that changes the
        /// state of the controller cancels the remaining states.
        pub(super) phases: At<PhasesTable>,
    }
}

table! {
    /// The states of a `phases` step.
    pub(super) struct PhasesTable, "a table such as { controller = \"A\", through = [{ state = \"booting\", lasts = \"30s\" }] }" {
        /// The controller whose state changes.
        controller: Name<ControllerId>,
        /// The temporary states. The first begins at once.
        through: Vec<PhaseTable>,
        /// The state after the last temporary state. Default: "online".
        last: Option<Name<ControllerState>>,
    }
}

table! {
    /// A temporary state and its duration.
    struct PhaseTable, "a table such as { state = \"booting\", lasts = \"30s\" }" {
        /// The state of the controller.
        state: Name<ControllerState>,
        /// The duration of the state.
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
