//! The steps of a scenario, as the array takes them.

use std::{sync::Arc, time::Duration};

use super::rule::FaultRule;
use crate::{
    access_state::AccessState,
    condition::Condition,
    controller::ControllerState,
    error::{ConfigError, RuleError},
    ids::{ControllerId, HbaId, Lun, Nexus, PortId},
    lun_config::LunConfig,
    sense::Sense,
    unit::Apart,
};

/// Something done to the array from outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Discovery is over; rules of [`crate::Stage::Story`] count from here.
    BeginStory,
    /// A controller changes its state. One that comes back after it was silent has lost its power:
    /// every nexus through it is told with 06/29/00.
    SetController {
        /// Which one.
        controller: ControllerId,
        /// Its state from now on.
        state: ControllerState,
    },
    /// A controller goes through several states, one after the other, unless another action changes
    /// its state meanwhile: what a restart or new firmware looks like from outside.
    Phases {
        /// Which one.
        controller: ControllerId,
        /// The states and how long each lasts; the first one begins now.
        phases: Vec<Phase>,
        /// The state it is in at last.
        last: ControllerState,
    },
    /// A link goes down or comes back. While it is down nothing answers over it; when it is back the
    /// nexuses over it hear of a nexus loss (06/29/07).
    SetLink {
        /// Between which HBA and the port; none for the port's own, which is every HBA's.
        hba: Option<HbaId>,
        /// Which port.
        port: PortId,
        /// Whether it is up from now on.
        up: bool,
    },
    /// A link goes down and comes back, again and again, the first time now.
    FlapLink {
        /// As in [`Action::SetLink`].
        hba: Option<HbaId>,
        /// Which port.
        port: PortId,
        /// How long it is down, and then up.
        every: Duration,
        /// How many times.
        times: u16,
    },
    /// A port is taken away, and the disks behind it, or put back. A link that is down is another
    /// thing: hosts are not told of it, and keep their disks.
    SetPort {
        /// Which one.
        port: PortId,
        /// Whether it is there from now on.
        present: bool,
    },
    /// An HBA is reset: its commands that wait end so, and each of its nexuses hears of a nexus loss.
    ResetHba {
        /// Which one.
        hba: HbaId,
    },
    /// A LUN changes hands without a host's asking.
    SetOwner {
        /// Which one.
        lun: Lun,
        /// Its owner from now on.
        controller: ControllerId,
    },
    /// A target port group of a LUN gets a state of its own without a host's asking.
    SetGroupState {
        /// Which LUN.
        lun: Lun,
        /// The group's identifier (SPC-4 6.37).
        group: u16,
        /// Its state from now on; none for the one that ownership makes it.
        state: Option<AccessState>,
    },
    /// A LUN prefers another controller as its owner, and stays where it is.
    SetPreferred {
        /// Which LUN.
        lun: Lun,
        /// The controller.
        controller: ControllerId,
    },
    /// The array does something with a LUN that stands in the way of a host.
    SetCondition {
        /// Which LUN.
        lun: Lun,
        /// What.
        condition: Condition,
    },
    /// The controllers no longer agree about who owns a LUN: each takes itself for the owner, and nobody
    /// moves it. Or they agree again.
    Split {
        /// Which LUN.
        lun: Lun,
        /// How far apart they are; none once they agree, on the owner from before.
        apart: Option<Apart>,
    },
    /// Lets the commands held under a name go on. Commands that come later are not held.
    Release {
        /// The name of the hold.
        hold: Arc<str>,
    },
    /// Arms or disarms a fault rule. Its count goes on where it was.
    Arm {
        /// The rule's name.
        rule: Arc<str>,
        /// Whether it works from now on.
        armed: bool,
    },
    /// Adds a fault rule behind those there are.
    AddRule(Box<FaultRule>),
    /// Queues a unit attention (sense key 6) for a nexus, or for every one that has spoken to the
    /// LUN; on one LUN or on all of them.
    UnitAttention {
        /// For whom; none for everybody.
        nexus: Option<Nexus>,
        /// On which LUN; none for all of them.
        lun: Option<Lun>,
        /// What it says.
        sense: Sense,
    },
    /// A LUN appears behind every port.
    MapLun(LunConfig),
    /// A LUN disappears with its data.
    UnmapLun {
        /// Which one.
        lun: Lun,
    },
    /// A LUN gets another number: the same volume, with its name and its data.
    RemapLun {
        /// Its number.
        lun: Lun,
        /// Its number from now on, which must be free.
        to: Lun,
    },
    /// Another volume, empty and with another name, takes the place of a LUN. Hosts that are not told
    /// otherwise keep their disks; they hear of it by a unit attention.
    ReplaceLun {
        /// Which one.
        lun: Lun,
    },
    /// A LUN grows or shrinks; new space reads as zeros.
    ResizeLun {
        /// Which one.
        lun: Lun,
        /// Its size from now on, a whole number of its blocks.
        bytes: u64,
    },
    /// A LUN refuses writes from now on, or takes them again.
    SetReadOnly {
        /// Which one.
        lun: Lun,
        /// Whether it refuses them.
        read_only: bool,
    },
}

/// A state that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// The state.
    pub state: ControllerState,
    /// How long it lasts.
    pub lasts: Duration,
}

/// Why an action could not be taken. The array is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// There is no such controller.
    #[error("the array has no controller {0}")]
    NoController(ControllerId),
    /// There is no such port.
    #[error("the array has no port {0}")]
    NoPort(PortId),
    /// There is no such LUN.
    #[error("the array has no LUN {0}")]
    NoLun(Lun),
    /// There is no such target port group.
    #[error("the array has no target port group {0}")]
    NoPortGroup(u16),
    /// The number is taken.
    #[error("LUN {0} is mapped already")]
    LunMapped(Lun),
    /// There is no such rule.
    #[error("there is no fault rule named {0:?}")]
    NoRule(Arc<str>),
    /// Only sense key 6 is a unit attention.
    #[error("{0} is not a unit attention: its sense key must be 06")]
    NotUnitAttention(Sense),
    /// The new rule makes no sense.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The new LUN or size makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
