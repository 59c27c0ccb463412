//! A scenario: checked, with every default filled in and every name resolved.

use std::time::Duration;

use sansim_stage::{Act, Manager, Setup};

use crate::{Diagnostics, Expectation, Step, StepAction, Versions};

/// One story: what there is, what is done to it and what must come of it. Durations are story times (from the
/// moment the story begins) unless said otherwise; sizes are bytes.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The file's name without its extension; what reports call the scenario.
    pub name: String,
    /// One line that says what is shown.
    pub title: String,
    /// More about it, empty if nothing was written.
    pub description: String,
    /// Where the story comes from: reports, commits, kernel functions.
    pub cites: Vec<String>,
    /// Entries of docs/handlers.md that it shows.
    pub covers: Vec<String>,
    /// The seed, if the scenario insists on one.
    pub seed: Option<u64>,
    /// A story that lasts longer fails.
    pub limit: Duration,
    /// When the story is over.
    pub ending: Ending,
    /// The guest and the SAN.
    pub setup: Setup,
    /// What happens, in the order written.
    pub steps: Vec<Step>,
    /// What must be so, in the order written.
    pub expectations: Vec<Expectation>,
    /// What was odd about the scenario but no mistake.
    pub warnings: Diagnostics,
}

/// When a story is over, unless a step ends it before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Once every `by` and `at` expectation is decided and every timed step is done, and this long
    /// after that.
    Settled(Duration),
    /// After exactly so long.
    After(Duration),
}

impl Scenario {
    /// The programs of the guest's userland without which the scenario cannot be run: those that manage
    /// its maps, and those that its steps run.
    pub fn wanted_programs(&self) -> impl Iterator<Item = &str> {
        let ran = self.steps.iter().filter_map(|step| match &step.action {
            StepAction::Act(Act::Run { argv, .. }) => argv.first().map(String::as_str),
            _ => None,
        });
        self.setup.guest.manager.services().programs().iter().copied().chain(ran)
    }

    /// The scenario with what is expected of these versions.
    pub fn on(&self, versions: &Versions) -> Scenario {
        let mut scenario = self.clone();
        scenario.expectations.retain(|expectation| expectation.on.contain(versions));
        scenario
    }

    /// Whether something depends on the version of multipath-tools.
    pub fn asks_for_multipath_tools(&self) -> bool {
        self.expectations.iter().any(|expectation| {
            let mut ranges =
                expectation.known.iter().map(|known| &known.on).chain([&expectation.on]);
            ranges.any(|ranges| ranges.multipath_tools.is_some())
        })
    }

    /// Whether the guest's own multipathd manages the maps.
    pub fn has_multipathd(&self) -> bool {
        matches!(self.setup.guest.manager, Manager::Multipathd(_))
    }
}
