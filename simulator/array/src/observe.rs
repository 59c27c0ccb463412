//! What the array reports.

use std::{fmt, sync::Arc, time::Duration};

use sansim_time::Time;

use crate::{
    access_state::AccessState,
    command::Cdb,
    completion::Completion,
    condition::Condition,
    controller::ControllerState,
    ids::{ControllerId, HbaId, Lun, Nexus, PortId},
    operation::Operation,
    task_management::{TaskManagement, TmfResponse},
    unit::Apart,
};

/// Which part of a run is on: faults and counters tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The guest looks for its disks and builds its maps.
    Discovery,
    /// The scenario's own time, begun with [`crate::Action::BeginStory`].
    Story,
}

/// Hears of every command's end and every change of state.
///
/// Called outside the array's lock, on the thread that caused the report; it must not block for
/// long. Reports of one thread come in order; those of several may overtake each other, which for
/// commands [`CommandRecord::seq`] puts right.
pub trait Observer: Send + Sync {
    /// A command ended.
    fn command(&self, record: &CommandRecord);

    /// Something other than a command happened to the array, or a command changed it.
    fn state(&self, change: &StateChange);
}

/// A command and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandRecord {
    /// The order of arrival, from 0.
    pub seq: u64,
    /// When it arrived.
    pub at: Time,
    /// From its arrival to its end.
    pub latency: Duration,
    /// Who sent it, and through which port.
    pub nexus: Nexus,
    /// The addressed logical unit.
    pub lun: Lun,
    /// The CDB as it came.
    pub cdb: Cdb,
    /// Which operation it is; none if the operation code is unknown.
    pub op: Option<&'static Operation>,
    /// How it ended.
    pub completion: Completion,
    /// The fault rule that caught it.
    pub fault: Option<Arc<str>>,
    /// The stage in which it arrived.
    pub stage: Stage,
}

/// A change of the array's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// When it happened.
    pub at: Time,
    /// What happened.
    pub what: Changed,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The story began.
    Stage(Stage),
    /// A controller changed its state.
    Controller {
        /// Which one.
        controller: ControllerId,
        /// Its state before.
        from: ControllerState,
        /// Its state now.
        to: ControllerState,
    },
    /// A link went down or came back.
    Link {
        /// Between which HBA and the port; none for every HBA.
        hba: Option<HbaId>,
        /// The port.
        port: PortId,
        /// Whether it is up.
        up: bool,
    },
    /// A port was taken away with its disks, or put back.
    Port {
        /// The port.
        port: PortId,
        /// Whether it is there.
        present: bool,
    },
    /// An HBA was reset.
    HbaReset(HbaId),
    /// A LUN changed hands.
    Owner {
        /// Which LUN.
        lun: Lun,
        /// Who had it.
        from: ControllerId,
        /// Who has it.
        to: ControllerId,
        /// Whose command asked for it; none if a step did.
        by: Option<Nexus>,
    },
    /// Something happened to a LUN.
    Lun {
        /// Which LUN.
        lun: Lun,
        /// What happened.
        change: LunChange,
    },
    /// A fault rule was added, armed or disarmed.
    Rule {
        /// Its name.
        name: Arc<str>,
        /// Whether it is armed now.
        armed: bool,
    },
    /// A fault rule keeps a command back: it is delayed, held, or lost.
    Parked {
        /// The rule.
        rule: Arc<str>,
        /// The name under which it is held, if it is.
        hold: Option<Arc<str>>,
        /// Where the command came from and went to.
        nexus: Nexus,
        /// The LUN it is for.
        lun: Lun,
        /// What it asks for; none if its operation code is unknown.
        op: Option<&'static Operation>,
    },
    /// A task management function came.
    TaskManagement {
        /// Where it came from and went to.
        nexus: Nexus,
        /// The LUN it is for.
        lun: Lun,
        /// Which.
        function: TaskManagement,
        /// The answer; none if there never will be one.
        response: Option<TmfResponse>,
        /// The fault rule that caught it.
        fault: Option<Arc<str>>,
    },
    /// The commands held under a name may go on, and later ones are no longer held.
    Released {
        /// The name of the hold.
        hold: Arc<str>,
        /// How many commands it let go.
        commands: usize,
    },
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Changed::Stage(Stage::Story) => f.write_str("the story begins"),
            Changed::Stage(Stage::Discovery) => f.write_str("discovery"),
            Changed::Controller { controller, from, to } => {
                write!(f, "controller {controller}: {from} -> {to}")
            }
            Changed::Link { hba, port, up } => {
                let to = hba.map_or(format!("port {port}"), |hba| format!("{hba}:{port}"));
                write!(f, "link {to}: {}", if *up { "up" } else { "down" })
            }
            Changed::Port { port, present: true } => write!(f, "port {port}: there"),
            Changed::Port { port, present: false } => write!(f, "port {port}: gone"),
            Changed::HbaReset(hba) => write!(f, "{hba}: reset"),
            Changed::Owner { lun, from, to, by: None } => {
                write!(f, "LUN {lun}: owner {from} -> {to}, without a host's asking")
            }
            Changed::Owner { lun, from, to, by: Some(nexus) } => {
                write!(f, "LUN {lun}: owner {from} -> {to}, asked for by {nexus}")
            }
            Changed::Lun { lun, change } => write!(f, "LUN {lun}: {change}"),
            Changed::Rule { name, armed: true } => write!(f, "fault {name}: armed"),
            Changed::Rule { name, armed: false } => write!(f, "fault {name}: disarmed"),
            Changed::Parked { rule, nexus, lun, op, .. } => {
                let op = op.map_or("a command", |op| op.name);
                write!(f, "{nexus} LUN {lun}: {op} is kept back by {rule}")
            }
            Changed::TaskManagement { nexus, lun, function, response, .. } => {
                write!(f, "{nexus} LUN {lun}: {}: ", function.name())?;
                match response {
                    Some(response) => write!(f, "{response}"),
                    None => f.write_str("never answered"),
                }
            }
            Changed::Released { hold, commands } => {
                write!(f, "hold {hold}: released {commands} command(s)")
            }
        }
    }
}

/// What happened to a LUN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LunChange {
    /// It was mapped, with this many bytes.
    Mapped {
        /// Its size.
        bytes: u64,
    },
    /// It was unmapped; its data is lost.
    Unmapped,
    /// It has another number.
    Remapped {
        /// Its number now.
        to: Lun,
    },
    /// Another volume has taken its place.
    Replaced,
    /// Its size changed.
    Resized {
        /// Its size now.
        bytes: u64,
    },
    /// It was made read-only or writable.
    ReadOnly(bool),
    /// It was on its way to a controller and has not got there.
    StaysPut {
        /// Where it was to go.
        to: ControllerId,
    },
    /// Every controller takes itself for its owner; none once they agree again.
    Split(Option<Apart>),
    /// It prefers this controller as its owner.
    Preferred(ControllerId),
    /// The array does something with it, or has done with it.
    Condition(Condition),
    /// A target port group has a state of its own for it; none if it is as ownership makes it.
    PortGroup {
        /// Which group.
        group: u16,
        /// Its state.
        state: Option<AccessState>,
    },
}

impl fmt::Display for LunChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LunChange::Mapped { bytes } => write!(f, "mapped, {bytes} bytes"),
            LunChange::Unmapped => f.write_str("unmapped"),
            LunChange::Remapped { to } => write!(f, "remapped to LUN {to}"),
            LunChange::Replaced => f.write_str("replaced by another volume"),
            LunChange::Resized { bytes } => write!(f, "resized to {bytes} bytes"),
            LunChange::Preferred(controller) => write!(f, "prefers controller {controller}"),
            LunChange::ReadOnly(true) => f.write_str("read-only"),
            LunChange::ReadOnly(false) => f.write_str("writable"),
            LunChange::StaysPut { to } => write!(f, "its transition to controller {to} has failed"),
            LunChange::Split(Some(Apart::Ownership)) => {
                f.write_str("split: every controller takes itself for the owner")
            }
            LunChange::Split(Some(Apart::Data)) => f.write_str(
                "split: every controller takes itself for the owner, with data of its own",
            ),
            LunChange::Split(None) => f.write_str("no longer split"),
            LunChange::Condition(condition) => write!(f, "condition {condition}"),
            LunChange::PortGroup { group, state: Some(state) } => {
                write!(f, "target port group {group} is {state}")
            }
            LunChange::PortGroup { group, state: None } => {
                write!(f, "target port group {group} is as ownership makes it")
            }
        }
    }
}
