//! What one run told.

use sansim_array::{Class, CommandRecord, Stage};

use super::{
    track::{Sequence, Track},
    words,
};
use sansim_stage::event::{Event, What};

/// Takes down what a run tells of its story.
#[derive(Debug, Default)]
pub struct Tracer {
    control: Track,
    commands: Track,
    events: Track,
}

/// What a run told of its story, to be compared with what another one did.
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
    /// Takes a completed command, in any order; it is also given as the event that it makes.
    pub fn command(&mut self, record: &CommandRecord, event: &Event) {
        let (Stage::Story, What::Command(command)) = (record.stage, &event.what) else { return };
        let text = words::of_command(command);
        if record.op.is_none_or(|op| op.class != Class::Medium) {
            self.control.push(record.seq, event.t, text.clone());
        }
        self.commands.push(record.seq, event.t, text);
    }

    /// Takes an event; commands, and what was before the story, are left out.
    pub fn event(&mut self, event: &Event) {
        if event.t >= 0.0
            && let Some(text) = words::of_event(&event.what)
        {
            self.events.push((event.t * 1e9) as u64, event.t, text);
        }
    }

    /// The end of the run.
    pub fn finish(self) -> Trace {
        Trace {
            control: self.control.finish(),
            commands: self.commands.finish(),
            events: self.events.finish(),
        }
    }
}
