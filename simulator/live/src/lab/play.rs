//! The scenario's own steps, played while a person looks on: all at their times, or one caption after
//! the other.

use std::time::Duration;

use sansim_language::{Scenario, Step, StepAction};
use sansim_run::Script;
use sansim_stage::{Seen, World};
use sansim_time::Time;

use super::{driver::Driver, words::Words};
use crate::api::{Refused, TourChange, TourStatus, Why};

/// What becomes of the scenario's steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Play {
    /// They are left out.
    Nothing,
    /// They are done at their times.
    Steps,
    /// Like `Steps`, but each caption waits for the presenter.
    Tour,
}

/// How long a caption is shown when the tour goes on by itself: a time to read, and one for each
/// character.
const SHOWN: Duration = Duration::from_secs(4);
const EACH: Duration = Duration::from_millis(50);

/// The scenario's steps, and how far they are.
pub(super) struct Playing {
    steps: Vec<Step>,
    script: Script,
    /// The indexes of the steps with a caption, in order; none without a tour.
    captions: Vec<usize>,
    /// The caption that is shown, from 0.
    shown: usize,
    waiting: Waiting,
    by_itself: bool,
}

/// Whether a tour waits at a caption.
#[derive(Clone, Copy)]
enum Waiting {
    No,
    /// The step of the caption is due since then.
    Since(Time),
}

impl Playing {
    pub(super) fn new(play: Play, scenario: &Scenario, start: Time) -> Self {
        let steps = match play {
            Play::Nothing => Vec::new(),
            Play::Steps | Play::Tour => scenario.steps.clone(),
        };
        let with_caption = |(index, step): (usize, &Step)| step.caption.as_ref().map(|_| index);
        let captions = match play {
            Play::Tour => steps.iter().enumerate().filter_map(with_caption).collect(),
            Play::Nothing | Play::Steps => Vec::new(),
        };
        let script = Script::new(steps.clone(), start);
        let (shown, waiting, by_itself) = (0, Waiting::No, false);
        Playing { steps, script, captions, shown, waiting, by_itself }
    }

    /// When something is due.
    pub(super) fn next_time(&self) -> Option<Time> {
        match self.waiting {
            Waiting::No => self.script.next_time(),
            Waiting::Since(since) if self.by_itself => Some(since + self.reading()),
            Waiting::Since(_) => None,
        }
    }

    /// Makes steps due that wait for this.
    pub(super) fn see(&mut self, seen: &Seen<'_>, now: Time, world: &World) {
        self.script.see(seen, now, world);
    }

    /// The state of the tour, if it is one.
    pub(super) fn tour(&self) -> Option<TourStatus> {
        let step = self.captions.get(self.shown).map(|index| &self.steps[*index]);
        let last = self.captions.last()?;
        let shown = step.unwrap_or(&self.steps[*last]);
        let waits = matches!(self.waiting, Waiting::Since(_));
        Some(TourStatus {
            caption: shown.caption.clone().unwrap_or_default(),
            number: (self.shown + 1).min(self.captions.len()),
            of: self.captions.len(),
            waits,
            by_itself: self.by_itself,
            next: step.filter(|_| waits).map(|step| Words::told(step).toml),
        })
    }

    /// How long the caption is shown when the tour goes on by itself.
    fn reading(&self) -> Duration {
        let caption = self.captions.get(self.shown).and_then(|i| self.steps[*i].caption.as_ref());
        SHOWN + EACH * caption.map_or(0, |text| text.chars().count() as u32)
    }

    /// Goes on from the caption. Everything that is to come is later by the time that it took.
    fn go_on(&mut self, now: Time) -> Option<usize> {
        let Waiting::Since(since) = self.waiting else { return None };
        self.waiting = Waiting::No;
        let index = self.captions[self.shown];
        self.shown += 1;
        self.script.shift(now.since(since));
        Some(index)
    }
}

impl Driver<'_> {
    /// Does the scenario's steps that are due.
    pub(super) fn play(&mut self, now: Time) {
        if let Waiting::Since(since) = self.playing.waiting {
            if !self.playing.by_itself || now < since + self.playing.reading() {
                return;
            }
            self.next_caption(now);
        }
        while let Some(index) = self.playing.script.next_due(now) {
            if self.playing.captions.get(self.playing.shown) == Some(&index) {
                self.playing.waiting = Waiting::Since(now);
                self.changed = true;
                return;
            }
            self.play_step(index);
        }
    }

    fn play_step(&mut self, index: usize) {
        let step = self.playing.steps[index].clone();
        // A lab goes on when its story has ended.
        if step.action != StepAction::End {
            self.perform(vec![step.into()], None);
        }
        self.playing.script.done(index);
    }

    fn next_caption(&mut self, now: Time) {
        if let Some(index) = self.playing.go_on(now) {
            self.changed = true;
            self.play_step(index);
        }
    }

    /// Goes on to the next caption, or changes who turns them over.
    pub(super) fn change_tour(&mut self, change: TourChange) -> Result<(), Refused> {
        if self.playing.captions.is_empty() {
            return Err(Refused::new(Why::Conflict, "this lab is no tour: see sansim tour"));
        }
        match change {
            TourChange::Next => self.next_caption(self.stage.now()),
            TourChange::Auto => self.playing.by_itself = true,
            TourChange::Manual => self.playing.by_itself = false,
        }
        self.changed = true;
        Ok(())
    }
}
