//! What happens on a stage, as events: the same ones, whoever drives it.

use sansim_array::{CommandRecord, StateChange};
use sansim_protocol::Event as AgentEvent;
use sansim_stage::{
    Incoming, Stage,
    event::{Event, StoryTime, What},
};

/// Records the events of a stage.
pub trait Records {
    /// Converts to story time.
    fn clockwork(&self) -> StoryTime;

    /// Records an event.
    fn emit(&mut self, event: Event);

    /// Records an event that happens at `t` seconds of story time.
    fn emit_at(&mut self, t: f64, what: What) {
        self.emit(Event { t, what });
    }

    /// Records a completed command.
    fn command(&mut self, record: &CommandRecord) {
        self.emit(Event::command(record, &self.clockwork()));
    }

    /// Records a change of the array's state.
    fn change(&mut self, change: &StateChange) {
        self.emit(Event::state(change, &self.clockwork()));
    }

    /// Records a report from the agent, if it is an event on its own.
    fn agent(&mut self, event: &AgentEvent) {
        if let Some(event) = Event::agent(event, &self.clockwork()) {
            self.emit(event);
        }
    }
}

/// Records what has come, has the stage take it, and records what follows from it.
pub fn record(records: &mut impl Records, stage: &mut Stage<'_>, incoming: &Incoming) {
    match incoming {
        Incoming::Command(command) => records.command(command),
        Incoming::Change(change) => records.change(change),
        Incoming::Agent(event) => records.agent(event),
        Incoming::Done { .. }
        | Incoming::TerminalEnded { .. }
        | Incoming::Alarm
        | Incoming::Settled => {}
    }
    let further = stage.take(incoming);
    if let Incoming::Agent(event) = incoming {
        let t = records.clockwork().guest_seconds(event.at_ns);
        further.into_iter().for_each(|what| records.emit_at(t, what));
    }
}
