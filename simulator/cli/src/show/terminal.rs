//! Output on a terminal: a spinner for each run in progress, with its stage and latest event.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sansim_report::repeat::Repeat;
use sansim_run::{Finished, RunId, Sink};
use sansim_stage::{
    event::{Event, PathState, What},
    visible,
};

use super::{Style, repeat, result, spin};

pub(super) struct Terminal {
    style: Style,
    all: MultiProgress,
    runs: Mutex<HashMap<usize, Live>>,
}

/// The contents of a run's line.
struct Live {
    bar: ProgressBar,
    stage: String,
    t: f64,
    commands: u64,
    last: String,
}

impl Terminal {
    pub(super) fn new(style: Style) -> Self {
        Terminal { style, all: MultiProgress::new(), runs: Mutex::new(HashMap::new()) }
    }

    fn with(&self, run: &RunId, change: impl FnOnce(&mut Live)) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let live = runs.entry(run.index).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix:.bold}  {wide_msg}")
            {
                bar.set_style(style);
            }
            bar.set_prefix(visible(&run.label()).into_owned());
            spin(&bar);
            let (stage, last) = (String::new(), String::new());
            Live { bar, stage, t: 0.0, commands: 0, last }
        });
        change(live);
        let story = match live.t > 0.0 {
            true => format!("  {:.1}s  {} commands  {}", live.t, live.commands, live.last),
            false => String::new(),
        };
        live.bar.set_message(visible(&format!("{}{story}", live.stage)).into_owned());
    }
}

impl Drop for Terminal {
    /// Removes the spinners of interrupted runs. (The terminal's echo of Ctrl-C moves the cursor, so one line
    /// may remain.)
    fn drop(&mut self) {
        let runs = self.runs.get_mut().unwrap_or_else(PoisonError::into_inner);
        runs.values().for_each(|live| live.bar.finish_and_clear());
    }
}

impl Sink for Terminal {
    fn stage(&self, run: &RunId, stage: &str) {
        self.with(run, |live| live.stage = stage.to_owned());
    }

    fn event(&self, run: &RunId, event: &Event) {
        self.with(run, |live| {
            live.t = live.t.max(event.t);
            match &event.what {
                What::Command(_) => live.commands += 1,
                What::Step { action, .. } => live.last = action.clone(),
                What::State { text, .. } => live.last = text.clone(),
                What::PgInit { rounds, .. } if *rounds > 0 => {
                    live.last = format!("pg_init round {rounds}");
                }
                What::Path { path, state: PathState::Failed, .. } => {
                    live.last = format!("path {path} failed")
                }
                What::Io { text, .. } => live.last = text.clone(),
                _ => {}
            }
        });
    }

    fn finished(&self, run: &RunId, finished: &Finished) {
        let live = self.runs.lock().unwrap_or_else(PoisonError::into_inner).remove(&run.index);
        if let Some(live) = live {
            live.bar.finish_and_clear();
        }
        self.all.suspend(|| out!("{}", result::text(run, finished, self.style)));
    }

    fn repeated(&self, run: &RunId, repeat: &Repeat) {
        self.all.suspend(|| out!("{}", repeat::text(run, repeat)));
    }
}
