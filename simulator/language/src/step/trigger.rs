//! When a step is executed: `at`, or `on` with `after`.

use std::{fmt, ops::Range, time::Duration};

use super::on::{OnEvent, OnTable};
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::{At, TimeSpan},
};

/// When a step is executed. Every step is executed at most once.
#[derive(Debug, Clone)]
pub enum Trigger {
    /// At a story time.
    At(Duration),
    /// After an event.
    On {
        /// The event.
        event: OnEvent,
        /// The delay after the event.
        after: Duration,
    },
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trigger::At(time) => write!(f, "at {}", TimeSpan(*time)),
            Trigger::On { event, after } if after.is_zero() => write!(f, "when {event}"),
            Trigger::On { event, after } => write!(f, "{} after {event}", TimeSpan(*after)),
        }
    }
}

table! {
    /// When a step is executed.
    pub(super) struct TriggerTable, "`at` or `on`" {
        /// The story time at which the step is executed.
        at: Option<Name<TimeSpan>>,
        /// The event that triggers the step, instead of a time.
        on: Option<At<OnTable>>,
        /// The delay after the event. Default: "0s".
        after: Option<Name<TimeSpan>>,
    }
}

impl TriggerTable {
    /// The story time, if one is given.
    pub(super) fn time(&self) -> Option<&Name<TimeSpan>> {
        self.at.as_ref()
    }

    /// Validates the keys and converts them; `None` if there is a mistake, which has been reported.
    pub(super) fn check(
        &self,
        step: &str,
        span: &Range<usize>,
        checker: &mut Checker<'_>,
    ) -> Option<Trigger> {
        match (&self.at, &self.on) {
            (Some(at), None) => {
                if let Some(after) = &self.after {
                    checker.refuse(&after.span, "`after` goes with `on`", "add it to `at`");
                }
                Some(Trigger::At(checker.story_time(at)))
            }
            (None, Some(on)) => {
                let after = self.after.as_ref().map_or(Duration::ZERO, |after| after.0.0);
                Some(Trigger::On { event: on.check(step, checker)?, after })
            }
            (Some(at), Some(_)) => {
                let help = "write `on` with `after` for a step that comes so long after an event";
                checker.refuse(&at.span, "`at` and `on` exclude each other", help);
                None
            }
            (None, None) => {
                let help = "write `at`, a time of the story, or `on`, an event";
                checker.refuse(span, "this step is never taken", help);
                None
            }
        }
    }

    /// Reports any key, for a step that is taken at once.
    pub(super) fn refuse(&self, checker: &mut Checker<'_>) {
        let spans = [
            self.at.as_ref().map(|at| &at.span),
            self.on.as_ref().map(|on| &on.span),
            self.after.as_ref().map(|after| &after.span),
        ];
        for span in spans.into_iter().flatten() {
            checker.refuse(span, "this step is taken at once", "leave `at`, `on` and `after` away");
        }
    }

    /// The keys that would be read as `trigger`.
    pub(super) fn of(trigger: &Trigger) -> Self {
        match trigger {
            Trigger::At(time) => {
                TriggerTable { at: Some(name(TimeSpan(*time))), on: None, after: None }
            }
            Trigger::On { event, after } => TriggerTable {
                at: None,
                on: Some(At::nowhere(OnTable::of(event))),
                after: Some(name(TimeSpan(*after))),
            },
        }
    }
}
