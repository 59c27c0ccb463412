//! A validated scenario, with every default filled in and every name resolved.

use std::{collections::BTreeSet, time::Duration};

use sansim_stage::{Act, Manager, Setup};

use crate::{Diagnostics, Expectation, Explore, Step, StepAction, Versions};

/// A scenario: the setup, the steps and the expectations. Durations are story times (from the
/// moment the story begins) unless stated otherwise; sizes are in bytes.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The file name without its extension, which is the name of the scenario in reports.
    pub name: String,
    /// The title, one line.
    pub title: String,
    /// The description, empty if there is none.
    pub description: String,
    /// The sources of the story: reports, commits, kernel functions.
    pub cites: Vec<String>,
    /// The entries of docs/handlers.md that the scenario covers.
    pub covers: Vec<String>,
    /// The random seed, if the scenario sets one.
    pub seed: Option<u64>,
    /// The maximum duration of the story. A longer story fails.
    pub limit: Duration,
    /// The end of the story.
    pub ending: Ending,
    /// The guest and the SAN.
    pub setup: Setup,
    /// The steps in the order of the file.
    pub steps: Vec<Step>,
    /// The expectations in the order of the file.
    pub expectations: Vec<Expectation>,
    /// What may come to nothing without failing the run, apart from steps.
    pub may_be_idle: MayBeIdle,
    /// What `sansim explore` may do to it.
    pub explore: Explore,
    /// The warnings about the scenario.
    pub warnings: Diagnostics,
    /// What makes a verdict on the scenario mean nothing. A lab has no verdict and can take the
    /// scenario nevertheless.
    pub untested: Diagnostics,
}

/// What may come to nothing without failing the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MayBeIdle {
    /// The fault rules that need not fire.
    pub faults: BTreeSet<String>,
    /// Whether the workload of the setup need not do any I/O.
    pub workload: bool,
}

/// When a story ends, unless a step ends it earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// This long after every `by` and `at` expectation is decided and every timed step is done.
    Settled(Duration),
    /// After exactly this duration.
    After(Duration),
}

impl Scenario {
    /// The programs that the guest's userland must have: those that manage its maps, and those that
    /// the steps run.
    pub fn wanted_programs(&self) -> impl Iterator<Item = &str> {
        let ran = self.steps.iter().filter_map(|step| match &step.action {
            StepAction::Act(Act::Run { argv, .. }) => argv.first().map(String::as_str),
            _ => None,
        });
        self.setup.guest.services().programs().iter().copied().chain(ran)
    }

    /// The scenario with only the expectations that apply to these versions.
    pub fn on(&self, versions: &Versions) -> Scenario {
        let mut scenario = self.clone();
        scenario.expectations.retain(|expectation| expectation.on.contain(versions));
        scenario
    }

    /// Whether any expectation depends on the version of multipath-tools.
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
