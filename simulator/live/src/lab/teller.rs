//! Tells what happens: to the lab's directory, and to all who follow the lab.

use std::{fs, sync::Arc};

use sansim_array::{Class, CommandRecord, StateChange};
use sansim_protocol::Event as AgentEvent;
use sansim_run::{
    Records,
    directory::{EVENTS, RunDirectory},
};
use sansim_stage::event::{Event, StoryTime, What};

use super::{capturing::Capturing, traffic::Traffic};
use crate::{
    api::{Message, Status},
    news::News,
};

/// The size of `events.ndjson` from which reads and writes that end GOOD are left out, in bytes.
const FULL: u64 = 128 << 20;

/// Tells what happens.
pub(super) struct Teller {
    directory: RunDirectory,
    news: News,
    pub(super) clockwork: StoryTime,
    traffic: Traffic,
    /// The end of the last tick, in seconds of story time.
    ticked: f64,
    full: bool,
    /// The capture.
    pub(super) capturing: Capturing,
}

impl Teller {
    pub(super) fn new(
        directory: RunDirectory,
        news: News,
        clockwork: StoryTime,
        capturing: Capturing,
    ) -> Self {
        let (traffic, ticked, full) = (Traffic::default(), 0.0, false);
        Teller { directory, news, clockwork, traffic, ticked, full, capturing }
    }

    /// The lab's directory.
    pub(super) fn directory(&self) -> &RunDirectory {
        &self.directory
    }

    /// Tells the state of the lab.
    pub(super) fn status(&self, status: Status) {
        self.news.tell(Message::Status(Arc::new(status)));
    }

    /// Tells the traffic since the last tick; `t` is now, in seconds of story time.
    pub(super) fn tick(&mut self, t: f64) {
        let tick = self.traffic.tick(t, (t - self.ticked).max(0.0));
        self.ticked = t;
        self.news.tell(Message::Tick(Arc::new(tick)));
        self.check_size(t);
    }

    fn check_size(&mut self, t: f64) {
        if self.full {
            return;
        }
        let size = fs::metadata(self.directory.path().join(EVENTS)).map_or(0, |file| file.len());
        if size >= FULL {
            let text = format!(
                "sansim: {EVENTS} has reached {FULL} bytes: reads and writes that end GOOD are left out \
                 of it from here on"
            );
            self.emit_at(t, What::Log { level: None, text });
            self.full = true;
        }
    }
}

impl Records for Teller {
    fn clockwork(&self) -> StoryTime {
        self.clockwork
    }

    fn emit(&mut self, event: Event) {
        self.directory.event(&event);
        self.news.tell(Message::Event(Arc::new(event)));
    }

    fn command(&mut self, record: &CommandRecord) {
        self.traffic.command(record);
        self.capturing.command(record);
        let event = Event::command(record, &self.clockwork);
        let plain = record.fault.is_none() && record.op.is_some_and(|op| op.class == Class::Medium);
        let left_out = match &event.what {
            What::Command(command) => self.full && plain && !command.failed(),
            _ => false,
        };
        if left_out {
            self.news.tell(Message::Event(Arc::new(event)));
        } else {
            self.emit(event);
        }
    }

    fn change(&mut self, change: &StateChange) {
        self.capturing.change(change);
        self.emit(Event::state(change, &self.clockwork));
    }

    fn agent(&mut self, event: &AgentEvent) {
        self.traffic.happening(&event.what);
        if let Some(event) = Event::agent(event, &self.clockwork) {
            self.emit(event);
        }
    }
}
