//! Evaluating the fault rules for a command.

use std::{cell::LazyCell, sync::Arc, time::Duration};

use super::{
    index::{Index, Way},
    rule::{Effect, FaultRule, Matches},
};
use crate::{
    command::Cdb,
    controller::Controller,
    error::RuleError,
    hash::fnv1a,
    ids::{ControllerId, Lun, Nexus},
    inquiry_page::InquiryPage,
    observe::Stage,
    operation::{Kind, Operation},
    scsi::medium::{self, Span},
    task_management::TaskManagement,
};

/// A command or a task management function, with everything that fault rules can test.
pub(crate) struct Subject<'a> {
    /// When the command arrived, relative to the beginning of the story; `None` during discovery.
    pub(crate) story: Option<Duration>,
    pub(crate) stage: Stage,
    pub(crate) nexus: Nexus,
    pub(crate) lun: Lun,
    pub(crate) cdb: &'a Cdb,
    pub(crate) op: Option<&'static Operation>,
    /// The task management function; `None` for a command.
    pub(crate) function: Option<TaskManagement>,
    pub(crate) controllers: &'a [Controller],
    /// The owner of the LUN; `None` if the LUN is not mapped.
    pub(crate) owner: Option<ControllerId>,
}

/// The fault rule that caught a command.
pub(crate) struct Caught<'a> {
    pub(crate) rule: &'a FaultRule,
    /// A pseudo-random number for random effects. It depends only on the seed, the name of the rule
    /// and its counter.
    pub(crate) random: u64,
}

/// A fault rule with its counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleView {
    /// The name of the rule.
    pub name: Arc<str>,
    /// Whether it is tried.
    pub armed: bool,
    /// The number of commands that met its conditions, whatever its count, its chance and the rules
    /// before it say.
    pub met: u64,
    /// The number of commands that it has caught.
    pub caught: u64,
}

/// The fault rules of an array, with their counters.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    seed: u64,
    rules: Vec<Tried>,
    /// An index of the armed rules.
    index: Index,
}

#[derive(Debug, Clone)]
struct Tried {
    rule: FaultRule,
    /// The number of commands that met all conditions except for the count and the probability.
    met: u64,
    /// The number of commands that the rule caught.
    caught: u64,
}

impl Faults {
    /// The maximum number of rules in an array.
    const MAX: usize = 4096;

    /// Checks the rules against the array's controllers. Rules are stored in the given order.
    pub(crate) fn new(
        rules: &[FaultRule],
        controllers: &[Controller],
        seed: u64,
    ) -> Result<Self, RuleError> {
        let index = Index::new(std::iter::empty());
        let mut faults = Faults { seed, rules: Vec::new(), index };
        for rule in rules {
            faults.check(rule, controllers)?;
            faults.rules.push(Tried { rule: rule.clone(), met: 0, caught: 0 });
        }
        faults.update_index();
        Ok(faults)
    }

    /// Checks a rule and adds it after the existing ones.
    pub(crate) fn add(
        &mut self,
        rule: FaultRule,
        controllers: &[Controller],
    ) -> Result<(), RuleError> {
        self.check(&rule, controllers)?;
        self.rules.push(Tried { rule, met: 0, caught: 0 });
        self.update_index();
        Ok(())
    }

    /// Arms or disarms a rule, and returns it; `None` if no rule has this name.
    pub(crate) fn arm(&mut self, name: &str, armed: bool) -> Option<&FaultRule> {
        let at = self.rules.iter().position(|tried| &*tried.rule.name == name)?;
        self.rules[at].rule.armed = armed;
        self.update_index();
        Some(&self.rules[at].rule)
    }

    /// The name of each rule and the number of commands it caught, in the order of the rules.
    pub(crate) fn matches(&self) -> Vec<(Arc<str>, u64)> {
        self.rules.iter().map(|tried| (tried.rule.name.clone(), tried.caught)).collect()
    }

    /// The rules in order, with their counters.
    pub(crate) fn views(&self) -> Vec<RuleView> {
        let view = |Tried { rule, met, caught }: &Tried| RuleView {
            name: Arc::clone(&rule.name),
            armed: rule.armed,
            met: *met,
            caught: *caught,
        };
        self.rules.iter().map(view).collect()
    }

    /// Finds the rule that catches a command or a task management function. Every rule whose
    /// conditions are met counts it.
    pub(crate) fn judge(&mut self, subject: &Subject<'_>) -> Option<Caught<'_>> {
        let opcode = subject.cdb.first().copied().unwrap_or(0);
        let way = Way::new(subject.stage, subject.nexus, subject.lun);
        let span = LazyCell::new(|| subject.span());
        let candidates = match subject.function {
            Some(_) => self.index.tasks(),
            None => self.index.candidates(opcode),
        };
        let mut winner = None;
        for candidate in candidates {
            if !candidate.may_match(way, || *span) {
                continue;
            }
            let at = usize::from(candidate.rule);
            let tried = &mut self.rules[at];
            if !fulfils(&tried.rule, subject) {
                continue;
            }
            tried.met += 1;
            if winner.is_some() || !tried.rule.when.matches.covers(tried.met) {
                continue;
            }
            let random = draw(self.seed, &tried.rule.name, tried.met);
            if tried.rule.when.chance.is_none_or(|chance| chance.strikes(random)) {
                tried.caught += 1;
                winner = Some((at, random));
            }
        }
        winner.map(|(at, random)| Caught { rule: &self.rules[at].rule, random })
    }

    /// Whether a rule needs the data that blocks contained before they were overwritten.
    pub(crate) fn look_back(&self) -> bool {
        self.rules.iter().any(|tried| tried.rule.looks_back())
    }

    fn update_index(&mut self) {
        let armed = self.rules.iter().enumerate().filter(|(_, tried)| tried.rule.armed);
        self.index = Index::new(armed.map(|(at, tried)| (at, &tried.rule)));
    }

    fn check(&self, rule: &FaultRule, controllers: &[Controller]) -> Result<(), RuleError> {
        let name = || rule.name.clone();
        if self.rules.len() == Self::MAX {
            return Err(RuleError::TooMany(Self::MAX));
        }
        if self.rules.iter().any(|other| other.rule.name == rule.name) {
            return Err(RuleError::Duplicate(name()));
        }
        let when = &rule.when;
        let no_block = match &rule.effect {
            Effect::OnCommands { which, .. } => {
                which.blocks.as_ref().is_some_and(|it| it.is_empty())
            }
            Effect::OnFunctions { .. } => false,
        };
        if no_block || when.matches.never() {
            return Err(RuleError::NeverMatches(name()));
        }
        let unknown = |what| RuleError::Unknown { rule: name(), what };
        let known = |controller: ControllerId| controllers.get(controller.index());
        let states = when.states.iter().map(|(controller, _)| *controller);
        for controller in states.chain(when.controller).chain(when.owner) {
            known(controller).ok_or_else(|| unknown(format!("controller {controller}")))?;
        }
        if let Some(port) = when.port {
            known(port.controller)
                .filter(|controller| port.index < controller.ports)
                .ok_or_else(|| unknown(format!("port {port}")))?;
        }
        Ok(())
    }
}

impl Matches {
    /// Whether the rule catches the `count`th command that meets its conditions, counted from 1.
    fn covers(&self, count: u64) -> bool {
        match self {
            Matches::All => true,
            Matches::First(many) => count <= *many,
            Matches::Nth(which) => count == *which,
            Matches::Range(range) => range.contains(&count),
            Matches::Every(many) => count.is_multiple_of(*many),
        }
    }

    /// Whether no count can match.
    fn never(&self) -> bool {
        match self {
            Matches::All => false,
            Matches::First(count) | Matches::Nth(count) | Matches::Every(count) => *count == 0,
            Matches::Range(range) => range.is_empty() || *range.start() == 0,
        }
    }
}

impl Subject<'_> {
    /// The page of INQUIRY data that the CDB requests (SPC-4 6.6.1); `None` for other commands.
    fn page(&self) -> Option<InquiryPage> {
        self.op.filter(|op| op.kind == Kind::Inquiry)?;
        let cdb = self.cdb.padded();
        Some(if cdb[1] & 0x01 == 0 { InquiryPage::Standard } else { InquiryPage::Vpd(cdb[2]) })
    }

    /// The blocks that the CDB addresses.
    fn span(&self) -> Option<Span> {
        medium::span(self.op?, self.cdb.padded())
    }
}

/// Whether a command that the index let through meets the other conditions, except for the count
/// and the probability.
fn fulfils(rule: &FaultRule, subject: &Subject<'_>) -> bool {
    let state_is = |(controller, state): (ControllerId, _)| {
        subject.controllers.get(controller.index()).is_some_and(|now| now.state == state)
    };
    let is_meant = match &rule.effect {
        Effect::OnCommands { which, .. } => {
            which.op.is_none_or(|op| op.covers(subject.op))
                && which.page.is_none_or(|page| subject.page() == Some(page))
        }
        Effect::OnFunctions { which, .. } => subject.function.is_some_and(|f| which.covers(f)),
    };
    let when = &rule.when;
    is_meant
        && when.from.is_none_or(|from| subject.story.is_some_and(|at| at >= from))
        && when.until.is_none_or(|until| subject.story.is_some_and(|at| at < until))
        && when.states.iter().all(|state| state_is(*state))
        && when.owner.is_none_or(|owner| subject.owner == Some(owner))
}

/// A pseudo-random number (splitmix64). The numbers of one rule are independent of those of all
/// other rules.
fn draw(seed: u64, rule: &str, count: u64) -> u64 {
    let start = seed ^ fnv1a(rule.as_bytes());
    let mixed = start.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
