//! What becomes of what a fault rule catches. Only what can be has a value.

use std::{sync::Arc, time::Duration};

use super::action::Action;
use crate::{
    scsi::corrupt::Corruption,
    sense::Sense,
    status::{ServiceResponse, Status},
    task_management::TmfResponse,
};

/// What becomes of a command: by default it is carried out as ever.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Then {
    /// A change of the array just before.
    pub action: Option<Box<Action>>,
    /// What becomes of the command itself.
    pub fate: Fate,
}

/// What becomes of a command itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// It is carried out.
    CarriedOut {
        /// When.
        wait: Wait,
        /// What goes wrong with its data.
        data: DataFault,
    },
    /// It is answered, and not carried out.
    Answered {
        /// When.
        wait: Wait,
        /// With what.
        answer: Answer,
    },
    /// It or its answer is lost.
    Lost(Lose),
}

/// What becomes of a task management function, which is over at once or never.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FunctionThen {
    /// A change of the array just before.
    pub action: Option<Box<Action>>,
    /// What becomes of the function itself.
    pub fate: FunctionFate,
}

/// What becomes of a task management function itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FunctionFate {
    /// It is carried out.
    #[default]
    CarriedOut,
    /// It is answered, and not carried out.
    Answered(TmfResponse),
    /// It is never carried out and never answered.
    Lost,
}

/// What a command waits for. With both, the time and the release.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wait {
    /// A time, counted from its arrival.
    pub delay: Option<Delay>,
    /// The [`crate::Action::Release`] of this name.
    pub hold: Option<Arc<str>>,
}

/// What goes wrong with the data of a command that is carried out and answered GOOD.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DataFault {
    /// The most bytes that reach the initiator; the residual count says how many are missing.
    pub short: Option<u32>,
    /// Concerns READ and WRITE; other operations are carried out faithfully.
    pub corrupt: Option<Corruption>,
}

impl Default for Fate {
    fn default() -> Self {
        Fate::CarriedOut { wait: Wait::default(), data: DataFault::default() }
    }
}

impl Fate {
    /// What the command waits for, unless it is lost.
    pub fn wait(&self) -> Option<&Wait> {
        match self {
            Fate::CarriedOut { wait, .. } | Fate::Answered { wait, .. } => Some(wait),
            Fate::Lost(_) => None,
        }
    }
}

impl Then {
    /// The command is answered with this at once.
    pub fn answered(answer: Answer) -> Then {
        Fate::Answered { wait: Wait::default(), answer }.into()
    }

    /// The command is carried out after this time.
    pub fn delayed(delay: impl Into<Delay>) -> Then {
        Wait { delay: Some(delay.into()), hold: None }.into()
    }

    /// The command is carried out after the release of this name.
    pub fn held(hold: impl Into<Arc<str>>) -> Then {
        Wait { delay: None, hold: Some(hold.into()) }.into()
    }

    /// The command or its answer is lost.
    pub fn lost(lose: Lose) -> Then {
        Fate::Lost(lose).into()
    }

    /// The command is carried out, and this goes wrong with its data.
    pub fn corrupted(corrupt: Corruption) -> Then {
        DataFault { short: None, corrupt: Some(corrupt) }.into()
    }

    /// The command is carried out, and at most so many bytes reach the initiator.
    pub fn short(bytes: u32) -> Then {
        DataFault { short: Some(bytes), corrupt: None }.into()
    }

    /// This happens to the array, and then the command is carried out.
    pub fn after(action: Action) -> Then {
        Then { action: Some(Box::new(action)), ..Then::default() }
    }

    /// The name of the release that the command waits for.
    pub(crate) fn hold(&self) -> Option<&Arc<str>> {
        self.fate.wait()?.hold.as_ref()
    }
}

impl From<Fate> for Then {
    fn from(fate: Fate) -> Then {
        Then { action: None, fate }
    }
}

impl From<Wait> for Then {
    fn from(wait: Wait) -> Then {
        Fate::CarriedOut { wait, data: DataFault::default() }.into()
    }
}

impl From<DataFault> for Then {
    fn from(data: DataFault) -> Then {
        Fate::CarriedOut { wait: Wait::default(), data }.into()
    }
}

/// How long a command waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// Just so long.
    Fixed(Duration),
    /// Anything from the first to the second, all the same likely.
    Between(Duration, Duration),
    /// Exponentially distributed with this mean, and at most ten times as long.
    Exponential(Duration),
}

impl From<Duration> for Delay {
    fn from(delay: Duration) -> Self {
        Delay::Fixed(delay)
    }
}

impl Delay {
    /// What becomes of it with a number that looks random.
    pub(crate) fn of(self, random: u64) -> Duration {
        let fraction = random as f64 / u64::MAX as f64;
        match self {
            Delay::Fixed(delay) => delay,
            Delay::Between(from, to) => from + to.saturating_sub(from).mul_f64(fraction),
            Delay::Exponential(mean) => mean.mul_f64((-(1.0 - fraction).ln()).clamp(0.0, 10.0)),
        }
    }
}

/// How a command is lost. The initiator is answered [`ServiceResponse::Failure`] after the command
/// timeout: what a guest sees when the driver of a real HBA has given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lose {
    /// On the way there: it is never carried out.
    Command,
    /// On the way back: it is carried out on arrival.
    Reply,
    /// On the way there, and nobody ever gives up on it.
    Forever,
}

/// What a command is answered in place of being carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// CHECK CONDITION with this sense.
    Sense(Sense),
    /// This status, without sense.
    Status(Status),
    /// This response, without a status.
    Response(ServiceResponse),
}
