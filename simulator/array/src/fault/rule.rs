//! A fault rule: a name, a condition and a consequence.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use super::{OpMatcher, TmfMatcher};
use crate::{
    action::Action,
    completion::{ServiceResponse, Status, TmfResponse},
    controller::ControllerState,
    ids::{ControllerId, HbaId, Lun, PortId},
    observe::Stage,
    scsi::captured::InquiryPage,
    sense::Sense,
};

/// When something goes wrong, and what.
///
/// Rules are tried in order when a command arrives. Each armed rule whose conditions the command
/// fulfils counts it, whether or not an earlier rule has caught it already; the first one whose
/// count says yes catches it. So "the second MODE SELECT" is the second one on the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultRule {
    /// Its name, unique in the array: reports and [`crate::Action::Arm`] use it.
    pub name: Arc<str>,
    /// Which commands it catches.
    pub when: When,
    /// What becomes of them.
    pub then: Then,
    /// Whether it works. One that is not armed does not count either.
    pub armed: bool,
}

impl FaultRule {
    /// Whether it wants to know what blocks held before they were overwritten.
    pub(crate) fn looks_back(&self) -> bool {
        self.then.corrupt == Some(Corruption::StaleRead)
    }
}

/// Which commands a rule catches: those that fulfil every condition that is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct When {
    /// The operation.
    pub op: Option<OpMatcher>,
    /// The page of INQUIRY data that is asked for; with it a rule is about INQUIRY alone.
    pub page: Option<InquiryPage>,
    /// The task management function: with it a rule is about these, and not about commands.
    pub task_management: Option<TmfMatcher>,
    /// The controller it came to.
    pub controller: Option<ControllerId>,
    /// The port it came to.
    pub port: Option<PortId>,
    /// The HBA that sent it.
    pub hba: Option<HbaId>,
    /// The logical unit it is for.
    pub lun: Option<Lun>,
    /// Blocks of which it touches at least one; UNMAP, whose blocks are not in its CDB, touches none.
    pub blocks: Option<RangeInclusive<u64>>,
    /// The part of the run; none for any.
    pub stage: Option<Stage>,
    /// The earliest arrival, counted from the beginning of the story; before it nothing matches.
    pub from: Option<Duration>,
    /// The end, counted from the beginning of the story: it must arrive before this, but not before
    /// the story.
    pub until: Option<Duration>,
    /// Which of those that fulfil all the rest.
    pub matches: Matches,
    /// Controllers that must be in a state, whichever controller the command came to.
    pub states: Vec<(ControllerId, ControllerState)>,
    /// The controller that must own the LUN.
    pub owner: Option<ControllerId>,
    /// How likely it is to be caught when everything else says so; none for certainly.
    pub chance: Option<Chance>,
}

/// A probability, in millionths: above 0 and at most 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance(u32);

impl Chance {
    const CERTAIN: u32 = 1_000_000;

    /// That of a number above 0 and at most 1, to the millionth.
    pub fn new(probability: f64) -> Option<Chance> {
        let millionths = (probability * f64::from(Self::CERTAIN)).round();
        (millionths >= 1.0 && millionths <= f64::from(Self::CERTAIN))
            .then_some(Chance(millionths as u32))
    }

    /// As a number.
    pub fn probability(self) -> f64 {
        f64::from(self.0) / f64::from(Self::CERTAIN)
    }

    /// Whether a number that looks random says yes.
    pub(super) fn strikes(self, random: u64) -> bool {
        random % u64::from(Self::CERTAIN) < u64::from(self.0)
    }
}

/// Which of the commands that fulfil all other conditions, counted from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Matches {
    /// All of them.
    #[default]
    All,
    /// So many, and then no more.
    First(u64),
    /// Just this one.
    Nth(u64),
    /// From this one to that one.
    Range(RangeInclusive<u64>),
    /// Every so many: 3 means the 3rd, the 6th, and so on.
    Every(u64),
}

/// What becomes of a command. Without an answer it is carried out in the ordinary way after the
/// delay or hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Then {
    /// Something that happens to the array just before.
    pub action: Option<Box<Action>>,
    /// How long it waits, counted from its arrival.
    pub delay: Option<Delay>,
    /// The name under which it waits until [`crate::Action::Release`]; with a delay, for both.
    pub hold: Option<Arc<str>>,
    /// It is lost; goes with none of the others.
    pub lose: Option<Lose>,
    /// It is answered with this and not carried out.
    pub answer: Option<Answer>,
    /// It is carried out, but no more than so many bytes of data reach the initiator; the residual
    /// tells of the rest.
    pub short: Option<u32>,
    /// It is carried out, but not as it should be. Concerns READ and WRITE; other operations are
    /// carried out faithfully.
    pub corrupt: Option<Corruption>,
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

/// How data goes wrong without anybody's saying so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Corruption {
    /// One bit of the first block is another one: on its way to the initiator, or in the store.
    BitFlip,
    /// A write is answered GOOD and not done, so that later reads find what was there before.
    DroppedWrite,
    /// A write lands in the blocks behind those it was for, or before them at the LUN's end.
    MisdirectedWrite,
    /// A read finds what was there before the blocks were written the last time, as from a cache that
    /// was not told.
    StaleRead,
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
    /// This, if it is a task management function.
    Function(TmfResponse),
}

/// Why a fault rule makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The name is taken.
    #[error("there are two fault rules named {0:?}")]
    Duplicate(Arc<str>),
    /// More rules than an array takes.
    #[error("more than {0} fault rules")]
    TooMany(usize),
    /// Commands and ranges are counted from 1, and a range does not end before it begins.
    #[error("fault rule {0:?} can never match: it counts from 1, and a range must not be empty")]
    NeverMatches(Arc<str>),
    /// A controller or port that the array does not have.
    #[error("fault rule {rule:?} names {what}, which the array does not have")]
    Unknown {
        /// The rule.
        rule: Arc<str>,
        /// What it names.
        what: String,
    },
    /// A lost command cannot also be delayed, held or answered.
    #[error("fault rule {0:?} loses a command, and so cannot delay, hold or answer it")]
    LostAndMore(Arc<str>),
    /// A task management function has no operation and no data, and does not wait.
    #[error(
        "fault rule {0:?} is about task management functions: it can answer them or lose them for ever, and what they do not have cannot be asked of them"
    )]
    TaskManagement(Arc<str>),
    /// A command is not answered like a task management function.
    #[error("fault rule {0:?} answers commands as if they were task management functions")]
    NoTaskManagement(Arc<str>),
}
