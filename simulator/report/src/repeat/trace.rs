//! The trace of a run: its commands and events, for a comparison.

use sansim_array::{Class, CommandRecord, Stage};

use super::{
    track::{Sequence, Track},
    words,
};
use sansim_stage::event::{Event, What};

/// Records the trace of a run.
#[derive(Debug, Default)]
pub struct Tracer {
    control: Track,
    commands: Track,
    events: Track,
}

/// The commands and events of a run, to be compared with another run's.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Commands that do not access the medium.
    pub(super) control: Sequence,
    /// All commands.
    pub(super) commands: Sequence,
    /// Everything else.
    pub(super) events: Sequence,
}

impl Tracer {
    /// Adds a completed command, in any order, with the event for it.
    pub fn command(&mut self, record: &CommandRecord, event: &Event) {
        let (Stage::Story, What::Command(command)) = (record.stage, &event.what) else { return };
        let text = words::of_command(command);
        if record.op.is_none_or(|op| op.class != Class::Medium) {
            self.control.push(record.seq, event.t, text.clone());
        }
        self.commands.push(record.seq, event.t, text);
    }

    /// Adds an event; ignores commands and events before the story.
    pub fn event(&mut self, event: &Event) {
        if event.t >= 0.0
            && let Some(text) = words::of_event(&event.what)
        {
            self.events.push((event.t * 1e9) as u64, event.t, text);
        }
    }

    /// Completes the trace at the end of the run.
    pub fn finish(self) -> Trace {
        Trace {
            control: self.control.finish(),
            commands: self.commands.finish(),
            events: self.events.finish(),
        }
    }
}
