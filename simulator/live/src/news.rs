//! What a lab tells, and the last minutes of it for those who come later.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use sansim_stage::event::Event;
use tokio::sync::broadcast;

use crate::api::{Message, Past, SanState, Tick};

/// The number of messages that a slow follower may be behind before it loses some.
const BEHIND: usize = 4096;

/// How much of each is remembered: lines of a page's stream, five minutes of ticks, and changes of
/// the state.
const EVENTS: usize = 2000;
const TICKS: usize = 3200;
const STATES: usize = 400;

/// Tells all who follow a lab. Cheap to clone; usable from any thread.
#[derive(Debug, Clone)]
pub(crate) struct News {
    messages: broadcast::Sender<Message>,
    memory: Arc<Mutex<Memory>>,
}

impl News {
    pub(crate) fn new() -> Self {
        News { messages: broadcast::Sender::new(BEHIND), memory: Arc::default() }
    }

    /// Tells all who follow now, and remembers it.
    pub(crate) fn tell(&self, message: Message) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.remember(&message);
        // Nobody may be following.
        let _ = self.messages.send(message);
    }

    /// The messages from now on.
    pub(crate) fn follow(&self) -> broadcast::Receiver<Message> {
        self.messages.subscribe()
    }

    /// What was told, and the messages after it: nothing is in neither or in both.
    pub(crate) fn follow_from_the_past(&self) -> (Past, broadcast::Receiver<Message>) {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        (memory.past(), self.messages.subscribe())
    }

    /// The number of those who follow.
    #[cfg(test)]
    pub(crate) fn followers(&self) -> usize {
        self.messages.receiver_count()
    }
}

/// The last of everything that a page shows over time, oldest first.
#[derive(Debug, Default)]
struct Memory {
    states: VecDeque<Arc<SanState>>,
    ticks: VecDeque<Arc<Tick>>,
    events: VecDeque<Arc<Event>>,
}

impl Memory {
    fn remember(&mut self, message: &Message) {
        match message {
            Message::Status(status) => {
                let state = SanState::of(status);
                if self.states.back().is_none_or(|last| last.differs(&state)) {
                    push(&mut self.states, state.into(), STATES);
                }
            }
            Message::Tick(tick) if tick.seconds > 0.0 => push(&mut self.ticks, tick.clone(), TICKS),
            Message::Event(event) if !Past::leaves_out(event) => {
                push(&mut self.events, event.clone(), EVENTS);
            }
            Message::Tick(_) | Message::Event(_) | Message::Ended(_) => {}
        }
    }

    fn past(&self) -> Past {
        Past {
            states: self.states.iter().cloned().collect(),
            ticks: self.ticks.iter().cloned().collect(),
            events: self.events.iter().cloned().collect(),
        }
    }
}

/// Adds the newest, and forgets the oldest if there are more than `most`.
fn push<T>(all: &mut VecDeque<T>, newest: T, most: usize) {
    if all.len() == most {
        all.pop_front();
    }
    all.push_back(newest);
}

#[cfg(test)]
mod tests {
    use sansim_stage::event::What;

    use super::*;

    fn line(t: f64) -> Message {
        let text = "a line".to_owned();
        Message::Event(Arc::new(Event { t, what: What::Log { level: None, text } }))
    }

    #[test]
    fn who_comes_later_misses_nothing_and_gets_nothing_twice() {
        let news = News::new();
        (0..3).for_each(|t| news.tell(line(f64::from(t))));
        let (past, mut messages) = news.follow_from_the_past();
        news.tell(line(3.0));
        let times: Vec<_> = past.events.iter().map(|event| event.t).collect();
        assert_eq!(times, [0.0, 1.0, 2.0]);
        assert!(matches!(messages.try_recv(), Ok(Message::Event(event)) if event.t == 3.0));
        assert!(messages.try_recv().is_err());
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let news = News::new();
        (0..EVENTS + 5).for_each(|t| news.tell(line(t as f64)));
        let (past, _) = news.follow_from_the_past();
        assert_eq!((past.events.len(), past.events[0].t), (EVENTS, 5.0));
    }
}
