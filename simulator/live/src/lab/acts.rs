//! Acts: doing them, holding them back, and what has been done.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use sansim_array::{Action, Lun};
use sansim_language::{Step, StepAction};
use sansim_stage::{Act, Brought, event::What};

use super::{driver::Driver, words::Words};
use crate::{
    api::{Did, Given, Ran, Refused, Told, Why},
    handle::Answer,
};

/// The number of acts in the history that the status shows.
const SHOWN: usize = 200;
/// The number of acts that a saved story can have.
const KEPT: usize = 1000;

/// The acts of a lab.
#[derive(Default)]
pub(super) struct Acts {
    /// The acts that wait for `go`, if acts are held.
    pub(super) held: Option<Vec<Step>>,
    /// The acts that have not ended in the guest.
    open: Vec<Group>,
    /// What was done, oldest first.
    pub(super) history: VecDeque<Did>,
    /// What was done, for the story that can be saved.
    pub(super) kept: Vec<Kept>,
    /// Whether more was done than can be kept.
    pub(super) overflown: bool,
    number: u64,
}

/// An act of the story, with its story time.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) at: Duration,
    pub(super) action: StepAction,
}

/// Acts that were asked for together.
struct Group {
    answer: Option<Answer<Vec<Did>>>,
    dids: Vec<Did>,
    actions: Vec<StepAction>,
}

impl Acts {
    /// The name of the next act.
    fn name(&mut self) -> Arc<str> {
        self.number += 1;
        Arc::from(format!("act-{}", self.number))
    }

    /// The LUN whose workload the act of this name stops, or else `None`.
    pub(super) fn lun_of(&self, name: &str) -> Option<Lun> {
        let acts = self.open.iter().flat_map(|group| group.dids.iter().zip(&group.actions));
        let mut named = acts.filter(|(did, _)| did.name == name);
        named.find_map(|(_, action)| match action {
            StepAction::Act(Act::StopWorkload { lun }) => Some(*lun),
            _ => None,
        })
    }

    fn remember(&mut self, did: Did) {
        if self.history.len() == SHOWN {
            self.history.pop_front();
        }
        self.history.push_back(did);
    }

    /// Keeps an act for the story.
    pub(super) fn keep(&mut self, at: Duration, action: StepAction) {
        if self.kept.len() < KEPT {
            self.kept.push(Kept { at, action });
        } else {
            self.overflown = true;
        }
    }
}

impl Driver<'_> {
    /// Does acts, or holds them.
    pub(super) fn act(&mut self, given: &[Given], answer: Answer<Vec<Did>>) {
        let steps: Result<Vec<Step>, Refused> =
            given.iter().map(|given| self.words.step(given)).collect();
        match (steps, &mut self.acts.held) {
            (Err(refused), _) => drop(answer.send(Err(refused))),
            (Ok(steps), Some(held)) => {
                let t = self.teller.clockwork.seconds(self.stage.now());
                let dids = steps.iter().map(|step| did(t, "held", &step.action)).collect();
                held.extend(steps);
                self.changed = true;
                let _ = answer.send(Ok(dids));
            }
            (Ok(steps), None) => {
                let actions = steps.into_iter().map(|step| step.action).collect();
                self.perform(actions, Some(answer));
            }
        }
    }

    /// Does acts, all at one time.
    pub(super) fn perform(&mut self, actions: Vec<StepAction>, answer: Option<Answer<Vec<Did>>>) {
        let mut group = Group { answer, dids: Vec::new(), actions };
        let mut ended = Vec::new();
        for action in &group.actions {
            let name = self.acts.name();
            let mut did = did(self.t(), &name, action);
            self.acts.keep(self.stage.now().since(self.stage.start()), action.clone());
            let brought = match action {
                StepAction::Act(act) => self.stage.act(&name, act),
                StepAction::End => Some(Err("a lab ends with `sansim down`".to_owned())),
            };
            did.pending = brought.is_none();
            ended.extend(brought.map(|brought| (Arc::clone(&name), brought)));
            group.dids.push(did);
        }
        self.acts.open.push(group);
        ended.iter().for_each(|(name, brought)| self.finish(name, brought));
        self.answer_groups();
    }

    /// An act has ended: tells it, and answers who asked for it when all its acts have.
    pub(super) fn finish(&mut self, name: &Arc<str>, brought: &Result<Brought, String>) {
        let groups = self.acts.open.iter_mut();
        let mut acts = groups.flat_map(|group| group.dids.iter_mut().zip(&group.actions));
        let Some((did, action)) = acts.find(|(did, _)| *did.name == **name) else { return };
        did.pending = false;
        did.error = brought.as_ref().err().cloned();
        if let Ok(Brought::Ran { code, stdout, stderr }) = brought {
            let (stdout, stderr) = (stdout.clone(), stderr.clone());
            did.ran = Some(Ran { code: *code, stdout, stderr });
        }
        let (did, action) = (did.clone(), action.clone());
        self.tell_act(&did);
        self.acts.remember(did);
        if brought.is_ok() {
            self.after(&action);
        }
        self.changed = true;
        self.answer_groups();
    }

    fn tell_act(&mut self, did: &Did) {
        let t = self.t();
        let (name, action, error) = (did.name.clone(), did.words.clone(), did.error.clone());
        self.teller.emit(t, What::Step { name, action, error });
        if let Some(Ran { code, stdout, stderr }) = did.ran.clone() {
            self.teller.emit(t, What::Ran { name: did.name.clone(), code, stdout, stderr });
        }
    }

    /// Takes note of an act that was done.
    fn after(&mut self, action: &StepAction) {
        match action {
            StepAction::Act(Act::Array(Action::AddRule(rule))) => self.words.know_rule(rule),
            StepAction::Act(Act::StartWorkload(workload)) => self.io.started(workload),
            StepAction::Act(Act::Array(_)) => {
                let luns = self.stage.array().view().luns;
                self.words.know_luns(&luns);
            }
            _ => {}
        }
    }

    fn answer_groups(&mut self) {
        let open = std::mem::take(&mut self.acts.open);
        for mut group in open {
            if group.dids.iter().any(|did| did.pending) {
                self.acts.open.push(group);
            } else if let Some(answer) = group.answer.take() {
                let _ = answer.send(Ok(group.dids));
            }
        }
    }

    /// Holds acts from now on.
    pub(super) fn hold(&mut self) -> Result<(), Refused> {
        self.acts.held.get_or_insert_default();
        self.changed = true;
        Ok(())
    }

    /// Does the held acts.
    pub(super) fn go(&mut self, answer: Answer<Vec<Did>>) {
        let Some(steps) = self.acts.held.take() else {
            let why = "nothing is held; hold acts first: sansim ctl hold";
            let _ = answer.send(Err(Refused::new(Why::Conflict, why)));
            return;
        };
        self.changed = true;
        self.perform(steps.into_iter().map(|step| step.action).collect(), Some(answer));
    }

    /// Adds a fault rule; gives its name.
    pub(super) fn add_fault(&mut self, given: &Given) -> Result<String, Refused> {
        let rule = self.words.fault(given)?;
        let name = rule.name.to_string();
        let action = StepAction::Act(Act::Array(Action::AddRule(Box::new(rule))));
        self.perform(vec![action], None);
        self.last_error().map_or(Ok(name), |why| Err(Refused::new(Why::Invalid, why)))
    }

    /// Disarms a fault rule that was added.
    pub(super) fn remove_fault(&mut self, name: &str) -> Result<(), Refused> {
        if !self.words.is_rule(name) {
            let why = format!("there is no fault rule {name:?}");
            return Err(Refused::new(Why::Unknown, why));
        }
        let action = Action::Arm { rule: Arc::from(name), armed: false };
        self.perform(vec![StepAction::Act(Act::Array(action))], None);
        self.last_error().map_or(Ok(()), |why| Err(Refused::new(Why::Failed, why)))
    }

    /// Why the last act failed, if it did.
    fn last_error(&self) -> Option<String> {
        self.acts.history.back()?.error.clone()
    }

    /// Undoes everything that is not as it was at the start.
    pub(super) fn reset(&mut self, answer: Answer<Vec<Did>>) {
        self.acts.held = None;
        let undo = self.wrong().into_iter().filter_map(|wrong| wrong.undo.map(StepAction::Act));
        let undo: Vec<_> = undo.collect();
        self.perform(undo, Some(answer));
    }
}

/// An act that is about to be done.
fn did(t: f64, name: &str, action: &StepAction) -> Did {
    let Told { ctl, toml } = Words::told(action);
    let (error, pending, ran) = (None, true, None);
    Did { t, name: name.to_owned(), words: Words::in_words(action), toml, ctl, error, pending, ran }
}
