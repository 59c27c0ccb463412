//! The story so far, as a scenario file.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sansim_array::{Action, Lun};
use sansim_language::{
    Added, Deed, Diagnostics, End, IoEnd, Lived, LunEnd, MayBeIdle, StepAction, short_toml, story,
};
use sansim_protocol::{Ended, PathState};
use sansim_stage::Act;

use super::{acts::Kept, running::Running};
use crate::api::{Refused, Saved, Why};

/// The name of the file in the lab's directory, which is written when the lab ends.
const FILE: &str = "story.toml";

/// How long the saved story goes on after its last moment. multipathd's checks come at other times in
/// another run, by up to its longest interval (multipath.conf(5), max_polling_interval).
const SETTLE: Duration = Duration::from_secs(20);

impl Running<'_> {
    /// The story so far.
    pub(super) fn save(&self) -> Result<Saved, Refused> {
        let title = format!("{}, as it was told live", self.words.scenario.title);
        let scenario = story(&self.words.scenario, &title, &self.lived());
        let refuse = |why: Diagnostics| {
            Refused::new(Why::Failed, format!("this story cannot be written: {why}"))
        };
        Ok(Saved { toml: short_toml(&scenario.map_err(refuse)?), left_out: self.left_out() })
    }

    /// Writes the story to the lab's directory, if anything was done.
    pub(super) fn keep_story(&self) {
        if self.acts.kept.is_empty() {
            return;
        }
        let written = self.save().map_err(|refused| refused.message).and_then(|saved| {
            let file = self.teller.directory().file(FILE, &saved.toml);
            file.map_err(|error| error.to_string())
        });
        if let Err(why) = written {
            tracing::warn!("{FILE} is not written: {why}");
        }
    }

    fn lived(&self) -> Lived {
        let (mut deeds, mut added) = (Vec::new(), Vec::new());
        let mut removed: BTreeMap<Arc<str>, Duration> = BTreeMap::new();
        for Kept { at, step } in &self.acts.kept {
            match &step.action {
                StepAction::Act(Act::Array(Action::AddRule(rule))) => {
                    added.push(Added { rule: (**rule).clone(), at: *at, removed: None });
                }
                StepAction::Act(Act::Array(Action::Arm { rule, armed: false }))
                    if self.words.is_added(rule) =>
                {
                    removed.insert(Arc::clone(rule), *at);
                }
                action => {
                    let (action, caption) = (action.clone(), step.caption.clone());
                    let optional = step.optional || self.has_failed(&step.name);
                    deeds.push(Deed { at: *at, action, caption, optional });
                }
            }
        }
        for added in &mut added {
            added.removed = removed.get(&added.rule.name).copied();
        }
        let rules = self.stage.array().view().rules;
        let unfired = rules.iter().filter(|rule| rule.caught == 0);
        let unfired = unfired.map(|rule| rule.name.to_string()).collect();
        let io = self.stage.world().io_by_lun().any(|(_, io)| !io.is_none());
        Lived { deeds, added, end: self.end(), idle: MayBeIdle { faults: unfired, workload: !io } }
    }

    /// Whether a step ran a program, and it ended with anything but 0.
    fn has_failed(&self, step: &str) -> bool {
        self.stage.world().program(step).is_some_and(|ran| ran.ended != Ended::Code(0))
    }

    fn end(&self) -> End {
        let luns = self.stage.array().luns().into_iter().map(|lun| self.lun_end(lun));
        let totals = self.stage.world().io();
        let any = self.io.any();
        End {
            at: self.stage.now().since(self.stage.start()) + SETTLE,
            luns: luns.collect(),
            io: any.then_some(IoEnd { errors: totals.errors, corrupt: totals.corrupt }),
        }
    }

    fn lun_end(&self, lun: Lun) -> LunEnd {
        let map = self.stage.world().map_of(lun);
        let count = |state: PathState| {
            let paths = map.into_iter().flat_map(|map| map.paths());
            paths.filter(|path| path.state == state).count() as u64
        };
        LunEnd {
            lun,
            owner: self.stage.array().owner(lun),
            paths: map.map(|_| (count(PathState::Active), count(PathState::Failed))),
            rounds: None,
        }
    }

    /// What the saved story does not have.
    fn left_out(&self) -> Vec<String> {
        let mut left_out = Vec::new();
        if self.acts.overflown {
            left_out.push("the acts after the first 1000".to_owned());
        }
        if self.pumps.used {
            left_out.push(
                "what was typed into terminals or run with exec: a program of the story is a step \
                 (sansim ctl run …)"
                    .to_owned(),
            );
        }
        left_out
    }
}
