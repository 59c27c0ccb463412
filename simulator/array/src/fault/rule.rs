//! A fault rule: a name, a condition and a consequence.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use super::{
    matcher::{OpMatcher, TmfMatcher},
    then::{Fate, FunctionThen, Then},
};
use crate::{
    controller::ControllerState,
    ids::{ControllerId, HbaId, Lun, PortId},
    inquiry_page::InquiryPage,
    observe::Stage,
    scsi::corrupt::Corruption,
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
    /// What must be so for it to catch something.
    pub when: When,
    /// What it catches, and what becomes of that.
    pub effect: Effect,
    /// Whether it works. One that is not armed does not count either.
    pub armed: bool,
}

impl FaultRule {
    /// An armed rule that catches all of these commands.
    pub fn on_commands(name: impl Into<Arc<str>>, which: CommandFilter, then: Then) -> FaultRule {
        let effect = Effect::OnCommands { which, then };
        FaultRule { name: name.into(), when: When::default(), effect, armed: true }
    }

    /// An armed rule that catches all of these task management functions.
    pub fn on_functions(
        name: impl Into<Arc<str>>,
        which: TmfMatcher,
        then: FunctionThen,
    ) -> FaultRule {
        let effect = Effect::OnFunctions { which, then };
        FaultRule { name: name.into(), when: When::default(), effect, armed: true }
    }

    /// Whether it wants to know what blocks held before they were overwritten.
    pub(crate) fn looks_back(&self) -> bool {
        let Effect::OnCommands { then, .. } = &self.effect else { return false };
        let stale = Some(Corruption::StaleRead);
        matches!(&then.fate, Fate::CarriedOut { data, .. } if data.corrupt == stale)
    }

    /// The name of the release that what it catches waits for.
    pub(crate) fn hold(&self) -> Option<&Arc<str>> {
        match &self.effect {
            Effect::OnCommands { then, .. } => then.hold(),
            Effect::OnFunctions { .. } => None,
        }
    }
}

/// What a rule catches, and what becomes of that.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Commands.
    OnCommands {
        /// Which.
        which: CommandFilter,
        /// What becomes of them.
        then: Then,
    },
    /// Task management functions.
    OnFunctions {
        /// Which.
        which: TmfMatcher,
        /// What becomes of them.
        then: FunctionThen,
    },
}

/// Which commands a rule catches: those that fulfil every condition that is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CommandFilter {
    /// The operation.
    pub op: Option<OpMatcher>,
    /// The page of INQUIRY data that is asked for; with it a rule is about INQUIRY alone.
    pub page: Option<InquiryPage>,
    /// Blocks of which it touches at least one; UNMAP, whose blocks are not in its CDB, touches none.
    pub blocks: Option<RangeInclusive<u64>>,
}

/// What must be so for a rule to catch something: every condition that is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct When {
    /// The controller it came to.
    pub controller: Option<ControllerId>,
    /// The port it came to.
    pub port: Option<PortId>,
    /// The HBA that sent it.
    pub hba: Option<HbaId>,
    /// The logical unit it is for.
    pub lun: Option<Lun>,
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

impl From<OpMatcher> for CommandFilter {
    fn from(op: OpMatcher) -> CommandFilter {
        CommandFilter { op: Some(op), ..CommandFilter::default() }
    }
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
