//! Single tables, read in the context of a SAN that runs.

use sansim_array::{Action, ControllerId, Controllers, FaultRule, Lun, LunConfig, VolumeChange};
use sansim_stage::{Act, Array, Hba, Workload};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    Diagnostic, Diagnostics, Expectation, Scenario, Step, StepAction,
    check::{Checker, next_name},
    expect::ExpectTable,
    fault::Fault,
    form::{Given, Problems, Value},
    source::Sources,
    step::StepTable,
    value::At,
    workload::WorkloadTable,
};

/// What the tables of a running SAN can refer to: its controllers, ports, HBAs and LUNs, and the
/// names of its fault rules and steps. It changes with what is done: see
/// [`Vocabulary::know_step`] and [`Vocabulary::know_fault`].
///
/// The text of a table is a TOML document with its keys, or the same on one line as it is written
/// inside an inline table: `when = { op = "READ" }, then = { delay = "1s" }`.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    arrays: Vec<Array>,
    hbas: Vec<Hba>,
    main_lun: Lun,
    has_workload: bool,
    rules: Vec<Named>,
    steps: Vec<String>,
    /// The names of the steps that run a program.
    programs: Vec<String>,
}

/// A fault rule's name, and the hold that it puts commands under.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    hold: Option<String>,
}

/// A table that was read.
#[derive(Debug, Clone)]
pub struct Checked<T> {
    /// What the table means.
    pub value: T,
    /// What is probably not as intended.
    pub warnings: Diagnostics,
}

impl Vocabulary {
    /// The vocabulary at the beginning of a scenario's story. LUNs that a step maps are not there
    /// yet; the names of all steps are taken.
    pub fn of(scenario: &Scenario) -> Self {
        let setup = &scenario.setup;
        let mut vocabulary = Vocabulary {
            arrays: setup.arrays.clone(),
            hbas: setup.hbas.clone(),
            main_lun: setup.main_lun(),
            has_workload: setup.workload.is_some(),
            rules: Vec::new(),
            steps: Vec::new(),
            programs: Vec::new(),
        };
        setup.faults.iter().for_each(|rule| vocabulary.know_fault(rule));
        scenario.steps.iter().for_each(|step| vocabulary.know_name(step));
        vocabulary
    }

    /// Reads the keys of a `[[step]]` that is taken at once, so without `at`, `on` and `after`. A
    /// step without a name gets the next free `step-N`.
    ///
    /// # Errors
    /// All mistakes, with carets into `text`, which is called `<step>`.
    pub fn step(&self, text: &str) -> Result<Checked<Step>, Diagnostics> {
        self.read("<step>", text, |table: &At<StepTable>, checker| {
            let name = checker.fresh_name("step", table.name(), &self.steps);
            table.check_now(&name, checker)
        })
    }

    /// Reads the keys of a `[[fault]]`. A rule without a name gets the next free `fault-N`.
    ///
    /// # Errors
    /// All mistakes, with carets into `text`, which is called `<fault>`.
    pub fn fault(&self, text: &str) -> Result<Checked<FaultRule>, Diagnostics> {
        self.read("<fault>", text, |table: &At<Fault>, checker| {
            let taken: Vec<_> = self.rules().map(str::to_owned).collect();
            let name = checker.fresh_name("fault", table.name.as_ref(), &taken);
            Some(table.check(name, &self.arrays, checker))
        })
    }

    /// Reads the keys of an `[[expect]]`.
    ///
    /// # Errors
    /// All mistakes, with carets into `text`, which is called `<expect>`.
    pub fn expectation(&self, text: &str) -> Result<Checked<Expectation>, Diagnostics> {
        self.read("<expect>", text, |table: &At<ExpectTable>, checker| {
            Some(table.check(&table.span, checker))
        })
    }

    /// Reads the keys of `[workload]`; the value is `None` for the pattern "none".
    ///
    /// # Errors
    /// All mistakes, with carets into `text`, which is called `<workload>`.
    pub fn workload(&self, text: &str) -> Result<Checked<Option<Workload>>, Diagnostics> {
        self.read("<workload>", text, |table: &At<WorkloadTable>, checker| {
            Some(table.check(&self.arrays, checker))
        })
    }

    /// Takes note of a step that has been taken: of its name, of the LUN that it has mapped, unmapped,
    /// renumbered or resized, and of the workload that it has started.
    pub fn know_step(&mut self, step: &Step) {
        self.know_name(step);
        let StepAction::Act(act) = &step.action else { return };
        match act {
            Act::Array(Action::Volume { change, .. }) => self.know_change(change),
            Act::StartWorkload(_) => self.has_workload = true,
            _ => {}
        }
    }

    fn know_change(&mut self, change: &VolumeChange) {
        match change {
            VolumeChange::Map(config) => {
                let has = |array: &&mut Array| array.controller_ids().any(|it| it == config.owner);
                if let Some(array) = self.arrays.iter_mut().find(has) {
                    array.luns.push(config.clone());
                    array.luns.sort_by_key(|config| config.lun);
                }
            }
            VolumeChange::Unmap { lun } => {
                for array in &mut self.arrays {
                    array.luns.retain(|config| config.lun != *lun);
                }
            }
            VolumeChange::Stretch { lun, to, .. } => {
                let far = self.controllers_beside(*to);
                self.change(*lun, |it| {
                    let both = it.mapping.presenters().and(far);
                    it.mapping = std::mem::take(&mut it.mapping).within(both);
                });
            }
            VolumeChange::Withdraw { lun, array } => {
                let gone = self.arrays.iter().find(|it| *it.identity.name == **array);
                let gone: Vec<_> = gone.into_iter().flat_map(Array::controller_ids).collect();
                self.change(*lun, |it| {
                    let kept = it.mapping.presenters().iter().filter(|it| !gone.contains(it));
                    let kept = kept.collect();
                    it.mapping = std::mem::take(&mut it.mapping).within(kept);
                });
            }
            VolumeChange::Remap { lun, to } => self.change(*lun, |it| it.lun = *to),
            VolumeChange::Resize { lun, bytes } => self.change(*lun, |it| it.bytes = *bytes),
            VolumeChange::Show { lun, to, shown } => {
                self.change(*lun, |it| it.mapping.show(*to, *shown));
            }
            VolumeChange::Replace { .. }
            | VolumeChange::Rename { .. }
            | VolumeChange::SetReadOnly { .. } => {}
        }
    }

    fn change(&mut self, lun: Lun, change: impl FnOnce(&mut LunConfig)) {
        let mut luns = self.arrays.iter_mut().flat_map(|array| &mut array.luns);
        luns.find(|config| config.lun == lun).map(change);
        for array in &mut self.arrays {
            array.luns.sort_by_key(|config| config.lun);
        }
    }

    /// The controllers of the array with this one.
    fn controllers_beside(&self, controller: ControllerId) -> Controllers {
        let has = |array: &&Array| array.controller_ids().any(|it| it == controller);
        let array = self.arrays.iter().find(has);
        array.into_iter().flat_map(Array::controller_ids).collect()
    }

    /// The next free `step-N`.
    pub fn next_step_name(&self) -> String {
        next_name("step", &self.steps)
    }

    /// Takes note of the name of a step that is about to be taken, so that no other gets it.
    pub fn know_name(&mut self, step: &Step) {
        if !self.steps.contains(&step.name) {
            self.steps.push(step.name.clone());
        }
        let known = self.programs.contains(&step.name);
        if !known && matches!(step.action, StepAction::Act(Act::Run { .. })) {
            self.programs.push(step.name.clone());
        }
    }

    /// Takes note of a fault rule that has been added.
    pub fn know_fault(&mut self, rule: &FaultRule) {
        let hold = Fault::of(rule, false).hold().map(|hold| hold.value.clone());
        self.rules.push(Named { name: rule.name.to_string(), hold });
    }

    /// The names of the fault rules.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.name.as_str())
    }

    /// The names of the holds that fault rules put commands under.
    pub fn holds(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter_map(|rule| rule.hold.as_deref())
    }

    /// The arrays, with the LUNs that are mapped now.
    pub fn arrays(&self) -> &[Array] {
        &self.arrays
    }

    /// The LUNs that are mapped now, array by array.
    pub fn luns(&self) -> impl Iterator<Item = &LunConfig> {
        self.arrays.iter().flat_map(|array| &array.luns)
    }

    /// The HBAs, by number.
    pub fn hbas(&self) -> &[Hba] {
        &self.hbas
    }

    /// The names of the steps that run a program.
    pub fn programs(&self) -> impl Iterator<Item = &str> {
        self.programs.iter().map(String::as_str)
    }

    fn checker<'s>(&self, problems: Problems<'s>) -> Checker<'s> {
        let mut checker = Checker::new(problems);
        checker.know_arrays(&self.arrays);
        checker.know_hbas(&self.hbas);
        checker.shape.main_lun = self.main_lun;
        checker.has_workload = self.has_workload;
        checker.rules = self.rules().map(str::to_owned).collect();
        checker.holds = self.holds().map(str::to_owned).collect();
        checker.steps.clone_from(&self.steps);
        checker.programs.clone_from(&self.programs);
        checker
    }

    /// Reads and checks a table; `check` returns `None` after a mistake, which has been reported.
    fn read<T: Value, R>(
        &self,
        name: &str,
        text: &str,
        check: impl FnOnce(&At<T>, &mut Checker<'_>) -> Option<R>,
    ) -> Result<Checked<R>, Diagnostics> {
        let inline = format!("{{{text}}}");
        let (given, sources) = parse(name, text, &inline)?;
        let mut problems = Problems::new(&sources);
        let table = At::<T>::read(&given, &mut problems);
        let mut checker = self.checker(problems);
        let value = table.and_then(|table| check(&table, &mut checker));
        let diagnostics = checker.into_diagnostics();
        match value {
            Some(value) if !diagnostics.has_errors() => {
                Ok(Checked { value, warnings: diagnostics })
            }
            _ => Err(diagnostics),
        }
    }
}

/// Parses the keys of a table: `text` as a document, or `inline`, which is `text` in braces.
fn parse<'t>(
    name: &str,
    text: &'t str,
    inline: &'t str,
) -> Result<(Given<'t>, Sources), Diagnostics> {
    let document = match DeTable::parse(text) {
        Ok(root) => {
            let span = root.span();
            let given = Spanned::new(span, DeValue::Table(root.into_inner()));
            return Ok((given, Sources::new(name, text, &[], None)));
        }
        Err(error) => error,
    };
    let line = match DeValue::parse(inline) {
        Ok(given) => return Ok((given, Sources::in_braces(name, text))),
        Err(error) => error,
    };
    // The form that was meant is the one that could be read further.
    let start = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
    let (error, sources) = match start(&line) > start(&document) + 1 {
        true => (line, Sources::in_braces(name, text)),
        false => (document, Sources::new(name, text, &[], None)),
    };
    let span = error.span().unwrap_or_default();
    Err(sources.place(Diagnostic::error(error.message()), &span).into())
}

#[cfg(test)]
mod tests;
