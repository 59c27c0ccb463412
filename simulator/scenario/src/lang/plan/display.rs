//! Expectations and steps in words, for reports.

use std::fmt;

use sansim_array::{Action, Apart, Stage};

use super::{
    CommandCount, Condition, Deadline, Expectation, IoLimits, Occurrence, Step, StepAction, Trigger,
};
use crate::lang::value::{Comparison, Quantity, Size, TimeSpan};

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.when)?;
        for (i, condition) in self.conditions.iter().enumerate() {
            write!(f, "{}{condition}", if i > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Deadline::By(time) => write!(f, "by {}", TimeSpan(*time)),
            Deadline::At(time) => write!(f, "at {}", TimeSpan(*time)),
            Deadline::End => f.write_str("at the end"),
            Deadline::Never => f.write_str("never"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Owner { lun, controller } => {
                write!(f, "owner of LUN {lun} is controller {controller}")
            }
            Condition::Io(limits) => limits.fmt(f),
            Condition::Commands(wanted) => {
                write!(f, "{} {}", wanted.count, wanted.what())?;
                let gap = wanted.gap.as_ref();
                gap.map_or(Ok(()), |gap| write!(f, ", {gap} apart"))
            }
            Condition::Rounds { lun, count } => {
                write!(f, "pg_init of LUN {lun} comes to round {count}")
            }
            Condition::RoundsNow { lun, count } => {
                write!(f, "the map of LUN {lun} shows round {count}")
            }
            Condition::Paths(totals) => {
                let failed = totals.failed.as_ref().map(|n| format!("{n} failed"));
                let active = totals.active.as_ref().map(|n| format!("{n} active"));
                let both: Vec<_> = active.into_iter().chain(failed).collect();
                write!(f, "paths of LUN {}: {}", totals.lun, both.join(", "))
            }
            Condition::Path(expected) => {
                write!(f, "path {} of LUN {} is {}", expected.path, expected.lun, expected.state)
            }
            Condition::Group { lun, current } => {
                write!(f, "the current path group of LUN {lun} is {current}")
            }
            Condition::Bypassed { lun, count } => {
                write!(f, "{count} path groups of LUN {lun} are bypassed")
            }
            Condition::Log(wanted) => write!(f, "{} log lines with {}", wanted.count, wanted.text),
            Condition::Ran(wanted) => {
                write!(f, "step {:?}", wanted.step)?;
                if let Some(code) = &wanted.code {
                    write!(f, " ends with code {code}")?;
                }
                if wanted.code.is_some() && wanted.output.is_some() {
                    f.write_str(" and")?;
                }
                wanted.output.as_ref().map_or(Ok(()), |text| write!(f, " writes {text}"))
            }
            Condition::Fault(wanted) => {
                write!(f, "fault {:?} fires {} times", wanted.name, wanted.fired)
            }
            Condition::Uevents(wanted) => {
                write!(f, "{} {} uevents for LUN {}", wanted.count, wanted.action, wanted.lun)
            }
        }
    }
}

impl fmt::Display for IoLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn part<T: Quantity>(limit: &Option<Comparison<T>>, what: &str) -> Option<String> {
            limit.as_ref().map(|limit| format!("{what} {limit}"))
        }
        let parts = [
            part(&self.errors, "errors"),
            part(&self.corrupt, "corrupt blocks"),
            part(&self.longest_stall, "longest stall"),
            part(&self.reads, "reads"),
            part(&self.writes, "writes"),
            part(&self.stuck, "stuck requests"),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        write!(f, "I/O: {}", parts.join(", "))
    }
}

impl CommandCount {
    /// Which commands are counted, in words: `MODE SELECT to controller B`.
    pub fn what(&self) -> String {
        let mut text = match self.op {
            Some(op) => op.to_string(),
            None => "commands".to_owned(),
        };
        let mut say = |preposition: &str, what: Option<String>| {
            if let Some(what) = what {
                text.push_str(&format!(" {preposition}{what}"));
            }
        };
        say("for LUN ", self.lun.map(|lun| lun.to_string()));
        say("from ", self.hba.map(|hba| hba.to_string()));
        say("to controller ", self.controller.map(|controller| controller.to_string()));
        say("to port ", self.port.map(|port| port.to_string()));
        say("answered ", self.sense.map(|sense| sense.to_string()));
        say("answered ", self.status.map(|status| status.to_string()));
        say("under fault ", self.fault.as_ref().map(|fault| format!("{fault:?}")));
        match self.stage {
            Some(Stage::Story) => {}
            Some(Stage::Discovery) => text.push_str(" during discovery"),
            None => text.push_str(" in the whole run"),
        }
        text
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.trigger, self.action)
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trigger::At(time) => write!(f, "at {}", TimeSpan(*time)),
            Trigger::On { event, after } if after.is_zero() => write!(f, "when {event}"),
            Trigger::On { event, after } => write!(f, "{} after {event}", TimeSpan(*after)),
        }
    }
}

impl fmt::Display for Occurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Occurrence::Fault { name, nth: 1 } => write!(f, "fault {name:?} fires"),
            Occurrence::Fault { name, nth } => write!(f, "fault {name:?} fires {nth} times"),
            Occurrence::PgInit { rounds, lun } => {
                write!(f, "pg_init of LUN {lun} comes to round {rounds}")
            }
            Occurrence::Owner { lun, controller } => {
                write!(f, "LUN {lun} comes to controller {controller}")
            }
            Occurrence::PathFailed { path, lun } => write!(f, "path {path} of LUN {lun} fails"),
            Occurrence::Held(hold) => write!(f, "a command comes under hold {hold:?}"),
            Occurrence::Log(text) => write!(f, "the kernel logs {text:?}"),
            Occurrence::Step(name) => write!(f, "step {name:?} is done"),
        }
    }
}

impl fmt::Display for StepAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepAction::Array(action) => array_action(action, f),
            StepAction::Message { lun, text } => write!(f, "send {text:?} to the map of LUN {lun}"),
            StepAction::Reinstate { lun, paths } => {
                write!(f, "reinstate paths of LUN {lun}: {paths}")
            }
            StepAction::Run { argv, .. } => write!(f, "run {}", argv.join(" ")),
            StepAction::Write { path, text } => write!(f, "write {text:?} to {path}"),
            StepAction::StopWorkload => f.write_str("stop the workload"),
            StepAction::End => f.write_str("end the story"),
        }
    }
}

fn array_action(action: &Action, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match action {
        Action::BeginStory => f.write_str("begin the story"),
        Action::SetController { controller, state } => {
            write!(f, "controller {controller} is {state}")
        }
        Action::Phases { controller, phases, last } => {
            write!(f, "controller {controller} is ")?;
            for phase in phases {
                write!(f, "{} for {}, ", phase.state, TimeSpan(phase.lasts))?;
            }
            write!(f, "then {last}")
        }
        Action::SetLink { hba, port, up } => {
            let link = hba.map_or(format!("port {port}"), |hba| format!("{hba}:{port}"));
            write!(f, "link {link} is {}", if *up { "up" } else { "down" })
        }
        Action::FlapLink { hba, port, every, times } => {
            let link = hba.map_or(format!("port {port}"), |hba| format!("{hba}:{port}"));
            write!(f, "link {link} flaps {times} times, every {}", TimeSpan(*every))
        }
        Action::SetPort { port, present: true } => write!(f, "plug port {port}"),
        Action::SetPort { port, present: false } => write!(f, "unplug port {port}"),
        Action::ResetHba { hba } => write!(f, "reset {hba}"),
        Action::SetOwner { lun, controller } => {
            write!(f, "controller {controller} takes LUN {lun}")
        }
        Action::Split { lun, apart: Some(Apart::Ownership) } => {
            write!(f, "split: every controller takes itself for the owner of LUN {lun}")
        }
        Action::Split { lun, apart: Some(Apart::Data) } => {
            write!(f, "split: every controller has LUN {lun}, with data of its own")
        }
        Action::Split { lun, apart: None } => {
            write!(f, "the controllers agree about LUN {lun} again")
        }
        Action::SetGroupState { lun, group, state: Some(state) } => {
            write!(f, "target port group {group} is {state} for LUN {lun}")
        }
        Action::SetGroupState { lun, group, state: None } => {
            write!(f, "target port group {group} is as ownership makes it for LUN {lun}")
        }
        Action::SetCondition { lun, condition } => write!(f, "condition {condition} of LUN {lun}"),
        Action::Release { hold } => write!(f, "release hold {hold:?}"),
        Action::Arm { rule, armed: true } => write!(f, "arm fault {rule:?}"),
        Action::Arm { rule, armed: false } => write!(f, "disarm fault {rule:?}"),
        Action::AddRule(rule) => write!(f, "add fault {:?}", rule.name),
        Action::UnitAttention { nexus, lun, sense } => {
            write!(f, "unit attention {sense}")?;
            if let Some(lun) = lun {
                write!(f, " on LUN {lun}")?;
            }
            nexus.map_or(Ok(()), |nexus| write!(f, " for {nexus}"))
        }
        Action::MapLun(config) => write!(f, "map LUN {} of {}", config.lun, Size(config.bytes)),
        Action::UnmapLun { lun } => write!(f, "unmap LUN {lun}"),
        Action::RemapLun { lun, to } => write!(f, "remap LUN {lun} to {to}"),
        Action::ReplaceLun { lun } => write!(f, "replace LUN {lun} by another volume"),
        Action::ResizeLun { lun, bytes } => write!(f, "resize LUN {lun} to {}", Size(*bytes)),
        Action::SetReadOnly { lun, read_only: true } => write!(f, "LUN {lun} refuses writes"),
        Action::SetReadOnly { lun, read_only: false } => write!(f, "LUN {lun} takes writes"),
    }
}
