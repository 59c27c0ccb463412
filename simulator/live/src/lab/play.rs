//! The scenario's own steps, played while a person looks on: all at their times, or one caption after
//! the other.

use std::time::Duration;

use sansim_language::{Scenario, Step, StepAction};
use sansim_run::Script;
use sansim_stage::{Seen, World};
use sansim_time::Time;

use super::{running::Running, words::Words};
use crate::api::{Refused, TourChange, TourStatus, Why};

/// What becomes of the scenario's steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Play {
    /// They are left out.
    Nothing,
    /// They are done at their times.
    Steps,
    /// Like `Steps`, but each caption waits for the presenter, or is shown as long as it takes to read it.
    Tour {
        /// Whether it goes on by itself at first.
        by_itself: bool,
    },
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
    /// Those whose caption was shown, in the order in which they came; the last one may wait.
    shown: Vec<usize>,
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
            Play::Steps | Play::Tour { .. } => scenario.steps.clone(),
        };
        let with_caption = |(index, step): (usize, &Step)| step.caption.as_ref().map(|_| index);
        let captions = match play {
            Play::Tour { .. } => steps.iter().enumerate().filter_map(with_caption).collect(),
            Play::Nothing | Play::Steps => Vec::new(),
        };
        let script = Script::new(steps.clone(), start);
        let by_itself = play == Play::Tour { by_itself: true };
        Playing { steps, script, captions, shown: Vec::new(), waiting: Waiting::No, by_itself }
    }

    /// When something is due.
    pub(super) fn next_time(&self) -> Option<Time> {
        match self.waiting {
            Waiting::No => self.script.next_time(),
            Waiting::Since(since) if self.by_itself => Some(since + self.reading()),
            Waiting::Since(_) => None,
        }
    }

    /// Makes steps due that wait for this. For them, no time passes while a caption waits.
    pub(super) fn see(&mut self, seen: &Seen<'_>, now: Time, world: &World) {
        let now = match self.waiting {
            Waiting::No => now,
            Waiting::Since(since) => since,
        };
        self.script.see(seen, now, world);
    }

    /// The next step to be done. One with a caption waits first.
    fn due(&mut self, now: Time) -> Option<usize> {
        if let Waiting::Since(since) = self.waiting {
            let go_on = self.by_itself && now >= since + self.reading();
            return if go_on { self.go_on(now) } else { None };
        }
        let index = self.script.next_due(now)?;
        if self.captions.contains(&index) && !self.shown.contains(&index) {
            self.shown.push(index);
            self.waiting = Waiting::Since(now);
            return None;
        }
        Some(index)
    }

    /// Where the tour is: how many captions were shown, and whether the last of them waits.
    fn place(&self) -> (usize, bool) {
        (self.shown.len(), matches!(self.waiting, Waiting::Since(_)))
    }

    /// The step whose caption is shown: until the next one is due, so that it can be read again while it
    /// happens; the first one from the beginning.
    fn current(&self) -> Option<&Step> {
        let index = self.shown.last().or(self.captions.first())?;
        Some(&self.steps[*index])
    }

    /// The state of the tour, if it is one.
    pub(super) fn tour(&self) -> Option<TourStatus> {
        let (shown, waits) = self.place();
        let step = self.current()?;
        Some(TourStatus {
            caption: step.caption.clone().unwrap_or_default(),
            number: shown.max(1),
            of: self.captions.len(),
            waits,
            by_itself: self.by_itself,
            next: waits.then(|| Words::told(step).toml),
        })
    }

    /// How long the caption is shown when the tour goes on by itself.
    fn reading(&self) -> Duration {
        let caption = self.current().and_then(|step| step.caption.as_ref());
        SHOWN + EACH * caption.map_or(0, |text| text.chars().count() as u32)
    }

    /// Goes on from the caption. Everything that is to come is later by the time that it took.
    fn go_on(&mut self, now: Time) -> Option<usize> {
        let Waiting::Since(since) = self.waiting else { return None };
        self.waiting = Waiting::No;
        let index = *self.shown.last()?;
        self.script.shift(now.since(since));
        Some(index)
    }
}

impl Running<'_> {
    /// Does the scenario's steps that are due.
    pub(super) fn play(&mut self, now: Time) {
        let before = self.playing.place();
        while let Some(index) = self.playing.due(now) {
            self.play_step(index);
        }
        self.changed |= self.playing.place() != before;
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

#[cfg(test)]
mod tests;
