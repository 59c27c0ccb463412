//! Pausing, continuing and skipping time.

use std::time::Duration;

use sansim_array::{ServiceResponse, Status};
use sansim_lab::TimeMode;
use sansim_protocol::Happening;
use sansim_run::RunError;
use sansim_stage::Incoming;
use sansim_time::Time;

use super::running::Running;
use crate::{
    api::{Clock, Refused, RunState, TimeChange, Why},
    handle::Answer,
};

/// The most that is skipped at once.
const MOST: Duration = Duration::from_secs(24 * 3600);

/// Idle time that is being skipped.
#[derive(Default)]
pub(super) struct Skip(Option<Skipping>);

struct Skipping {
    until: Time,
    /// Whether something that happens ends it.
    to_event: bool,
    answer: Answer<f64>,
}

impl Skip {
    /// When it ends at the latest.
    pub(super) fn until(&self) -> Option<Time> {
        self.0.as_ref().map(|skipping| skipping.until)
    }

    /// Ends the skipping to the next event, if this is one that people care about.
    pub(super) fn see(&mut self, incoming: &Incoming) {
        if let Some(skipping) = self.0.as_mut().filter(|skipping| skipping.to_event)
            && is_news(incoming)
        {
            skipping.until = Time::ZERO;
        }
    }
}

/// Whether it is anything but I/O that goes well.
fn is_news(incoming: &Incoming) -> bool {
    match incoming {
        Incoming::Command(record) => {
            let completion = &record.completion;
            let good =
                (completion.response, completion.status) == (ServiceResponse::Ok, Status::Good);
            record.fault.is_some() || !good
        }
        Incoming::Agent(event) => !matches!(
            event.what,
            Happening::Progress { .. } | Happening::Shown { .. } | Happening::Said { .. }
        ),
        Incoming::Change(_) | Incoming::Done { .. } | Incoming::TerminalEnded { .. } => true,
        Incoming::Alarm | Incoming::Settled => false,
    }
}

impl Running<'_> {
    /// The clock now.
    pub(super) fn clock(&self) -> Clock {
        let state = match (self.stage.is_paused(), &self.skip.0) {
            (true, _) => RunState::Paused,
            (false, Some(_)) => RunState::Skipping,
            (false, None) => RunState::Running,
        };
        let mode = if self.stage.skips() { TimeMode::Skip } else { TimeMode::Real };
        Clock { t: self.t(), mode: mode.to_string(), state }
    }

    /// Changes the clock. Skipping is answered when it ends.
    pub(super) async fn change_time(
        &mut self,
        change: TimeChange,
        answer: Answer<f64>,
    ) -> Result<(), RunError> {
        self.changed = true;
        match change {
            TimeChange::Pause => {
                self.stage.pause().await;
                let _ = answer.send(Ok(self.t()));
            }
            TimeChange::Resume => {
                if self.stage.resume() && !self.stage.skips() {
                    self.teller.clockwork = self.stage.story_time().await?;
                }
                let _ = answer.send(Ok(self.t()));
            }
            TimeChange::Skip(seconds) => {
                let time = Duration::try_from_secs_f64(seconds).ok();
                match time.filter(|time| !time.is_zero() && *time <= MOST) {
                    Some(time) => self.begin_skip(time, false, answer),
                    None => {
                        let why = format!("{seconds} s cannot be skipped: give up to a day");
                        let _ = answer.send(Err(Refused::new(Why::Invalid, why)));
                    }
                }
            }
            TimeChange::ToNextEvent => self.begin_skip(MOST, true, answer),
        }
        Ok(())
    }

    fn begin_skip(&mut self, time: Duration, to_event: bool, answer: Answer<f64>) {
        let refusal = if !self.stage.skips() {
            Some("this lab runs in real time; to skip time, start it with --time skip")
        } else if self.stage.is_paused() {
            Some("the guest is paused; let it go on first: sansim ctl time resume")
        } else if self.skip.0.is_some() {
            Some("time is being skipped already")
        } else {
            None
        };
        if let Some(why) = refusal {
            let _ = answer.send(Err(Refused::new(Why::Conflict, why)));
            return;
        }
        self.stage.keep_pace(false);
        let until = self.stage.now() + time;
        self.skip.0 = Some(Skipping { until, to_event, answer });
    }

    /// Ends skipping if it is due.
    pub(super) fn end_skip(&mut self, now: Time) {
        if self.skip.until().is_none_or(|until| now < until) {
            return;
        }
        self.stage.keep_pace(true);
        self.changed = true;
        let t = self.t();
        if let Some(skipping) = self.skip.0.take() {
            let _ = skipping.answer.send(Ok(t));
        }
    }
}
