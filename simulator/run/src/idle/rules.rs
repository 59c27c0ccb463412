//! Fault rules that never fired, and how near they came to it.

use sansim_array::{
    ArrayView, CommandRecord, Effect, FaultRule, Matches, OpMatcher, RuleView, Stage,
};
use sansim_stage::{Idle, IdleKind};

/// A fault rule, with the commands of its kind that were seen.
pub(super) struct Rule {
    rule: FaultRule,
    /// The number of commands of its operation and stage.
    of_kind: u64,
    /// The number of those that came its way: to its controller and port, from its HBA, for its LUN.
    that_way: u64,
    /// Whether it was armed at any time.
    ever_armed: bool,
}

impl Rule {
    pub(super) fn new(rule: FaultRule) -> Self {
        Rule { ever_armed: rule.armed, rule, of_kind: 0, that_way: 0 }
    }

    /// A rule with these numbers of commands of its kind, and of its way.
    #[cfg(test)]
    pub(super) fn seen(rule: FaultRule, of_kind: u64, that_way: u64) -> Self {
        Rule { of_kind, that_way, ..Rule::new(rule) }
    }

    pub(super) fn name(&self) -> &str {
        &self.rule.name
    }

    /// Takes note of a completed command.
    pub(super) fn command(&mut self, record: &CommandRecord) {
        let Effect::OnCommands { which, .. } = &self.rule.effect else { return };
        let when = &self.rule.when;
        let of_kind = which.op.is_none_or(|op| op.covers(record.op))
            && when.stage.is_none_or(|stage| stage == record.stage);
        let port = record.nexus.port;
        let that_way = when.controller.is_none_or(|it| it == port.controller)
            && when.port.is_none_or(|it| it == port)
            && when.hba.is_none_or(|it| it == record.nexus.hba)
            && when.lun.is_none_or(|it| it == record.lun);
        self.of_kind += u64::from(of_kind);
        self.that_way += u64::from(of_kind && that_way);
    }

    /// Takes note that the rule with this name was armed.
    pub(super) fn armed(&mut self, name: &str) {
        self.ever_armed |= *self.rule.name == *name;
    }

    /// That the rule has never fired, with the reason; `None` if it has.
    pub(super) fn never_matched(&self, view: &ArrayView) -> Option<Idle> {
        let seen = view.rules.iter().find(|rule| rule.name == self.rule.name)?;
        let what = format!("fault {:?} never matched", self.rule.name);
        let why = self.why(seen);
        (seen.caught == 0).then_some(Idle { of: IdleKind::Fault, what, why })
    }

    fn why(&self, seen: &RuleView) -> String {
        if !self.ever_armed {
            return "it was never armed".to_owned();
        }
        if seen.met > 0 {
            return self.why_not_caught(seen.met);
        }
        let Effect::OnCommands { which, .. } = &self.rule.effect else {
            return "no task management function met its conditions".to_owned();
        };
        if self.rule.when.stage != Some(Stage::Story) {
            return "no command met its conditions".to_owned();
        }
        let kind = which.op.unwrap_or(OpMatcher::Any);
        match (self.of_kind, self.that_way) {
            (0, _) => format!("no {} was seen", name(kind, 1)),
            (1, 0) => format!("1 {} was seen, not {}", name(kind, 1), self.way()),
            (many, 0) => format!("{many} {} were seen, none {}", name(kind, many), self.way()),
            (_, many) => {
                let way = Some(self.way()).filter(|way| !way.is_empty());
                let way = way.map_or(String::new(), |way| format!(" {way}"));
                let were = if many == 1 { "was" } else { "were" };
                let others = self.other_conditions();
                format!("{many} {}{way} {were} seen, none of them {others}", name(kind, many))
            }
        }
    }

    /// Why commands that met the conditions were not caught.
    fn why_not_caught(&self, met: u64) -> String {
        let wanted = match &self.rule.when.matches {
            Matches::Nth(nth) if *nth > met => Some(format!("number {nth}")),
            Matches::Range(range) if *range.start() > met => {
                Some(format!("number {} and later", range.start()))
            }
            Matches::Every(every) if *every > met => Some(format!("every {every}th")),
            _ => None,
        };
        match wanted {
            Some(wanted) => format!("{met} met its conditions, and it is for {wanted}"),
            None if self.rule.when.chance.is_some() => {
                format!("{met} met its conditions, and chance or another rule spared all of them")
            }
            None => format!("{met} met its conditions, and a rule before it caught them"),
        }
    }

    /// The way of its commands, in words: `to controller B, for LUN 0`.
    fn way(&self) -> String {
        let when = &self.rule.when;
        let parts = [
            when.controller.map(|controller| format!("to controller {controller}")),
            when.port.map(|port| format!("to port {port}")),
            when.hba.map(|hba| format!("from {hba}")),
            when.lun.map(|lun| format!("for LUN {lun}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The conditions that are neither operation nor way.
    fn other_conditions(&self) -> String {
        let when = &self.rule.when;
        let Effect::OnCommands { which, .. } = &self.rule.effect else { return String::new() };
        let parts = [
            (which.page.is_some(), "for its page"),
            (which.blocks.is_some(), "for its blocks"),
            (when.from.is_some() || when.until.is_some(), "at its time"),
            (!when.states.is_empty(), "while the controllers were in its state"),
            (when.owner.is_some(), "while its controller owned the LUN"),
        ];
        let parts: Vec<_> = parts.iter().filter(|(given, _)| *given).map(|(_, is)| *is).collect();
        match parts.is_empty() {
            true => "while it was armed".to_owned(),
            false => parts.join(" and "),
        }
    }
}

/// The name of so many commands.
fn name(op: OpMatcher, many: u64) -> String {
    match (op, op.to_string()) {
        (OpMatcher::Any, _) if many == 1 => "command".to_owned(),
        (OpMatcher::Any, _) => "commands".to_owned(),
        (OpMatcher::Class(_), class) => {
            format!("{class} command{}", if many == 1 { "" } else { "s" })
        }
        (_, name) if many == 1 => name,
        (_, name) if name.ends_with(|c: char| c.is_ascii_lowercase() || "S)".contains(c)) => {
            format!("{name} commands")
        }
        (_, name) => format!("{name}s"),
    }
}
