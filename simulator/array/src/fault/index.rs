//! An index that finds the rules which may match a command, without evaluating the others.

use super::{
    matcher::OpMatcher,
    rule::{Effect, FaultRule, When},
};
use crate::{
    ids::{Lun, Nexus},
    observe::Stage,
    operation::OPERATIONS,
    scsi::medium::Span,
};

/// The armed rules by operation code, each list in the order of the rules.
///
/// Rules are large, and the data of the commands in between evicts them from the caches. Therefore
/// the index holds the conditions on the nexus, LUN, stage and blocks in compact form: a rule about
/// another LUN costs one comparison.
#[derive(Debug, Clone)]
pub(super) struct Index {
    lists: Vec<Vec<Candidate>>,
    /// The rules about task management functions.
    tasks: Vec<Candidate>,
}

/// An armed rule, with the conditions that are tested first.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// The position of the rule in the list of all rules.
    pub(super) rule: u16,
    way: WayPattern,
    /// The first and the last block of the range that the command must overlap.
    blocks: Option<(u64, u64)>,
}

impl Index {
    /// Builds the index from the armed rules and their positions.
    pub(super) fn new<'a>(rules: impl Iterator<Item = (usize, &'a FaultRule)>) -> Index {
        let mut index = Index { lists: vec![Vec::new(); LISTS], tasks: Vec::new() };
        for (at, rule) in rules {
            let Some(way) = WayPattern::new(&rule.when) else { continue };
            let rule_number = at as u16;
            match &rule.effect {
                Effect::OnFunctions { .. } => {
                    index.tasks.push(Candidate { rule: rule_number, way, blocks: None });
                }
                Effect::OnCommands { which, .. } => {
                    let blocks = which.blocks.as_ref().map(|it| (*it.start(), *it.end()));
                    for list in lists_of(which.op) {
                        index.lists[list].push(Candidate { rule: rule_number, way, blocks });
                    }
                }
            }
        }
        index
    }

    pub(super) fn tasks(&self) -> &[Candidate] {
        &self.tasks
    }

    /// The rules that may match commands with an operation code.
    pub(super) fn candidates(&self, opcode: u8) -> &[Candidate] {
        &self.lists[usize::from(LIST_OF[usize::from(opcode)])]
    }
}

impl Candidate {
    /// Whether a command may match. `span` returns the blocks that it addresses.
    pub(super) fn may_match(&self, way: Way, span: impl FnOnce() -> Option<Span>) -> bool {
        let touches = |(first, last)| span().is_some_and(|span| span.overlaps(first, last));
        self.way.matches(way) && self.blocks.is_none_or(touches)
    }
}

/// The nexus, the LUN and the stage of a command, packed into one number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way(u64);

impl Way {
    pub(super) fn new(stage: Stage, nexus: Nexus, lun: Lun) -> Way {
        let controller = nexus.port.controller.index() as u8;
        Way::pack([stage as u8, nexus.hba.0, controller, nexus.port.index], lun.0)
    }

    fn pack([stage, hba, controller, port]: [u8; 4], lun: u16) -> Way {
        let [high, low] = lun.to_be_bytes();
        Way(u64::from_be_bytes([0, 0, stage, hba, controller, port, high, low]))
    }
}

/// Matches every [`Way`] that equals `value` in the bits that are set in `mask`.
#[derive(Debug, Clone, Copy)]
struct WayPattern {
    mask: u64,
    value: u64,
}

impl WayPattern {
    /// Packs the conditions of a rule. Returns `None` if they contradict each other.
    fn new(when: &When) -> Option<WayPattern> {
        let controller = when.port.map(|port| port.controller).or(when.controller);
        if when.controller.is_some_and(|wanted| Some(wanted) != controller) {
            return None;
        }
        let bytes = [
            when.stage.map(|stage| stage as u8),
            when.hba.map(|hba| hba.0),
            controller.map(|controller| controller.index() as u8),
            when.port.map(|port| port.index),
        ];
        let wanted = bytes.map(|byte| if byte.is_some() { u8::MAX } else { 0 });
        let Way(mask) = Way::pack(wanted, when.lun.map_or(0, |_| u16::MAX));
        let named = bytes.map(Option::unwrap_or_default);
        let Way(value) = Way::pack(named, when.lun.map_or(0, |lun| lun.0));
        Some(WayPattern { mask, value })
    }

    fn matches(self, way: Way) -> bool {
        way.0 & self.mask == self.value
    }
}

/// The list for each operation code. Operation codes that are not in the table of operations share
/// list 0, which limits the memory for rules that match every command.
static LIST_OF: [u8; 256] = {
    let (mut list_of, mut lists, mut at) = ([0; 256], 1, 0);
    while at < OPERATIONS.len() {
        let opcode = OPERATIONS[at].opcode as usize;
        if list_of[opcode] == 0 {
            list_of[opcode] = lists;
            lists += 1;
        }
        at += 1;
    }
    list_of
};

/// One list for each operation, and list 0. Operations with the same operation code share a list.
const LISTS: usize = OPERATIONS.len() + 1;

/// The lists that contain a rule about these operations.
fn lists_of(op: Option<OpMatcher>) -> impl Iterator<Item = usize> {
    let covers = move |list: usize| {
        let mut ops = OPERATIONS.iter().filter(|op| list_of(op.opcode) == list);
        let about = |op: OpMatcher| op.covers(None) || ops.any(|known| op.covers(Some(known)));
        op.is_none_or(about)
    };
    (0..LISTS).filter(move |list| covers(*list))
}

fn list_of(opcode: u8) -> usize {
    usize::from(LIST_OF[usize::from(opcode)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fault::{CommandFilter, Then},
        ids::{ControllerId, HbaId, PortId},
    };

    const A0: PortId = PortId { controller: ControllerId::A, index: 0 };
    const B1: PortId = PortId { controller: ControllerId::B, index: 1 };

    fn matches(when: When) -> bool {
        let nexus = Nexus { hba: HbaId(2), port: B1 };
        let way = Way::new(Stage::Story, nexus, Lun(0x1ff));
        WayPattern::new(&when).is_some_and(|pattern| pattern.matches(way))
    }

    #[test]
    fn each_part_of_the_way_must_be_the_one_asked_for() {
        let any = When::default;
        assert!(matches(any()));
        assert!(matches(When { lun: Some(Lun(0x1ff)), ..any() }));
        assert!(!matches(When { lun: Some(Lun(0xff)), ..any() }));
        assert!(!matches(When { lun: Some(Lun(0)), ..any() }));
        assert!(matches(When { hba: Some(HbaId(2)), ..any() }));
        assert!(!matches(When { hba: Some(HbaId(3)), ..any() }));
        assert!(matches(When { stage: Some(Stage::Story), ..any() }));
        assert!(!matches(When { stage: Some(Stage::Discovery), ..any() }));
        assert!(matches(When { port: Some(B1), ..any() }));
        assert!(!matches(When { port: Some(A0), ..any() }));
        assert!(!matches(When { port: Some(PortId { index: 0, ..B1 }), ..any() }));
    }

    #[test]
    fn a_port_of_another_controller_than_the_one_asked_for_is_on_no_way() {
        let when = |port, controller| When {
            port: Some(port),
            controller: Some(controller),
            ..When::default()
        };
        assert!(matches(when(B1, ControllerId::B)));
        assert!(!matches(when(B1, ControllerId::A)));
        assert!(!matches(when(A0, ControllerId::B)));
    }

    #[test]
    fn an_operation_code_has_the_rules_that_may_be_about_it_in_order() {
        let ops = ["READ", "any", "READ CAPACITY(16)", "READ(10)", "medium"];
        let filters = ops.map(|op| op.parse::<OpMatcher>().unwrap().into()).into_iter();
        let rules: Vec<FaultRule> = filters
            .chain([CommandFilter::default()])
            .map(|which| FaultRule::on_commands("r", which, Then::default()))
            .collect();
        let index = Index::new(rules.iter().enumerate());
        let rules = |opcode: u8| -> Vec<u16> {
            index.candidates(opcode).iter().map(|candidate| candidate.rule).collect()
        };
        assert_eq!(rules(0x28), [0, 1, 3, 4, 5]);
        assert_eq!(rules(0x88), [0, 1, 4, 5]);
        assert_eq!(rules(0x9e), [1, 2, 4, 5], "GET LBA STATUS is a medium access");
        assert_eq!(rules(0xff), [1, 5]);
    }
}
