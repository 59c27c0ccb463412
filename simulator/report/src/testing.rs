//! Events for tests.

use sansim_stage::event::{CommandEvent, Event, What};

/// A command that ended with GOOD, or with this sense. The port's name begins with its controller's.
pub(crate) fn command(op: &str, port: &str, sense: Option<&str>) -> CommandEvent {
    CommandEvent {
        seq: 0,
        hba: 0,
        port: port.into(),
        controller: port[..1].into(),
        lun: 0,
        op: op.into(),
        cdb: String::new(),
        status: if sense.is_some() { "CHECK CONDITION" } else { "GOOD" }.into(),
        sense: sense.map(str::to_owned),
        response: "OK".into(),
        latency_s: 0.0,
        fault: None,
    }
}

/// The event that tells of a command.
pub(crate) fn told(t: f64, command: CommandEvent) -> Event {
    Event { t, what: What::Command(command) }
}
