//! The story as a picture: a lane for each controller, LUN and path, one for pg_init and one for I/O. Bars
//! show states, marks show events.

use std::collections::BTreeMap;

use sansim_stage::event::{Change, Event, IoKind, PathState, What};

use crate::traffic::Traffic;

/// Maximum number of marks in a lane; only the first ones are shown.
const MAX_MARKS: usize = 300;

/// Maximum number of bars and marks of all lanes; only the first ones are shown.
const MAX_SHAPES: usize = 1200;

/// The meaning of a bar's or mark's colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Working normally.
    Good,
    /// In a transition.
    Busy,
    /// Failed.
    Bad,
    /// Neutral.
    Plain,
}

/// A state with a duration.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Start, in seconds of scenario time.
    pub from: f64,
    /// End, in seconds of scenario time; `None` if it lasts to the end of the story.
    pub to: Option<f64>,
    /// Text on the bar: `online`, `A`, `failed`.
    pub label: String,
    /// The colour.
    pub tone: Tone,
}

/// An event at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Scenario time in seconds.
    pub t: f64,
    /// Text in the tooltip.
    pub label: String,
    /// The colour.
    pub tone: Tone,
}

/// One row of the picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lane {
    /// The states, in order.
    pub bars: Vec<Bar>,
    /// The events, in order.
    pub marks: Vec<Mark>,
}

/// All lanes, in the order in which they are drawn.
#[derive(Debug, Default)]
pub struct Lanes {
    lanes: BTreeMap<(u8, String), Lane>,
    shapes: usize,
    left_out: u64,
    /// The time of the last event, in seconds of scenario time.
    last: f64,
    traffic: Traffic,
}

impl Lanes {
    /// Adds an event, if the picture shows it.
    pub fn push(&mut self, event: &Event) {
        let t = event.t;
        self.last = self.last.max(t);
        self.traffic.push(event);
        match &event.what {
            What::Step { action, error, .. } => {
                let tone = if error.is_some() { Tone::Bad } else { Tone::Plain };
                self.mark(0, "steps", t, action.clone(), tone);
            }
            What::State { change: Change::Controller { controller, from, to }, .. } => {
                let lane = format!("controller {controller}");
                self.change(1, &lane, t, (from, state_tone(from)), (to, state_tone(to)));
            }
            What::State { change: Change::Owner { lun, from, to, .. }, .. } => {
                let lane = format!("owner of LUN {lun}");
                self.change(2, &lane, t, (from, Tone::Plain), (to, Tone::Plain));
            }
            What::State { change: Change::Replication { lun, is, served_by }, .. } => {
                let lane = format!("replication of LUN {lun}");
                // How far it has copied is too much for a bar.
                let is = is.split(',').next().unwrap_or_default();
                let by = if served_by.is_empty() { "nobody" } else { &served_by.join("") };
                let tone = replication_tone(is);
                self.change(2, &lane, t, ("up", Tone::Good), (&format!("{is}: {by}"), tone));
            }
            What::Command(command) if command.op.starts_with("MODE SELECT") && t >= 0.0 => {
                let tone = if command.failed() { Tone::Bad } else { Tone::Good };
                let answer = command.answer();
                let label = format!("{} to {}: {answer}", command.op, command.port);
                self.mark(3, "MODE SELECT", t, label, tone);
            }
            What::PgInit { rounds, .. } if *rounds > 0 => {
                self.mark(4, "pg_init", t, format!("round {rounds}"), Tone::Busy);
            }
            What::Path { path, state, .. } => {
                let lane = format!("path {path}");
                match state {
                    PathState::Failed => {
                        self.change(5, &lane, t, ("active", Tone::Good), ("failed", Tone::Bad))
                    }
                    PathState::Active => {
                        self.change(5, &lane, t, ("failed", Tone::Bad), ("active", Tone::Good))
                    }
                }
            }
            What::Io { what: IoKind::StallBegin, text, .. } => {
                let bar = Bar { from: t, to: None, label: text.clone(), tone: Tone::Bad };
                if self.has_room(1) {
                    self.lane(6, "I/O").bars.push(bar);
                }
            }
            What::Io { what: IoKind::StallEnd, .. } => {
                let lane = self.lanes.get_mut(&(6, "I/O".to_owned()));
                if let Some(bar) = lane.and_then(|lane| lane.bars.last_mut()) {
                    bar.to.get_or_insert(t);
                }
            }
            What::Io { text, .. } => self.mark(6, "I/O", t, text.clone(), Tone::Bad),
            _ => {}
        }
    }

    /// The lanes with their names, in drawing order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Lane)> {
        self.lanes.iter().map(|((_, name), lane)| (name.as_str(), lane))
    }

    /// The number of changes and marks that are not drawn.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The time of the last event, in seconds of scenario time.
    pub(crate) fn last(&self) -> f64 {
        self.last
    }

    /// The commands of the story.
    pub(crate) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Whether so many shapes more can be drawn; if not, they are counted as left out.
    fn has_room(&mut self, shapes: usize) -> bool {
        let fits = self.shapes + shapes <= MAX_SHAPES;
        match fits {
            true => self.shapes += shapes,
            false => self.left_out += 1,
        }
        fits
    }

    fn lane(&mut self, rank: u8, name: &str) -> &mut Lane {
        self.lanes.entry((rank, name.to_owned())).or_default()
    }

    fn mark(&mut self, rank: u8, name: &str, t: f64, label: String, tone: Tone) {
        if self.lane(rank, name).marks.len() >= MAX_MARKS {
            self.left_out += 1;
        } else if self.has_room(1) {
            self.lane(rank, name).marks.push(Mark { t, label, tone });
        }
    }

    /// One state ends and another begins. The first state is drawn from the beginning of the story.
    fn change(&mut self, rank: u8, name: &str, t: f64, from: (&str, Tone), to: (&str, Tone)) {
        let lane = self.lane(rank, name);
        if lane.bars.last().is_some_and(|bar| bar.label == to.0) {
            return;
        }
        if !self.has_room(2) {
            return;
        }
        let lane = self.lane(rank, name);
        match lane.bars.last_mut() {
            Some(bar) => bar.to = Some(t),
            None => {
                let bar = Bar { from: 0.0, to: Some(t), label: from.0.to_owned(), tone: from.1 };
                lane.bars.push(bar);
            }
        }
        lane.bars.push(Bar { from: t, to: None, label: to.0.to_owned(), tone: to.1 });
    }
}

fn state_tone(state: &str) -> Tone {
    match state {
        "online" => Tone::Good,
        "failed" | "offline" => Tone::Bad,
        _ => Tone::Busy,
    }
}

fn replication_tone(is: &str) -> Tone {
    match is {
        "up" => Tone::Good,
        "down" => Tone::Bad,
        _ => Tone::Busy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_lasts_until_the_next_one() {
        let mut lanes = Lanes::default();
        for (t, from, to) in [(1.0, "online", "failed"), (3.0, "failed", "online")] {
            let (from, to) = (from.to_owned(), to.to_owned());
            let change = Change::Controller { controller: "A".into(), from, to };
            lanes.push(&Event { t, what: What::State { text: String::new(), change } });
        }
        assert_eq!((lanes.last(), lanes.left_out()), (3.0, 0));
        let (name, lane) = lanes.iter().next().unwrap();
        assert_eq!(name, "controller A");
        let spans: Vec<_> = lane.bars.iter().map(|b| (b.from, b.to)).collect();
        assert_eq!(spans, [(0.0, Some(1.0)), (1.0, Some(3.0)), (3.0, None)]);
    }
}
