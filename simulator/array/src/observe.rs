//! The reports that the array makes to an observer.

use std::{fmt, sync::Arc, time::Duration};

use sansim_time::Time;

use crate::{
    access_state::AccessState,
    command::Cdb,
    completion::Completion,
    condition::LunCondition,
    controller::ControllerState,
    ids::{ControllerId, Controllers, HbaId, Lun, Nexus, NexusPattern, PortId},
    lun_config::Shown,
    operation::Operation,
    task_management::{TaskManagement, TmfResponse},
    unit::{Apart, Replication},
    wire::KeptData,
};

/// The part of a run. Fault rules and counters distinguish them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The guest discovers its disks and builds its maps.
    Discovery,
    /// The timed part of the scenario, which [`crate::Action::BeginStory`] begins.
    Story,
}

/// Receives a report of every completed command and every change of state.
///
/// The array calls it without holding its lock, on the thread that caused the report. It must not
/// block for long. Reports of one thread arrive in order. Reports of several threads can overtake
/// each other; for commands, [`CommandRecord::seq`] gives the order of arrival.
pub trait Observer: Send + Sync {
    /// Receives the record of a completed command.
    fn command(&self, record: &CommandRecord);

    /// Receives a change of state, whether a command caused it or not.
    fn state(&self, change: &StateChange);
}

/// The record of a completed command.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandRecord {
    /// The position in the order of arrival, from 0.
    pub seq: u64,
    /// The time of arrival.
    pub at: Time,
    /// The time from arrival to completion.
    pub latency: Duration,
    /// The initiator port and the target port.
    pub nexus: Nexus,
    /// The logical unit, by its own number. If the nexus sees none there: the addressed number.
    pub lun: Lun,
    /// The number by which the nexus addressed it.
    pub addressed: Lun,
    /// The command identifier that the initiator chose. ABORT TASK and QUERY TASK refer to it.
    pub tag: u64,
    /// The CDB that the initiator sent.
    pub cdb: Cdb,
    /// The operation; `None` if the operation code is unknown.
    pub op: Option<&'static Operation>,
    /// The size of the initiator's buffers in bytes, data-in and data-out together.
    pub offered: u32,
    /// The outcome of the command.
    pub completion: Completion,
    /// The name of the fault rule that caught the command.
    pub fault: Option<Arc<str>>,
    /// The stage in which the command arrived.
    pub stage: Stage,
    /// The transferred data; `None` unless [`crate::Array::keep_data`] asks for it.
    pub data: Option<KeptData>,
}

/// A change of the array's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// The time of the change.
    pub at: Time,
    /// What changed, and how.
    pub what: Changed,
}

/// What changed in the array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The run entered this stage.
    Stage(Stage),
    /// A controller changed its state.
    Controller {
        /// The controller that changed.
        controller: ControllerId,
        /// The previous state of the controller.
        from: ControllerState,
        /// The new state of the controller.
        to: ControllerState,
    },
    /// An array reaches neither another array nor the witness any more, or does again.
    Isolated {
        /// The name of the array.
        array: Arc<str>,
        /// Whether it is isolated now.
        isolated: bool,
    },
    /// The witness of the metro cluster came or went.
    Witness {
        /// Whether it is there now.
        present: bool,
    },
    /// A link went down or came back up.
    Link {
        /// The HBA at the end of the link; `None` for the port's own link.
        hba: Option<HbaId>,
        /// The target port at the end of the link.
        port: PortId,
        /// Whether the link is up now.
        up: bool,
    },
    /// A port was removed with its disks, or added again.
    Port {
        /// The port that changed.
        port: PortId,
        /// Whether the port is present now.
        present: bool,
    },
    /// An HBA was reset.
    HbaReset(HbaId),
    /// The ownership of a LUN moved.
    Owner {
        /// The LUN that moved.
        lun: Lun,
        /// The previous owner of the LUN.
        from: ControllerId,
        /// The new owner of the LUN.
        to: ControllerId,
        /// The nexus whose command moved the LUN; `None` if a step or the array did.
        by: Option<Nexus>,
    },
    /// A LUN changed in another way.
    Lun {
        /// The LUN that changed.
        lun: Lun,
        /// The kind of change.
        change: LunChange,
    },
    /// A fault rule was added, armed or disarmed.
    Rule {
        /// The name of the rule.
        name: Arc<str>,
        /// Whether the rule is armed now.
        armed: bool,
    },
    /// A fault rule parked a command: the command is delayed, held or lost.
    Parked {
        /// The name of the rule.
        rule: Arc<str>,
        /// The name of the hold; `None` if the command is not held.
        hold: Option<Arc<str>>,
        /// The nexus of the command.
        nexus: Nexus,
        /// The LUN that the command addresses.
        lun: Lun,
        /// The operation; `None` if the operation code is unknown.
        op: Option<&'static Operation>,
    },
    /// A task management function arrived.
    TaskManagement {
        /// The nexus of the function.
        nexus: Nexus,
        /// The LUN that the function is for, as [`CommandRecord::lun`].
        lun: Lun,
        /// The number by which the nexus addressed it.
        addressed: Lun,
        /// The function that was requested.
        function: TaskManagement,
        /// The response; `None` if the function is never answered.
        response: Option<TmfResponse>,
        /// The name of the fault rule that caught the function.
        fault: Option<Arc<str>>,
    },
    /// The commands that were held under a name were released. Later commands are not held.
    Released {
        /// The name of the hold.
        hold: Arc<str>,
        /// The number of commands that were released.
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
            Changed::Isolated { array, isolated: true } => write!(f, "array {array}: isolated"),
            Changed::Isolated { array, isolated: false } => {
                write!(f, "array {array}: no longer isolated")
            }
            Changed::Witness { present: true } => f.write_str("witness: there"),
            Changed::Witness { present: false } => f.write_str("witness: lost"),
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

/// A change of a LUN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LunChange {
    /// The LUN was mapped.
    Mapped {
        /// Its size in bytes.
        bytes: u64,
    },
    /// The LUN was unmapped, and its data is lost.
    Unmapped,
    /// The LUN got another number.
    Remapped {
        /// The new LUN number.
        to: Lun,
    },
    /// Some nexuses see the LUN otherwise.
    Shown {
        /// The nexuses for which it changed.
        to: NexusPattern,
        /// How they see the LUN now.
        shown: Shown,
    },
    /// Another volume replaced the LUN.
    Replaced,
    /// The volume got another name.
    Renamed {
        /// The new name, an NAA type 6 designator.
        name: [u8; 16],
    },
    /// The size of the LUN changed.
    Resized {
        /// The new size in bytes.
        bytes: u64,
    },
    /// The LUN became write-protected (`true`) or writable (`false`).
    ReadOnly(bool),
    /// STOP stopped the LUN (`true`), or START started it again (`false`).
    Stopped(bool),
    /// A transition failed: the LUN stays with its owner.
    StaysPut {
        /// The controller that the LUN should have moved to.
        to: ControllerId,
    },
    /// Two arrays present the LUN from now on.
    Stretched {
        /// The controller that owns the LUN while the other array serves it alone.
        to: ControllerId,
    },
    /// Only the array with these controllers presents the LUN from now on.
    Withdrawn {
        /// The controllers of the array that keeps it.
        kept: Controllers,
    },
    /// The replication of the LUN between two arrays changed.
    Replication {
        /// Its state now.
        is: Replication,
        /// The controllers of the arrays that serve the LUN now.
        serving: Controllers,
    },
    /// Each controller considers itself the owner of the LUN; `None` when they agree again.
    Split(Option<Apart>),
    /// The preferred owner changed to this controller.
    Preferred(ControllerId),
    /// The condition of the LUN changed.
    Condition(LunCondition),
    /// A port entered (`true`) or left the secondary access state offline.
    PortOffline {
        /// The port.
        port: PortId,
        /// Whether the port is offline now.
        offline: bool,
    },
    /// The access state of a target port group was set explicitly.
    PortGroup {
        /// The identifier of the group.
        group: u16,
        /// The explicit state; `None` if the state follows the ownership again.
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
            LunChange::Renamed { name } => {
                f.write_str("renamed to ")?;
                name.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            LunChange::Shown { to, shown: Shown::Masked } => write!(f, "masked for {to}"),
            LunChange::Shown { to, shown: Shown::Own } => write!(f, "shown to {to}"),
            LunChange::Shown { to, shown: Shown::As(number) } => {
                write!(f, "shown to {to} as LUN {number}")
            }
            LunChange::Resized { bytes } => write!(f, "resized to {bytes} bytes"),
            LunChange::Preferred(controller) => write!(f, "prefers controller {controller}"),
            LunChange::ReadOnly(true) => f.write_str("read-only"),
            LunChange::ReadOnly(false) => f.write_str("writable"),
            LunChange::Stopped(true) => f.write_str("stopped"),
            LunChange::Stopped(false) => f.write_str("started"),
            LunChange::StaysPut { to } => write!(f, "its transition to controller {to} has failed"),
            LunChange::Stretched { to } => write!(f, "stretched to controller {to}"),
            LunChange::Withdrawn { kept } => write!(f, "only controllers {kept} present it"),
            LunChange::Replication { is, serving } => {
                write!(f, "replication is {is}, served by {serving}")
            }
            LunChange::Split(Some(Apart::Ownership)) => {
                f.write_str("split: every controller takes itself for the owner")
            }
            LunChange::Split(Some(Apart::Data)) => f.write_str(
                "split: every controller takes itself for the owner, with data of its own",
            ),
            LunChange::Split(None) => f.write_str("no longer split"),
            LunChange::Condition(condition) => write!(f, "condition {condition}"),
            LunChange::PortOffline { port, offline: true } => write!(f, "port {port} is offline"),
            LunChange::PortOffline { port, offline: false } => {
                write!(f, "port {port} is no longer offline")
            }
            LunChange::PortGroup { group, state: Some(state) } => {
                write!(f, "target port group {group} is {state}")
            }
            LunChange::PortGroup { group, state: None } => {
                write!(f, "target port group {group} is as ownership makes it")
            }
        }
    }
}
