//! `commands`: the number of completed commands of a kind.

use std::{fmt, sync::Arc, time::Duration};

use sansim_array::{ControllerId, OpMatcher, PortId, Sense, Stage};
use sansim_stage::{CommandFilter, Condition, Counted, Judgement, World};

use super::{Context, ExpectWord, Expected, Expecting, condition, number};
use crate::{
    check::Checker,
    fault::StatusName,
    form::{Many, Name, name, table},
    names::StageName,
    value::{At, Comparison},
};

table! {
    /// The number of completed commands of a kind.
    pub(super) struct Commands, "`commands`" {
        /// The number of completed commands of a kind.
        commands: Many<At<CommandsTable>>,
    }
}

table! {
    /// A number of commands. A command counts if it satisfies every given key. Without a number, at
    /// least one is expected.
    struct CommandsTable, "a table such as { op = \"MODE SELECT\", at_least = 3 }" {
        /// The operation, as in `when` of a fault rule.
        op: Option<Name<OpMatcher>>,
        /// The controller that received the command.
        controller: Option<Name<ControllerId>>,
        /// The port that received the command.
        port: Option<Name<PortId>>,
        /// The HBA that sent the command.
        hba: Option<At<u64>>,
        /// The LUN to which the command was addressed.
        lun: Option<At<u64>>,
        /// The sense with which the command was completed.
        sense: Option<Name<Sense>>,
        /// The SCSI status with which the command was completed.
        status: Option<StatusName>,
        /// The fault rule that caught the command.
        fault: Option<At<String>>,
        /// The part of the run in which the command arrived. Default: "story".
        stage: Option<StageName>,
        /// The shortest time between the arrivals of two consecutive commands. At least two
        /// commands must have arrived.
        gap: Option<Comparison<Duration>>,
        /// The number of commands.
        count: Option<Comparison<u64>>,
        /// The minimum number of commands.
        at_least: Option<u64>,
        /// The maximum number of commands.
        at_most: Option<u64>,
        /// The exact number of commands.
        exactly: Option<u64>,
    }
}

#[derive(Debug)]
struct CommandCount {
    filter: CommandFilter,
    gap: Option<Comparison<Duration>>,
    count: Comparison<u64>,
}

impl ExpectWord for Commands {
    const EXAMPLE: &'static str =
        r#"commands = { op = "MODE SELECT", controller = "B", at_least = 3 }"#;

    fn check(&self, _: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        self.commands.iter().map(|wanted| condition(wanted.check(checker))).collect()
    }
}

impl At<CommandsTable> {
    fn check(&self, checker: &mut Checker<'_>) -> CommandCount {
        let CommandsTable { count, at_least, at_most, exactly, .. } = &self.value;
        let (at_least, at_most, exactly) = (*at_least, *at_most, *exactly);
        let many = number::Many { count, at_least, at_most, exactly };
        let filter = CommandFilter {
            op: self.op.as_ref().map(|op| op.0),
            controller: self.controller.as_ref().map(|name| checker.controller(name)),
            port: self.port.as_ref().map(|name| checker.port(name)),
            hba: self.hba.as_ref().map(|hba| checker.hba(hba)),
            lun: self.lun.as_ref().map(|lun| checker.lun(lun)),
            sense: self.sense.as_ref().map(|sense| sense.0),
            status: self.status.map(Into::into),
            fault: self.fault.as_ref().map(|name| checker.rule(name)),
            stage: StageName::meant(self.stage),
        };
        CommandCount { filter, gap: self.gap.clone(), count: many.check(&self.span, checker) }
    }
}

impl Condition for CommandCount {
    fn judge(&self, world: &World) -> Judgement {
        let seen = world.commands(&self.filter);
        let gap_holds =
            self.gap.as_ref().is_none_or(|gap| seen.gap.is_some_and(|it| gap.holds(it)));
        let mut text = format!("{} {}", seen.count, what(&self.filter));
        if let Some(gap) = seen.gap.filter(|_| self.gap.is_some()) {
            text.push_str(&format!(", {:.3} s apart", gap.as_secs_f64()));
        }
        Judgement::new(self.count.holds(seen.count) && gap_holds, text)
    }

    fn subjects(&self) -> Vec<String> {
        vec![what(&self.filter)]
    }

    fn counted(&self) -> Option<Counted> {
        Some(Counted::Commands(self.filter.clone()))
    }
}

impl Expected for CommandCount {
    fn put(&self, table: &mut Expecting) {
        let filter = &self.filter;
        let wanted = CommandsTable {
            op: filter.op.map(name),
            controller: filter.controller.map(name),
            port: filter.port.map(name),
            hba: filter.hba.map(At::from),
            lun: filter.lun.map(At::from),
            sense: filter.sense.map(name),
            status: filter.status.map(StatusName::from),
            fault: filter.fault.clone().map(At::nowhere),
            stage: Some(StageName::of(filter.stage)),
            gap: self.gap.clone(),
            count: Some(self.count.clone()),
            at_least: None,
            at_most: None,
            exactly: None,
        };
        table.push("commands", &wanted);
    }

    fn is_of_nothing(&self) -> bool {
        self.count.holds(0) && self.gap.is_none() && !self.is_about_discovery()
    }

    fn is_about_discovery(&self) -> bool {
        self.filter.stage != Some(Stage::Story)
    }
}

impl fmt::Display for CommandCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.count, what(&self.filter))?;
        self.gap.as_ref().map_or(Ok(()), |gap| write!(f, ", {gap} apart"))
    }
}

/// Describes the commands that are counted: `MODE SELECT to controller B`.
fn what(filter: &CommandFilter) -> String {
    let mut text = match filter.op {
        Some(op) => op.to_string(),
        None => "commands".to_owned(),
    };
    let mut say = |preposition: &str, what: Option<String>| {
        if let Some(what) = what {
            text.push_str(&format!(" {preposition}{what}"));
        }
    };
    say("for LUN ", filter.lun.map(|lun| lun.to_string()));
    say("from ", filter.hba.map(|hba| hba.to_string()));
    say("to controller ", filter.controller.map(|controller| controller.to_string()));
    say("to port ", filter.port.map(|port| port.to_string()));
    say("answered ", filter.sense.map(|sense| sense.to_string()));
    say("answered ", filter.status.map(|status| status.to_string()));
    say("under fault ", filter.fault.as_ref().map(|fault| format!("{fault:?}")));
    match filter.stage {
        Some(Stage::Story) => {}
        Some(Stage::Discovery) => text.push_str(" during discovery"),
        None => text.push_str(" in the whole run"),
    }
    text
}
