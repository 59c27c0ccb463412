//! What happens to a command or a task management function that a fault rule catches. The types
//! permit only combinations that can occur.

use std::{sync::Arc, time::Duration};

use super::action::Action;
use crate::{
    scsi::corrupt::Corruption,
    sense::Sense,
    status::{ServiceResponse, Status},
    task_management::TmfResponse,
};

/// What happens to a caught command. By default, the command is carried out normally.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Then {
    /// An action that is applied to the array before the command is processed.
    pub action: Option<Box<Action>>,
    /// The outcome of the command.
    pub fate: Fate,
}

/// The outcome of a caught command.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// The command is carried out.
    CarriedOut {
        /// What the command waits for first.
        wait: Wait,
        /// The data fault; by default, the data is correct.
        data: DataFault,
    },
    /// The command is answered without being carried out, unless the answer is RECOVERED ERROR.
    Answered {
        /// What the command waits for first.
        wait: Wait,
        /// The sense data, status or response that the initiator gets.
        answer: Answer,
    },
    /// The command or its reply is lost.
    Lost(Lose),
}

/// What happens to a caught task management function. A function cannot be delayed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FunctionThen {
    /// An action that is applied to the array before the function is processed.
    pub action: Option<Box<Action>>,
    /// The outcome of the function.
    pub fate: FunctionFate,
}

/// The outcome of a caught task management function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FunctionFate {
    /// The function is carried out.
    #[default]
    CarriedOut,
    /// The function gets this response without being carried out.
    Answered(TmfResponse),
    /// The function is neither carried out nor answered.
    Lost,
}

/// What a command waits for. If both are set, it waits for both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wait {
    /// A delay, measured from the arrival of the command.
    pub delay: Option<Delay>,
    /// The name of an [`crate::Action::Release`].
    pub hold: Option<Arc<str>>,
}

/// A data fault in a command that is carried out and completes with GOOD.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DataFault {
    /// The maximum number of bytes that reach the initiator. The residual count includes the
    /// missing bytes.
    pub short: Option<u32>,
    /// How the data is corrupted. Affects only READ and WRITE.
    pub corrupt: Option<Corruption>,
}

impl Default for Fate {
    fn default() -> Self {
        Fate::CarriedOut { wait: Wait::default(), data: DataFault::default() }
    }
}

impl Fate {
    /// What the command waits for; `None` if it is lost.
    pub fn wait(&self) -> Option<&Wait> {
        match self {
            Fate::CarriedOut { wait, .. } | Fate::Answered { wait, .. } => Some(wait),
            Fate::Lost(_) => None,
        }
    }
}

impl Then {
    /// The command gets this answer at once.
    pub fn answered(answer: Answer) -> Then {
        Fate::Answered { wait: Wait::default(), answer }.into()
    }

    /// The command is carried out after this delay.
    pub fn delayed(delay: impl Into<Delay>) -> Then {
        Wait { delay: Some(delay.into()), hold: None }.into()
    }

    /// The command is carried out after the release of this name.
    pub fn held(hold: impl Into<Arc<str>>) -> Then {
        Wait { delay: None, hold: Some(hold.into()) }.into()
    }

    /// The command or its reply is lost.
    pub fn lost(lose: Lose) -> Then {
        Fate::Lost(lose).into()
    }

    /// The command is carried out with corrupted data.
    pub fn corrupted(corrupt: Corruption) -> Then {
        DataFault { short: None, corrupt: Some(corrupt) }.into()
    }

    /// The command is carried out, but at most `bytes` bytes reach the initiator.
    pub fn short(bytes: u32) -> Then {
        DataFault { short: Some(bytes), corrupt: None }.into()
    }

    /// The action is applied to the array, and then the command is carried out.
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
    /// The same time for every command.
    Fixed(Duration),
    /// A uniformly distributed time between these two limits.
    Between(Duration, Duration),
    /// An exponentially distributed time with this mean, truncated at 10 times the mean.
    Exponential(Duration),
}

impl From<Duration> for Delay {
    fn from(delay: Duration) -> Self {
        Delay::Fixed(delay)
    }
}

impl Delay {
    /// The delay for a random number.
    pub(crate) fn of(self, random: u64) -> Duration {
        let fraction = random as f64 / u64::MAX as f64;
        match self {
            Delay::Fixed(delay) => delay,
            Delay::Between(from, to) => from + to.saturating_sub(from).mul_f64(fraction),
            Delay::Exponential(mean) => mean.mul_f64((-(1.0 - fraction).ln()).clamp(0.0, 10.0)),
        }
    }
}

/// How a command is lost. After the command timeout, the initiator gets
/// [`ServiceResponse::Failure`]: a guest sees the same when the driver of a real HBA gives up on a
/// command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lose {
    /// The command is lost before it reaches the array: it is not carried out.
    Command,
    /// The reply is lost: the command is carried out when it arrives.
    Reply,
    /// The command is lost before it reaches the array, and never times out.
    Forever,
}

/// The answer to a command that is not carried out. With RECOVERED ERROR it is carried out first, because that is what
/// this sense key says (SPC-4 4.5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// CHECK CONDITION status with this sense data.
    Sense(Sense),
    /// This status, without sense data.
    Status(Status),
    /// This response code, without a status.
    Response(ServiceResponse),
}
