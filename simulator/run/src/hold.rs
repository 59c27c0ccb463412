//! The moment at which a story is stopped, with the guest paused for inspection (`--until`).

use std::{fmt, str::FromStr, time::Duration};

use sansim_protocol::MapStatus;

use sansim_language::{Scenario, value::TimeSpan};
use sansim_stage::event::{Event, What};

/// A moment in a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// The guest's first question at or after this scenario time. An extra question at the exact time would
    /// change the story.
    Time(Duration),
    /// After this step.
    Step(String),
    /// After the completion of a command that this fault rule affected.
    Fault(String),
    /// After an expectation has failed, or at the end, if something came to nothing.
    Failure,
    /// The end of the story, before its expectations are closed.
    Verdict,
    /// After this line of `events.ndjson`, from 1.
    Event(u64),
}

impl Until {
    /// An error message if this scenario has no such step or fault rule.
    pub fn problem(&self, scenario: &Scenario) -> Option<String> {
        let missing = |what: &str, name: &str, known: Vec<&str>| {
            (!known.contains(&name)).then(|| match known.is_empty() {
                true => format!("the scenario has no {what} at all"),
                false => format!("there is no {what} `{name}`: known are {}", known.join(", ")),
            })
        };
        match self {
            Until::Step(name) => {
                missing("step", name, scenario.steps.iter().map(|s| s.name.as_str()).collect())
            }
            Until::Fault(name) => {
                missing("fault", name, scenario.setup.faults.iter().map(|f| &*f.name).collect())
            }
            Until::Time(_) | Until::Failure | Until::Verdict | Until::Event(_) => None,
        }
    }
}

impl FromStr for Until {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = |name: &str| match name {
            "" => Err(format!("`{text}` names nothing")),
            name => Ok(name.to_owned()),
        };
        match text.split_once(':') {
            Some(("step", name)) => named(name).map(Until::Step),
            Some(("fault", name)) => named(name).map(Until::Fault),
            Some(("event", number)) => match number.parse() {
                Ok(number @ 1..) => Ok(Until::Event(number)),
                _ => Err(format!("`{number}` is no line of events.ndjson: they count from 1")),
            },
            None if text == "verdict" => Ok(Until::Verdict),
            None if text == "failure" => Ok(Until::Failure),
            None => text.parse().map(|TimeSpan(time)| Until::Time(time)).map_err(|_| {
                format!("`{text}` is none of 1.5s, step:NAME, fault:NAME, event:NUMBER, failure, verdict")
            }),
            Some(_) => Err(format!(
                "`{text}` is none of 1.5s, step:NAME, fault:NAME, event:NUMBER, failure, verdict"
            )),
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Until::Time(time) => write!(f, "{} s", time.as_secs_f64()),
            Until::Step(name) => write!(f, "step:{name}"),
            Until::Fault(name) => write!(f, "fault:{name}"),
            Until::Failure => f.write_str("failure"),
            Until::Verdict => f.write_str("verdict"),
            Until::Event(number) => write!(f, "event:{number}"),
        }
    }
}

/// The state of a story when it is stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Scenario time in seconds.
    pub t: f64,
    /// Number of events so far: lines of `events.ndjson`.
    pub events: u64,
    /// The last lines of the timeline.
    pub last: Vec<String>,
    /// The last known status of the multipath maps.
    pub maps: Vec<MapStatus>,
}

impl Standing {
    /// Number of timeline lines in `last`.
    pub(super) const LINES: usize = 10;
}

/// Detects the moment, once.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    until: Option<Until>,
    there: bool,
    events: u64,
}

impl Lookout {
    pub(super) fn new(until: Option<Until>) -> Self {
        Lookout { until, ..Lookout::default() }
    }

    /// To be called for each event that is written.
    pub(super) fn see(&mut self, event: &Event) {
        self.events += 1;
        self.there |= match (&self.until, &event.what) {
            (Some(Until::Event(number)), _) => self.events >= *number,
            (Some(Until::Step(wanted)), What::Step { name, .. }) => name == wanted,
            (Some(Until::Fault(rule)), What::Command(command)) => {
                command.fault.as_ref() == Some(rule)
            }
            (Some(Until::Failure), What::Expect { ok, .. }) => !ok,
            (Some(Until::Failure), What::Idle(_)) => true,
            _ => false,
        };
    }

    /// To be called at the end of the story.
    pub(super) fn over(&mut self) {
        self.there |= matches!(self.until, Some(Until::Verdict));
    }

    /// Whether the story has reached the moment; true only once.
    pub(super) fn is_there(&mut self, elapsed: Duration) -> bool {
        let late = matches!(self.until, Some(Until::Time(time)) if elapsed >= time);
        let there = self.until.is_some() && (self.there || late);
        if there {
            (self.until, self.there) = (None, false);
        }
        there
    }

    /// Number of events written so far.
    pub(super) fn events(&self) -> u64 {
        self.events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_they_are_read() {
        for text in ["step:a b", "fault:fault-1", "event:17", "failure", "verdict", "step:a:b"] {
            assert_eq!(text.parse::<Until>().unwrap().to_string(), text);
        }
        assert_eq!("1.2s".parse(), Ok(Until::Time(Duration::from_millis(1200))));
        assert_eq!("2m".parse(), Ok(Until::Time(Duration::from_secs(120))));
        for wrong in ["", "now", "step:", "event:0", "event:x", "stop:a", "-1s", "12"] {
            assert!(wrong.parse::<Until>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_story_comes_there_once() {
        let event = Event {
            t: 0.5,
            what: What::Step { name: "a".into(), action: "end".into(), took_s: None, error: None },
        };
        for until in ["step:a", "event:1"] {
            let mut lookout = Lookout::new(Some(until.parse().unwrap()));
            assert!(!lookout.is_there(Duration::from_secs(9)), "{until}");
            lookout.see(&event);
            assert!(lookout.is_there(Duration::ZERO), "{until}");
            lookout.see(&event);
            assert!(!lookout.is_there(Duration::ZERO), "{until}");
        }
        let mut lookout = Lookout::new(Some("1s".parse().unwrap()));
        assert!(!lookout.is_there(Duration::from_millis(999)));
        assert!(lookout.is_there(Duration::from_millis(1001)));
        assert!(!lookout.is_there(Duration::from_millis(1002)));
    }
}
