//! `when`: which commands a rule catches.

use sansim_array::{
    Chance, Class, ControllerId, Effect, FaultRule, Matches, OPERATIONS, OpMatcher, PortId, Stage,
    TmfMatcher, When as Resolved,
};

use sansim_stage::Array;

use super::operations::overlap;
use crate::{
    Diagnostic,
    check::{Checker, NO_LIMIT},
    form::{Name, name, table},
    names::{ControllersAre, NumberRange, PageName, StageName},
    value::{At, TimeSpan},
};

table! {
    /// Which commands a rule catches. A command is caught if it satisfies every given key.
    #[derive(Default)]
    pub(super) struct When, "a table" {
        /// The operation: a name from SPC or SBC with or without the CDB length, "medium" for reads
        /// and writes, or "any".
        pub(super) op: Option<Name<OpMatcher>>,
        /// The INQUIRY page that is requested: "standard", or the code of a VPD page in
        /// hexadecimal, such as "c9". The rule then catches only INQUIRY commands.
        pub(super) page: Option<Name<PageName>>,
        /// The task management function: a name from SAM such as "LOGICAL UNIT RESET", or "any".
        /// The rule then catches task management functions instead of commands.
        pub(super) task_management: Option<Name<TmfMatcher>>,
        /// The controller that receives the command.
        pub(super) controller: Option<Name<ControllerId>>,
        /// The port that receives the command.
        pub(super) port: Option<Name<PortId>>,
        /// The HBA that sends the command.
        pub(super) hba: Option<At<u64>>,
        /// The LUN to which the command is addressed.
        pub(super) lun: Option<At<u64>>,
        /// A range of logical blocks, both ends included. The rule catches medium accesses that
        /// touch at least one of them.
        pub(super) blocks: Option<Name<NumberRange>>,
        /// The part of the run in which the rule catches commands. Default: "story".
        pub(super) stage: Option<StageName>,
        /// Catches only the first n matching commands.
        pub(super) first: Option<At<u64>>,
        /// Catches only the matching command with this number, from 1.
        pub(super) nth: Option<At<u64>>,
        /// Catches only every n-th matching command.
        pub(super) every: Option<At<u64>>,
        /// Catches only the matching commands in this range of numbers, from 1, both ends included.
        pub(super) matches: Option<Name<NumberRange>>,
        /// Catches commands only from this story time.
        pub(super) from: Option<Name<TimeSpan>>,
        /// Catches commands only before this story time.
        pub(super) until: Option<Name<TimeSpan>>,
        /// Catches commands only while these controllers are in these states: "A quiescing", or "A
        /// failed, B booting".
        pub(super) state: Option<Name<ControllersAre>>,
        /// Catches commands only while this controller owns the LUN, whichever controller receives
        /// the command.
        pub(super) owner: Option<Name<ControllerId>>,
        /// The probability that a matching command is caught: above 0 and at most 1. Which commands
        /// are caught depends only on the seed of the run.
        pub(super) chance: Option<At<f64>>,
    }
}

impl At<When> {
    /// Warns of an operation that no device handler for these arrays sends, because none of them
    /// supports it: the rule is probably meant for another family. A program in the guest can
    /// still send it.
    pub(super) fn check_operation(&self, arrays: &[Array], checker: &mut Checker<'_>) {
        let supported =
            |op: &Name<OpMatcher>| arrays.iter().any(|it| it.personality.supports(op.0));
        let Some(op) = self.op.as_ref().filter(|op| !supported(op)) else { return };
        let Some(array) = arrays.first() else { return };
        let warning = format!("an array of this personality does not carry out {}", op.0);
        let help = format!(
            "only a program of the guest could send it; the handler `{}` does not",
            array.personality.handler()
        );
        checker.report(&op.span, Diagnostic::warning(warning).help(help));
    }

    /// Validates the table and converts it.
    pub(super) fn check(&self, checker: &mut Checker<'_>) -> Resolved {
        self.check_page(checker);
        self.check_blocks(checker);
        self.check_states(checker);
        self.check_way(checker);
        let stage = StageName::meant(self.stage);
        let (from, until) = self.times(stage, checker);
        Resolved {
            controller: self.controller.as_ref().map(|name| checker.controller(name)),
            port: self.port.as_ref().map(|name| checker.port(name)),
            hba: self.hba.as_ref().map(|hba| checker.hba(hba)),
            lun: self.lun.as_ref().map(|lun| checker.lun(lun)),
            stage,
            from,
            until,
            matches: self.matches(checker),
            states: self.state.as_ref().map_or(Vec::new(), |states| {
                states.0.0.iter().for_each(|(it, _)| checker.known_controller(*it, &states.span));
                states.0.0.clone()
            }),
            owner: self.owner.as_ref().map(|name| checker.controller(name)),
            chance: self.chance.as_ref().and_then(|chance| {
                let resolved = Chance::new(chance.value);
                if resolved.is_none() {
                    let help = "write for instance 0.1";
                    checker.refuse(&chance.span, "a chance is above 0 and at most 1", help);
                }
                resolved
            }),
        }
    }

    fn times(
        &self,
        stage: Option<Stage>,
        checker: &mut Checker<'_>,
    ) -> (Option<std::time::Duration>, Option<std::time::Duration>) {
        let from = self.from.as_ref().map(|from| checker.story_time(from));
        let until = self.until.as_ref().map(|until| checker.story_time(until));
        if let (Some(from), Some(until), Some(place)) = (from, until, &self.until)
            && from >= until
        {
            let help = "`until` must be after `from`";
            checker.refuse(&place.span, "this ends before it begins", help);
        }
        if let Some(timed) = self.from.as_ref().or(self.until.as_ref())
            && stage != Some(Stage::Story)
        {
            let help = "without times, or with stage = \"story\"";
            checker.refuse(&timed.span, "only the story has times", help);
        }
        (from, until)
    }

    fn matches(&self, checker: &mut Checker<'_>) -> Matches {
        let counts = [
            ("first", self.first.is_some()),
            ("nth", self.nth.is_some()),
            ("every", self.every.is_some()),
            ("matches", self.matches.is_some()),
        ];
        checker.exclusive(&counts, &self.span);
        let mut count =
            |number: &At<u64>, what: &str| checker.number(Some(number), 1..=NO_LIMIT, 1, what);
        if let Some(first) = &self.first {
            Matches::First(count(first, "`first`"))
        } else if let Some(nth) = &self.nth {
            Matches::Nth(count(nth, "`nth`"))
        } else if let Some(every) = &self.every {
            Matches::Every(count(every, "`every`"))
        } else if let Some(range) = &self.value.matches {
            if *range.0.0.start() == 0 {
                checker.report(&range.span, Diagnostic::error("commands are counted from 1"));
            }
            Matches::Range(range.0.0.clone())
        } else {
            Matches::All
        }
    }

    /// Reports a `page` with an operation other than INQUIRY.
    fn check_page(&self, checker: &mut Checker<'_>) {
        let (Some(page), Some(op)) = (&self.page, &self.op) else { return };
        let inquiry = OPERATIONS.iter().find(|op| op.name == "INQUIRY");
        if !op.0.covers(inquiry) {
            let problem = format!("{} asks for no page of INQUIRY data", op.0);
            let help = "write op = \"INQUIRY\", or leave `op` away";
            checker.refuse(&page.span, problem, help);
        }
    }

    /// Reports `blocks` with an operation that does not address blocks.
    fn check_blocks(&self, checker: &mut Checker<'_>) {
        let Some(blocks) = &self.blocks else { return };
        let medium = OpMatcher::Class(Class::Medium);
        if let Some(op) = self.op.as_ref().filter(|op| !overlap(op.0, medium)) {
            let problem = format!("{} names no blocks", op.0);
            checker.refuse(&blocks.span, problem, "`blocks` is about reads and writes");
        }
    }

    /// Reports contradictory keys: a port that is not on the controller, a controller with two
    /// states at once, or a receiving controller that is silent in its required state.
    fn check_states(&self, checker: &mut Checker<'_>) {
        if let (Some(controller), Some(port)) = (&self.controller, &self.port)
            && port.0.controller != controller.0
        {
            let problem = format!("port {} is not controller {}'s", port.0, controller.0);
            checker.refuse(&port.span, problem, "one of the two is enough");
        }
        let Some(states) = &self.state else { return };
        let asked = self.controller.as_ref().map(|name| name.0);
        let asked = asked.or(self.port.as_ref().map(|port| port.0.controller));
        for (index, (controller, state)) in states.0.0.iter().enumerate() {
            let mut before = states.0.0[..index].iter();
            if before.any(|(it, other)| it == controller && other != state) {
                let problem = format!("controller {controller} cannot be in two states at once");
                checker.refuse(&states.span, problem, "write two rules");
            }
            if asked == Some(*controller) && !state.answers() {
                let problem = format!("no command comes to a controller that is {state}");
                let help = "leave `state` away, or ask for the state of the other controller";
                checker.refuse(&states.span, problem, help);
            }
        }
    }

    /// Reports an HBA that does not see the port.
    fn check_way(&self, checker: &mut Checker<'_>) {
        let (Some(hba), Some(port)) = (&self.hba, &self.port) else { return };
        let seen = usize::try_from(hba.value).ok().and_then(|at| checker.shape.hbas.get(at));
        if seen.is_some_and(|seen| !seen.targets.contains(&port.0)) {
            let problem = format!("HBA {} does not see port {}", hba.value, port.0);
            checker.refuse(&port.span, problem, checker.shape.targets_in_words());
        }
    }
}

impl When {
    /// The table that would be read as the conditions of `rule`.
    pub(super) fn of(rule: &FaultRule) -> Self {
        let when = &rule.when;
        let mut table = When {
            controller: when.controller.map(name),
            port: when.port.map(name),
            hba: when.hba.map(At::from),
            lun: when.lun.map(At::from),
            stage: Some(StageName::of(when.stage)),
            from: when.from.map(|time| name(TimeSpan(time))),
            until: when.until.map(|time| name(TimeSpan(time))),
            state: (!when.states.is_empty()).then(|| name(ControllersAre(when.states.clone()))),
            owner: when.owner.map(name),
            chance: when.chance.map(|chance| At::nowhere(chance.probability())),
            ..When::default()
        };
        match &when.matches {
            Matches::All => {}
            Matches::First(count) => table.first = Some(At::nowhere(*count)),
            Matches::Nth(count) => table.nth = Some(At::nowhere(*count)),
            Matches::Every(count) => table.every = Some(At::nowhere(*count)),
            Matches::Range(range) => table.matches = Some(name(NumberRange(range.clone()))),
        }
        match &rule.effect {
            Effect::OnCommands { which, .. } => {
                table.op = which.op.map(name);
                table.page = which.page.map(|page| name(PageName(page)));
                table.blocks = which.blocks.clone().map(|blocks| name(NumberRange(blocks)));
            }
            Effect::OnFunctions { which, .. } => table.task_management = Some(name(*which)),
        }
        table
    }
}
