//! Acts: doing them, holding them back, and what has been done.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use sansim_array::Action;
use sansim_language::{Step, StepAction, spoken};
use sansim_run::{Records, may_be_for_nothing};
use sansim_stage::{Act, Brought, event::What};

use super::{
    running::Running,
    words::{Read, Words},
};
use crate::{
    api::{Added, Did, Given, Ran, Refused, Told, Why},
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
    pub(super) held: Option<Vec<Planned>>,
    /// The acts that have not ended in the guest.
    open: Vec<Group>,
    /// What was done, oldest first.
    pub(super) history: VecDeque<Did>,
    /// What was done, for the story that can be saved.
    pub(super) kept: Vec<Kept>,
    /// Whether more was done than can be kept.
    pub(super) overflown: bool,
}

/// An act of the story, with its story time.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) at: Duration,
    pub(super) step: Step,
}

/// An act that is to be done.
pub(super) struct Planned {
    pub(super) step: Step,
    /// What is probably not as intended, in words.
    warning: Option<String>,
}

impl From<Step> for Planned {
    fn from(step: Step) -> Self {
        Planned { step, warning: None }
    }
}

/// Acts that were asked for together.
struct Group {
    answer: Option<Answer<Vec<Did>>>,
    acts: Vec<(Did, Step)>,
}

impl Acts {
    fn remember(&mut self, did: Did) {
        if self.history.len() == SHOWN {
            self.history.pop_front();
        }
        self.history.push_back(did);
    }

    /// Keeps an act for the story.
    fn keep(&mut self, at: Duration, step: Step) {
        if self.kept.len() < KEPT {
            self.kept.push(Kept { at, step });
        } else {
            self.overflown = true;
        }
    }
}

impl Running<'_> {
    /// Does acts, or holds them.
    pub(super) fn act(&mut self, given: &[Given], answer: Answer<Vec<Did>>) {
        let mut acts = Vec::new();
        for given in given {
            match self.words.step(given) {
                Ok(Read { value, warning }) => acts.push(Planned { step: value, warning }),
                Err(refused) => return drop(answer.send(Err(refused))),
            }
        }
        self.perform_or_hold(acts, answer);
    }

    /// Does acts, or holds them if acts are held.
    pub(super) fn perform_or_hold(&mut self, acts: Vec<Planned>, answer: Answer<Vec<Did>>) {
        if self.acts.held.is_none() {
            return self.perform(acts, Some(answer));
        }
        let t = self.t();
        let dids = acts.iter().map(|act| did(t, act)).collect();
        self.hold_back(acts);
        let _ = answer.send(Ok(dids));
    }

    /// Adds acts to those that are held.
    fn hold_back(&mut self, acts: Vec<Planned>) {
        self.acts.held.get_or_insert_default().extend(acts);
        self.changed = true;
    }

    /// Does acts, all at one time.
    pub(super) fn perform(&mut self, acts: Vec<Planned>, answer: Option<Answer<Vec<Did>>>) {
        let mut group = Group { answer, acts: Vec::new() };
        let mut ended = Vec::new();
        let (t, now) = (self.t(), self.stage.now());
        for act in acts {
            let did = did(t, &act);
            let mut step = act.step;
            step.optional |= may_be_for_nothing(&step.action, &self.stage.array().view());
            let name: Arc<str> = Arc::from(step.name.as_str());
            let brought = match &step.action {
                StepAction::Act(act) => self.stage.act(&name, act),
                StepAction::End => Some(Err("a lab ends with `sansim down`".to_owned())),
            };
            match brought {
                Some(brought) => ended.push((name, brought)),
                None => {
                    let (name, action) = (did.name.clone(), did.words.clone());
                    self.teller.emit_at(t, What::Begun { name, action });
                }
            }
            self.acts.keep(now.since(self.stage.start()), step.clone());
            group.acts.push((did, step));
        }
        self.acts.open.push(group);
        ended.iter().for_each(|(name, brought)| self.finish(name, brought));
        self.answer_groups();
    }

    /// An act has ended: tells it, and answers who asked for it when all its acts have.
    pub(super) fn finish(&mut self, name: &Arc<str>, brought: &Result<Brought, String>) {
        let mut acts = self.acts.open.iter_mut().flat_map(|group| &mut group.acts);
        let Some((did, step)) = acts.find(|(_, step)| *step.name == **name) else { return };
        did.pending = false;
        did.error = brought.as_ref().err().cloned();
        let clockwork = self.teller.clockwork;
        let ended = match brought {
            Ok(Brought::Ran(end)) => {
                did.ran = Some(Ran::from(end.clone()));
                Some(clockwork.of_program(end))
            }
            _ => None,
        };
        let (did, step) = (did.clone(), step.clone());
        self.tell_act(&did, ended);
        self.acts.remember(did);
        if brought.is_ok() {
            self.after(&step);
        }
        self.changed = true;
        self.answer_groups();
    }

    /// Tells what came of an act. `ended` is when its program ended, and how long it ran.
    fn tell_act(&mut self, did: &Did, ended: Option<(f64, f64)>) {
        let (t, took_s) = ended.map_or((self.t(), None), |(t, took)| (t, Some(took)));
        let (name, action, error) = (did.name.clone(), did.words.clone(), did.error.clone());
        self.teller.emit_at(t, What::Step { name, action, took_s, error });
        if let Some(Ran { code, killed_by, stdout, stderr }) = did.ran.clone() {
            let name = did.name.clone();
            self.teller.emit_at(t, What::Ran { name, code, killed_by, stdout, stderr });
        }
    }

    /// Takes note of an act that was done.
    fn after(&mut self, step: &Step) {
        self.words.know(step);
        match &step.action {
            StepAction::Act(Act::Array(Action::AddRule(rule))) => self.words.know_rule(rule),
            StepAction::Act(Act::StartWorkload(workload)) => self.io.started(workload),
            _ => {}
        }
    }

    fn answer_groups(&mut self) {
        let open = std::mem::take(&mut self.acts.open);
        for mut group in open {
            if group.acts.iter().any(|(did, _)| did.pending) {
                self.acts.open.push(group);
            } else if let Some(answer) = group.answer.take() {
                let dids = group.acts.into_iter().map(|(did, _)| did).collect();
                let _ = answer.send(Ok(dids));
            }
        }
    }

    /// Holds acts from now on.
    pub(super) fn hold(&mut self) -> Result<(), Refused> {
        self.hold_back(Vec::new());
        Ok(())
    }

    /// Does the held acts.
    pub(super) fn go(&mut self, answer: Answer<Vec<Did>>) {
        let Some(acts) = self.acts.held.take() else {
            let why = "nothing is held; hold acts first: sansim ctl hold";
            let _ = answer.send(Err(Refused::new(Why::Conflict, why)));
            return;
        };
        self.changed = true;
        self.perform(acts, Some(answer));
    }

    /// Adds a fault rule.
    pub(super) fn add_fault(&mut self, given: &Given) -> Result<Added, Refused> {
        let Read { value: rule, warning } = self.words.fault(given)?;
        let name = rule.name.to_string();
        let words = format!("fault rule {name:?} is added: {}", spoken::fault_words(&rule));
        self.words.know_name_of(&rule);
        let mut add = self.words.name(Act::Array(Action::AddRule(Box::new(rule))));
        add.words = words;
        self.act_on_array(add).map_err(|why| Refused::new(Why::Invalid, why))?;
        Ok(Added { name, warning, waits: self.acts.held.is_some() })
    }

    /// Disarms a fault rule; one that was added is not shown any more.
    pub(super) fn remove_fault(&mut self, name: &str) -> Result<(), Refused> {
        if !self.words.is_rule(name) {
            let why = format!("there is no fault rule {name:?}");
            return Err(Refused::new(Why::Unknown, why));
        }
        let disarm = Action::Arm { rule: Arc::from(name), armed: false };
        let disarm = self.words.name(Act::Array(disarm));
        self.act_on_array(disarm).map_err(|why| Refused::new(Why::Failed, why))?;
        self.words.remove(name);
        Ok(())
    }

    /// Acts on the array, which takes no time, or holds the act.
    fn act_on_array(&mut self, step: Step) -> Result<(), String> {
        if self.acts.held.is_some() {
            self.hold_back(vec![step.into()]);
            return Ok(());
        }
        let name = step.name.clone();
        self.perform(vec![step.into()], None);
        let did = self.acts.history.iter().rfind(|did| did.name == name);
        did.and_then(|did| did.error.clone()).map_or(Ok(()), Err)
    }

    /// Undoes everything that is not as it was at the start, and removes the added fault rules.
    pub(super) fn reset(&mut self, answer: Answer<Vec<Did>>) {
        self.acts.held = None;
        let undo = self.wrong().into_iter().filter_map(|wrong| wrong.undo);
        let undo = undo.map(|act| self.words.name(act).into()).collect();
        self.perform(undo, Some(answer));
        self.words.remove_added();
    }
}

/// An act that is about to be done.
fn did(t: f64, act: &Planned) -> Did {
    let step = &act.step;
    let Told { ctl, toml } = Words::told(step);
    let (name, words, warning) = (step.name.clone(), step.words.clone(), act.warning.clone());
    Did { t, name, words, toml, ctl, warning, error: None, pending: true, ran: None }
}
