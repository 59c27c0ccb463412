//! Since when things are as they are.

use std::{collections::BTreeMap, sync::Arc};

use sansim_array::{ArrayView, RuleView};
use sansim_language::{Step, StepAction};
use sansim_protocol::PathState;
use sansim_stage::{Act, Manager, Reinstate, Setup};

use super::{
    broken::{Wrong, wrong},
    picture::{self, Picture},
    running::Running,
    words::Words,
};
use crate::api::{Broken, FaultStatus, Status, Told};

/// Since when things are as they are, in seconds of story time.
#[derive(Default)]
pub(super) struct Since {
    wrong: BTreeMap<(String, String), f64>,
    states: BTreeMap<String, (String, f64)>,
    /// The name of each rule, whether it is armed, and how many commands it has caught.
    rules: Vec<(Arc<str>, bool, u64)>,
}

impl Since {
    /// Whether a rule has caught something since the last look.
    pub(super) fn rules_changed(&mut self, view: &ArrayView) -> bool {
        let rules = view.rules.iter();
        let rules = rules.map(|rule| (Arc::clone(&rule.name), rule.armed, rule.caught)).collect();
        let before = std::mem::replace(&mut self.rules, rules);
        before != self.rules
    }

    /// Since when a thing is in this state; now, if it was not before.
    fn state(&mut self, thing: String, state: &str, now: f64) -> f64 {
        let entry = self.states.entry(thing).or_insert_with(|| (state.to_owned(), now));
        if entry.0 != state {
            *entry = (state.to_owned(), now);
        }
        entry.1
    }
}

impl Running<'_> {
    /// What is wrong now.
    pub(super) fn wrong(&self) -> Vec<Wrong> {
        let mut wrong = wrong(&self.first, &self.stage.array().view());
        wrong.extend(self.io.wrong());
        wrong.extend(self.unreinstated());
        wrong
    }

    /// The maps with failed paths whose ports answer, where nobody reinstates them.
    fn unreinstated(&self) -> Vec<Wrong> {
        if self.stage.setup().guest.manager != Manager::Dmsetup {
            return Vec::new();
        }
        let view = self.stage.array().view();
        let answers = |dev: &str| self.stage.paths().nexus(dev).is_some_and(|it| view.answers(it));
        let maps = self.stage.maps().statuses().filter_map(|map| {
            let paths = map.groups.iter().flat_map(|group| &group.paths);
            let failed = paths.filter(|it| it.state == PathState::Failed && answers(&it.dev));
            let (count, lun) = (failed.count(), Setup::map_lun(&map.map)?);
            (count > 0).then(|| Wrong {
                thing: format!("lun {lun}"),
                what: format!("{count} failed paths of map {} wait for a reinstate", map.map),
                undo: Some(Act::Reinstate { lun, paths: Reinstate::All }),
            })
        });
        maps.collect()
    }

    /// The state of the lab.
    pub(super) fn status(&mut self) -> Status {
        let (t, view) = (self.t(), self.stage.array().view());
        let picture = Picture { setup: self.stage.setup(), view: &view };
        let mut status = picture.status(self.lab.clone(), self.clock());
        let mut maps = picture::maps(&self.stage);
        for lun in &mut status.luns {
            lun.map = maps.remove(&lun.lun);
        }
        for controller in &mut status.controllers {
            let thing = format!("controller {}", controller.controller);
            controller.since = self.since.state(thing, &controller.state, t);
        }
        let rules = view.rules.iter().filter(|rule| !self.words.is_removed(rule));
        let rules: Vec<_> = rules.collect();
        status.faults = rules.into_iter().map(|rule| self.fault_status(rule, t)).collect();
        status.broken = self.broken(t);
        let running: Vec<_> = self.stage.workloads().collect();
        status.workloads = self.io.status(&running);
        if let Some(held) = &self.acts.held {
            status.held.on = true;
            status.held.acts = held.iter().map(|act| Words::told(&act.step)).collect();
        }
        status.history = self.acts.history.iter().cloned().collect();
        status.tour = self.playing.tour();
        status.capture = self.teller.capturing.status();
        status
    }

    fn broken(&mut self, t: f64) -> Vec<Broken> {
        let wrong = self.wrong();
        let still = |(thing, what): &(String, String)| {
            wrong.iter().any(|wrong| (&wrong.thing, &wrong.what) == (thing, what))
        };
        self.since.wrong.retain(|key, _| still(key));
        let broken = wrong.into_iter().map(|Wrong { thing, what, undo }| {
            let since = *self.since.wrong.entry((thing.clone(), what.clone())).or_insert(t);
            let undo: Option<Told> = undo.map(|act| Words::told(&step(act)));
            Broken { thing, what, since, undo }
        });
        broken.collect()
    }

    fn fault_status(&mut self, rule: &RuleView, t: f64) -> FaultStatus {
        let state = if rule.armed { "armed" } else { "disarmed" };
        FaultStatus {
            name: rule.name.to_string(),
            toml: self.words.rule_toml(&rule.name),
            armed: rule.armed,
            fired: rule.caught,
            since: self.since.state(format!("fault {}", rule.name), state, t),
            added: self.words.is_added(&rule.name),
        }
    }
}

/// A step that does this, only to be told.
fn step(act: Act) -> Step {
    Step::of(String::new(), StepAction::Act(act))
}
