//! A scenario file as a whole: reading, validation across tables, and writing.

use std::{path::Path, time::Duration};

use sansim_array::{FaultRule, OwnershipPolicy};
use sansim_stage::{Setup, Workload};
use toml::{Spanned, de::DeValue};

use crate::{
    Diagnostic, Diagnostics, Ending, Expectation, MayBeIdle, Scenario, Step, StepAction,
    array::{Arrays, MetroTable},
    check::{Announced, Checker},
    expect::{self, ExpectTable},
    explore::ExploreTable,
    fault::Fault,
    form::{Listed, Name, Plain, PlainTable, Problems, Section, Table, Value, name, table},
    guest::GuestTable,
    hba::HbaTable,
    source::Sources,
    step::StepTable,
    value::{At, TimeSpan},
    workload::WorkloadTable,
};

const DEFAULT_LIMIT: Duration = Duration::from_secs(120);
const DEFAULT_SETTLE: Duration = Duration::from_millis(500);
/// The maximum length of a title, in characters.
const MAX_TITLE: usize = 200;

table! {
    /// A sansim scenario: a guest, an array, the events that happen to them, and the expected
    /// results.
    pub(crate) struct File, "a scenario" {
        /// The title: one line that says what the scenario shows. Required.
        title: Option<At<String>>,
        /// A longer description, for readers of the report.
        description: Option<String>,
        /// The sources of the story: reports, commits, kernel functions.
        cites: Listed<String>,
        /// The traps, reports and complaints of docs/handlers.md that the scenario covers: "T3",
        /// "R1", "G23".
        covers: Listed<String>,
        /// The random seed, for a scenario that only makes sense with a particular one. Default: a
        /// new seed for each run, unless the command line sets one.
        seed: Option<At<u64>>,
        /// The maximum duration of the story. A longer story fails. Default: "120s".
        limit: Option<Name<TimeSpan>>,
        /// How long the story continues after every `by` and `at` expectation is decided and every
        /// timed step is done. Default: "500ms".
        settle: Option<Name<TimeSpan>>,
        /// The exact duration of the story, whatever has been decided by then.
        run_for: Option<Name<TimeSpan>>,
        /// The machine under test.
        guest: Section<GuestTable>,
        /// The array that the guest sees, or a list of arrays. Required.
        array: Arrays,
        /// How two arrays present a LUN as one.
        metro: Section<MetroTable>,
        /// The HBAs through which the guest sees the array.
        hba: Section<HbaTable>,
        /// The I/O that runs during the story.
        workload: Section<WorkloadTable>,
        /// Fault rules: which commands are affected, and how. Only the first rule that matches a
        /// command applies.
        fault: Listed<At<Fault>>,
        /// The actions of the scenario, at a time or when something happens.
        step: Listed<At<StepTable>>,
        /// The expected results.
        expect: Listed<At<ExpectTable>>,
        /// What `sansim explore` may do to the scenario.
        explore: Section<ExploreTable>,
    }
}

/// Reads and validates a scenario. `scenario` is the path of its file.
pub(crate) fn load(
    scenario: &str,
    root: &Spanned<DeValue<'_>>,
    sources: &Sources,
) -> Result<Scenario, Diagnostics> {
    let mut problems = Problems::new(sources);
    let file = File::read(root, &mut problems);
    let mut checker = Checker::new(problems);
    let meant = file.and_then(|file| file.check(scenario, &mut checker));
    let (diagnostics, untested) = checker.into_parts();
    match meant {
        Some(meant) if !diagnostics.has_errors() => {
            Ok(Scenario { warnings: diagnostics, untested, ..meant })
        }
        _ => Err(diagnostics),
    }
}

/// Reports a workload on a LUN that is masked for every path.
fn check_seen(workload: Option<&Workload>, checker: &mut Checker<'_>) {
    let Some(lun) = workload.map(|workload| workload.lun) else { return };
    let config = checker.shape.configs.iter().find(|config| config.lun == lun);
    let masked = config
        .is_some_and(|config| checker.shape.nexuses().all(|nexus| config.number(nexus).is_none()));
    if masked {
        let problem = format!("no path sees LUN {lun}, which the workload is for");
        let help = "show it by its `mapping`, or start the workload by a step once it is shown";
        checker.refuse(&(0..0), problem, help);
    }
}

impl File {
    /// Validates the tables together and converts them; `None` if that is not possible. Mistakes
    /// are reported to `checker`.
    fn check(&self, scenario: &str, checker: &mut Checker<'_>) -> Option<Scenario> {
        let title = self.checked_title(checker);
        let (limit, ending) = self.times(checker);
        if self.array.0.is_empty() {
            let missing = Diagnostic::error("`array` is missing")
                .help("write [array] with a personality and at least one LUN");
            checker.report(&(0..0), missing);
            return None;
        }
        let arrays = self.array.check(scenario, checker)?;
        checker.know_arrays(&arrays);
        if self.metro.says_anything() {
            checker.needs_metro(&self.metro.span);
        }
        let guest = self.guest.check(scenario, &arrays, checker);
        let hbas = self.hba.check(&arrays, guest.cpus, checker);
        checker.know_hbas(&hbas);
        self.array.check_paths(checker);
        let (faults, steps) = (&self.fault.0, &self.step.0);
        let holds = faults.iter().filter_map(|fault| fault.hold());
        checker.know_rules(faults.iter().map(|fault| fault.name.as_ref()), holds);
        let announced = steps.iter().map(|step| step.announce());
        checker.know_steps(steps.iter().map(|step| step.name()), announced);
        let ends = steps.iter().filter(|step| step.announce() == Announced::End);
        checker.know_end_steps(ends.filter_map(|step| step.time()).map(|time| time.0.0));
        let workload = self.workload.check(&arrays, checker);
        checker.know_workload(workload.as_ref());
        check_seen(workload.as_ref(), checker);
        let names = checker.rules.clone();
        let faults = self.fault.0.iter().zip(names.clone());
        let faults: Vec<_> =
            faults.map(|(fault, name)| fault.check(name, &arrays, checker)).collect();
        let steps = self.step.0.iter().zip(checker.steps.clone());
        let steps: Vec<_> =
            steps.filter_map(|(step, name)| step.check(&name, &step.span, checker)).collect();
        checker.warn_of_holds();
        let expectations = self.expect.0.iter();
        let expectations: Vec<_> = expectations.map(|it| it.check(&it.span, checker)).collect();
        let is_still = arrays.iter().all(|array| array.ownership == OwnershipPolicy::default())
            && faults.is_empty()
            && steps.iter().all(|step| step.action == StepAction::End);
        check_tested(is_still, &steps, &expectations, checker);
        let command_timeout = self.hba.command_timeout();
        let metro = self.metro.resolved();
        let explore = self.explore.check(&arrays[0].personality, &guest.manager, checker);
        let stem = Path::new(scenario).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Some(Scenario {
            name: stem.unwrap_or_else(|| scenario.to_owned()),
            title,
            description: self.description.clone().unwrap_or_default(),
            cites: self.cites.0.clone(),
            covers: self.covers.0.clone(),
            seed: self.seed.as_ref().map(|seed| seed.value),
            limit,
            ending,
            setup: Setup { guest, arrays, metro, hbas, command_timeout, workload, faults },
            steps,
            expectations,
            may_be_idle: self.may_be_idle(names),
            explore,
            warnings: Diagnostics::default(),
            untested: Diagnostics::default(),
        })
    }

    fn may_be_idle(&self, names: Vec<String>) -> MayBeIdle {
        let faults = self.fault.0.iter().zip(names).filter(|(fault, _)| fault.is_optional());
        let faults = faults.map(|(_, name)| name).collect();
        MayBeIdle { faults, workload: self.workload.is_optional() }
    }

    fn checked_title(&self, checker: &mut Checker<'_>) -> String {
        let Some(title) = &self.title else {
            let help = "write title = \"…\", one line that says what the scenario shows";
            checker.report(&(0..0), Diagnostic::error("`title` is missing").help(help));
            return String::new();
        };
        if title.trim().is_empty() || title.contains('\n') || title.chars().count() > MAX_TITLE {
            let problem = format!("a title is one line of 1 to {MAX_TITLE} characters");
            checker.report(&title.span, Diagnostic::error(problem));
        }
        title.trim().to_owned()
    }

    fn times(&self, checker: &mut Checker<'_>) -> (Duration, Ending) {
        let positive = |name: &Name<TimeSpan>, checker: &mut Checker<'_>| {
            if name.0.0.is_zero() {
                checker.report(&name.span, Diagnostic::error("a story takes some time"));
            }
        };
        let limit = self.limit.as_ref().map_or(DEFAULT_LIMIT, |limit| limit.0.0);
        if let Some(limit) = &self.limit {
            positive(limit, checker);
        }
        let ending = match (&self.run_for, &self.settle) {
            (Some(run_for), settle) => {
                positive(run_for, checker);
                if let Some(settle) = settle {
                    let help = "the story ends exactly after `run_for`";
                    checker.refuse(&settle.span, "`settle` does not go with `run_for`", help);
                }
                if run_for.0.0 > limit {
                    let problem = format!("the story may last {} at most", TimeSpan(limit));
                    checker.refuse(&run_for.span, problem, "raise `limit`");
                }
                Ending::After(run_for.0.0)
            }
            (None, settle) => {
                Ending::Settled(settle.as_ref().map_or(DEFAULT_SETTLE, |settle| settle.0.0))
            }
        };
        checker.know_end(match ending {
            Ending::After(end) => end.min(limit),
            Ending::Settled(_) => limit,
        });
        (limit, ending)
    }
}

/// Reports a scenario that expects nothing, neither in words nor of a program, or one in which
/// nothing is done (`is_still`) and everything that is expected is that something does not happen.
fn check_tested(
    is_still: bool,
    steps: &[Step],
    expectations: &[Expectation],
    checker: &mut Checker<'_>,
) {
    if expectations.is_empty() {
        if steps.iter().any(Step::is_a_test) {
            return;
        }
        let help = "write [[expect]] with what must come of it";
        return checker.untested(&(0..0), "this scenario expects nothing", help);
    }
    if is_still && expectations.iter().all(Expectation::is_of_nothing) {
        let problem = "nothing is done here, and all that is expected is that nothing happens";
        let help = "write a step or a fault, or expect something that is so";
        checker.untested(&(0..0), problem, help);
    }
}

/// The scenario as it was understood, as a TOML file to be stored with a run. Loading it again
/// gives the same scenario.
///
/// # Panics
/// Never: plain tables can always be serialised.
pub fn resolved_toml(scenario: &Scenario) -> String {
    toml::to_string(&resolved(scenario)).expect("the tables are plain data")
}

/// The tables of [`resolved_toml`].
pub(crate) fn resolved(scenario: &Scenario) -> PlainTable {
    let setup = &scenario.setup;
    let (run_for, settle) = match scenario.ending {
        Ending::After(time) => (Some(name(TimeSpan(time))), None),
        Ending::Settled(time) => (None, Some(name(TimeSpan(time)))),
    };
    let may_be_idle = &scenario.may_be_idle;
    let fault =
        |rule: &FaultRule| At::nowhere(Fault::of(rule, may_be_idle.faults.contains(&*rule.name)));
    let file = File {
        title: Some(At::nowhere(scenario.title.clone())),
        description: Some(scenario.description.clone()).filter(|text| !text.is_empty()),
        cites: Listed(scenario.cites.clone()),
        covers: Listed(scenario.covers.clone()),
        seed: scenario.seed.map(At::nowhere),
        limit: Some(name(TimeSpan(scenario.limit))),
        settle,
        run_for,
        guest: Section::nowhere(GuestTable::of(&setup.guest)),
        array: Arrays::of(&setup.arrays),
        metro: Section::nowhere(MetroTable::of(&setup.metro)),
        hba: Section::nowhere(HbaTable::of(setup)),
        workload: Section::nowhere(WorkloadTable::of(
            setup.workload.as_ref(),
            may_be_idle.workload,
        )),
        fault: Listed(setup.faults.iter().map(fault).collect()),
        step: Listed(scenario.steps.iter().map(|it| At::nowhere(StepTable::of(it))).collect()),
        expect: Listed(Vec::new()),
        explore: Section::nowhere(ExploreTable::of(&scenario.explore, setup)),
    };
    let mut table = PlainTable::default();
    Table::put(&file, &mut table);
    let expectations: Vec<Plain> = scenario.expectations.iter().map(expect::write).collect();
    table.put("expect", (!expectations.is_empty()).then_some(Plain::List(expectations)));
    table
}
