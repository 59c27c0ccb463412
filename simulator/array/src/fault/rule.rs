//! Fault rules: a name, conditions and an effect.

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

/// A fault rule: when something goes wrong, and what.
///
/// The rules are tried in order when a command arrives. Each armed rule whose conditions the
/// command meets counts it, even if an earlier rule has caught it. The first rule whose [`Matches`]
/// accepts its count catches the command. Therefore "the second MODE SELECT" always means the
/// second one that arrives.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultRule {
    /// The name of the rule, unique in the array. Reports and [`crate::Action::Arm`] use it.
    pub name: Arc<str>,
    /// The conditions under which the rule matches.
    pub when: When,
    /// What the rule catches, and what happens to it.
    pub effect: Effect,
    /// Whether the rule is active. A disarmed rule catches and counts nothing.
    pub armed: bool,
}

impl FaultRule {
    /// Creates an armed rule that catches all commands that `which` selects.
    pub fn on_commands(name: impl Into<Arc<str>>, which: CommandFilter, then: Then) -> FaultRule {
        let effect = Effect::OnCommands { which, then };
        FaultRule { name: name.into(), when: When::default(), effect, armed: true }
    }

    /// Creates an armed rule that catches all task management functions that `which` selects.
    pub fn on_functions(
        name: impl Into<Arc<str>>,
        which: TmfMatcher,
        then: FunctionThen,
    ) -> FaultRule {
        let effect = Effect::OnFunctions { which, then };
        FaultRule { name: name.into(), when: When::default(), effect, armed: true }
    }

    /// Whether the rule needs the data that blocks contained before they were overwritten.
    pub(crate) fn looks_back(&self) -> bool {
        let Effect::OnCommands { then, .. } = &self.effect else { return false };
        let stale = Some(Corruption::StaleRead);
        matches!(&then.fate, Fate::CarriedOut { data, .. } if data.corrupt == stale)
    }

    /// The name of the release that the caught commands wait for.
    pub(crate) fn hold(&self) -> Option<&Arc<str>> {
        match &self.effect {
            Effect::OnCommands { then, .. } => then.hold(),
            Effect::OnFunctions { .. } => None,
        }
    }
}

/// What a fault rule catches, and what happens to it.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The rule catches commands.
    OnCommands {
        /// The commands that the rule catches.
        which: CommandFilter,
        /// What happens to them.
        then: Then,
    },
    /// The rule catches task management functions.
    OnFunctions {
        /// The functions that the rule catches.
        which: TmfMatcher,
        /// What happens to them.
        then: FunctionThen,
    },
}

/// Selects the commands that a rule catches. A command must meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CommandFilter {
    /// The operations that match.
    pub op: Option<OpMatcher>,
    /// The INQUIRY data or VPD page that the command requests. If set, only INQUIRY matches.
    pub page: Option<InquiryPage>,
    /// A range of logical blocks. The command must address at least one of them. UNMAP never
    /// matches, because its CDB does not contain the blocks.
    pub blocks: Option<RangeInclusive<u64>>,
}

/// The conditions under which a fault rule matches. All that are set must be met.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct When {
    /// The controller that received the command.
    pub controller: Option<ControllerId>,
    /// The port that received the command.
    pub port: Option<PortId>,
    /// The HBA that sent the command.
    pub hba: Option<HbaId>,
    /// The LUN that the command addresses.
    pub lun: Option<Lun>,
    /// The stage of the run; `None` for both.
    pub stage: Option<Stage>,
    /// The earliest arrival time, relative to the beginning of the story. If set, nothing matches
    /// during discovery.
    pub from: Option<Duration>,
    /// The latest arrival time (exclusive), relative to the beginning of the story. If set, nothing
    /// matches during discovery.
    pub until: Option<Duration>,
    /// Which of the commands that meet all other conditions are caught.
    pub matches: Matches,
    /// Controllers that must be in the given states. They need not be the controller that received
    /// the command.
    pub states: Vec<(ControllerId, ControllerState)>,
    /// The controller that must own the LUN.
    pub owner: Option<ControllerId>,
    /// The probability that a matching command is caught. `None` means that it always is.
    pub chance: Option<Chance>,
}

impl From<OpMatcher> for CommandFilter {
    fn from(op: OpMatcher) -> CommandFilter {
        CommandFilter { op: Some(op), ..CommandFilter::default() }
    }
}

/// A probability in millionths, greater than 0 and at most 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance(u32);

impl Chance {
    const CERTAIN: u32 = 1_000_000;

    /// Returns `None` unless `probability`, rounded to millionths, is greater than 0 and at most 1.
    pub fn new(probability: f64) -> Option<Chance> {
        let millionths = (probability * f64::from(Self::CERTAIN)).round();
        (millionths >= 1.0 && millionths <= f64::from(Self::CERTAIN))
            .then_some(Chance(millionths as u32))
    }

    /// The probability as a number from 0 to 1.
    pub fn probability(self) -> f64 {
        f64::from(self.0) / f64::from(Self::CERTAIN)
    }

    /// Whether the event occurs, for a random number.
    pub(super) fn strikes(self, random: u64) -> bool {
        random % u64::from(Self::CERTAIN) < u64::from(self.0)
    }
}

/// Which of the matching commands a rule catches. Commands are counted from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Matches {
    /// Every matching command, without a limit.
    #[default]
    All,
    /// The first commands, this many.
    First(u64),
    /// Only the command with this number.
    Nth(u64),
    /// The commands with these numbers, inclusive.
    Range(RangeInclusive<u64>),
    /// Every n-th command: 3 means the 3rd, the 6th and so on.
    Every(u64),
}
