//! The actions that can be applied to an array.

use std::{sync::Arc, time::Duration};

use super::rule::FaultRule;
use crate::{
    access_state::AccessState,
    condition::LunCondition,
    controller::ControllerState,
    error::{ConfigError, RuleError},
    ids::{ControllerId, HbaId, Lun, Nexus, NexusPattern, PortId},
    lun_config::{LunConfig, Shown},
    notice::{LunEvent, Notifications},
    sense::Sense,
    unit::{Apart, ReplicationLink},
};

/// A change to the array that comes from outside: a step of a scenario, or the action of a fault
/// rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Ends the discovery stage. Times and counts of rules for [`crate::Stage::Story`] begin here.
    BeginStory,
    /// Changes the state of a controller. When a controller returns from a state in which it was
    /// silent or upgrading, it has had a power-on reset: every nexus through it gets unit attention
    /// 06/29/00.
    SetController {
        /// The controller to change.
        controller: ControllerId,
        /// The new state of the controller.
        state: ControllerState,
    },
    /// Takes a controller through several states in succession, such as a restart or a firmware
    /// upgrade. A later action on the controller cancels the remaining states.
    Phases {
        /// The controller to change.
        controller: ControllerId,
        /// The temporary states. The first begins at once.
        phases: Vec<Phase>,
        /// The state after the last phase.
        last: ControllerState,
    },
    /// Changes the state of a whole array: of all its controllers, or of what it reaches.
    SetArray {
        /// The name of the array.
        array: Arc<str>,
        /// The new state.
        state: ArrayState,
    },
    /// The witness of a metro cluster comes or goes.
    SetWitness {
        /// Whether it is there afterwards.
        present: bool,
    },
    /// Changes the link over which two arrays replicate a LUN.
    SetReplication {
        /// The LUN; `None` for every LUN that two arrays present.
        lun: Option<Lun>,
        /// The state of the link afterwards.
        link: ReplicationLink,
    },
    /// Takes a link down or brings it back up. While it is down, nothing answers over it. When it
    /// comes back, the nexuses that use it get an I_T nexus loss (06/29/07).
    SetLink {
        /// The HBA at the end of the link. `None` for the port's own link, which all HBAs share.
        hba: Option<HbaId>,
        /// The target port at the end of the link.
        port: PortId,
        /// Whether the link is up afterwards.
        up: bool,
    },
    /// Takes a link down and brings it back up repeatedly, the first time at once.
    FlapLink {
        /// See [`Action::SetLink`].
        hba: Option<HbaId>,
        /// The target port at the end of the link.
        port: PortId,
        /// How long the link is down each time, and then up.
        every: Duration,
        /// How often the link goes down.
        times: u16,
    },
    /// Removes a port together with the disks behind it, or adds it again. This differs from a link
    /// that is down: hosts are not notified about a link, and keep their disks.
    SetPort {
        /// The port to remove or to add.
        port: PortId,
        /// Whether the port is present afterwards.
        present: bool,
    },
    /// Resets an HBA. Its parked commands end with response RESET, and each of its nexuses gets an
    /// I_T nexus loss.
    ResetHba {
        /// The HBA to reset.
        hba: HbaId,
    },
    /// Moves a LUN to another controller without a request from a host.
    SetOwner {
        /// The LUN to move.
        lun: Lun,
        /// The new owner of the LUN.
        controller: ControllerId,
    },
    /// Sets the access state of a target port group for a LUN without a request from a host.
    SetGroupState {
        /// The LUN for which the state applies.
        lun: Lun,
        /// The identifier of the target port group (SPC-4 6.37).
        group: u16,
        /// The new state. `None` removes an explicit state, so that the state follows the
        /// ownership.
        state: Option<AccessState>,
    },
    /// Puts a port into the secondary access state offline for a LUN, or takes it out of it, without a
    /// request from a host.
    SetPortOffline {
        /// The LUN for which the state applies.
        lun: Lun,
        /// The port.
        port: PortId,
        /// Whether the port is offline afterwards.
        offline: bool,
    },
    /// Changes the preferred owner of a LUN. The LUN stays with its current owner.
    SetPreferred {
        /// The LUN to change.
        lun: Lun,
        /// The controller that is preferred from now on.
        controller: ControllerId,
    },
    /// Starts or ends an array operation that restricts what hosts can do with a LUN.
    SetCondition {
        /// The LUN that the operation affects.
        lun: Lun,
        /// The new condition; [`LunCondition::None`] ends the operation.
        condition: LunCondition,
    },
    /// Makes the controllers disagree about the ownership of a LUN: each considers itself the
    /// owner, and the LUN cannot move. Or ends the disagreement.
    Split {
        /// The LUN about which the controllers disagree.
        lun: Lun,
        /// What the controllers disagree about. `None` ends the disagreement, and the LUN is with
        /// the owner that it had before.
        apart: Option<Apart>,
    },
    /// Releases the commands that are held under a name. Later commands are not held.
    Release {
        /// The name of the hold.
        hold: Arc<str>,
    },
    /// Arms or disarms a fault rule. Its counter keeps its value.
    Arm {
        /// The name of the rule.
        rule: Arc<str>,
        /// Whether the rule is armed afterwards.
        armed: bool,
    },
    /// Adds a fault rule after the existing ones.
    AddRule(Box<FaultRule>),
    /// Queues a unit attention (sense key 6) for the nexuses of a pattern that have sent a command to
    /// the LUN. If the pattern names one nexus, it gets the unit attention in any case.
    UnitAttention {
        /// The nexuses that get the unit attention.
        to: NexusPattern,
        /// The LUN that reports the unit attention; `None` for all LUNs.
        lun: Option<Lun>,
        /// The sense key, ASC and ASCQ.
        sense: Sense,
    },
    /// Has the HBAs send an event about a LUN to the guest. Nothing of the LUN changes.
    Event {
        /// The nexuses that the event is about.
        to: NexusPattern,
        /// The LUN, by its own number. It need not be mapped.
        lun: Lun,
        /// What the event tells.
        event: LunEvent,
    },
    /// Changes a volume, or how it is presented.
    Volume {
        /// The change.
        change: VolumeChange,
        /// How hosts hear of it.
        notify: Notifications,
    },
}

/// A change of a volume or of its presentation, about which hosts may hear or not.
#[derive(Debug, Clone, PartialEq)]
pub enum VolumeChange {
    /// Maps a LUN.
    Map(LunConfig),
    /// Unmaps a LUN everywhere. Its data is lost.
    Unmap {
        /// The LUN to unmap.
        lun: Lun,
    },
    /// Has another array present a LUN as well, under the same number and name. It serves the LUN when
    /// the data has been copied.
    Stretch {
        /// The LUN.
        lun: Lun,
        /// The controller of the other array that is to own the LUN while its array serves it alone.
        to: ControllerId,
        /// How long the copying takes; `None` for the usual time ([`crate::MetroConfig::resync`]).
        copying: Option<Duration>,
    },
    /// Unmaps a LUN at one of the two arrays that present it. The other one keeps it.
    Withdraw {
        /// The LUN.
        lun: Lun,
        /// The name of the array that no longer presents it.
        array: Arc<str>,
    },
    /// Changes the own number of a LUN. The volume keeps its name and its data.
    Remap {
        /// The current LUN number.
        lun: Lun,
        /// The new LUN number, which must be free.
        to: Lun,
    },
    /// Masks a LUN for some nexuses, or shows it to them.
    Show {
        /// The LUN, by its own number.
        lun: Lun,
        /// The nexuses for which it changes.
        to: NexusPattern,
        /// How they see the LUN afterwards.
        shown: Shown,
    },
    /// Replaces the volume behind a LUN number with another one, which is empty, not reserved, and has
    /// another name.
    Replace {
        /// The LUN to replace.
        lun: Lun,
    },
    /// Gives a volume another name. Its data stays.
    Rename {
        /// The LUN to rename.
        lun: Lun,
        /// The name, an NAA type 6 designator; `None` for a new one that the array makes.
        name: Option<[u8; 16]>,
    },
    /// Changes the size of a LUN. Added blocks read as zeros.
    Resize {
        /// The LUN to resize.
        lun: Lun,
        /// The new size in bytes, a multiple of the block length.
        bytes: u64,
    },
    /// Sets or clears write protection of a LUN.
    SetReadOnly {
        /// The LUN whose write protection changes.
        lun: Lun,
        /// Whether the LUN refuses writes afterwards.
        read_only: bool,
    },
}

impl VolumeChange {
    /// The LUN that changes, by the own number that it has before.
    pub fn lun(&self) -> Lun {
        match self {
            VolumeChange::Map(config) => config.lun,
            VolumeChange::Unmap { lun }
            | VolumeChange::Stretch { lun, .. }
            | VolumeChange::Withdraw { lun, .. }
            | VolumeChange::Remap { lun, .. }
            | VolumeChange::Show { lun, .. }
            | VolumeChange::Replace { lun }
            | VolumeChange::Rename { lun, .. }
            | VolumeChange::Resize { lun, .. }
            | VolumeChange::SetReadOnly { lun, .. } => *lun,
        }
    }
}

/// The change, with the usual notifications.
impl From<VolumeChange> for Action {
    fn from(change: VolumeChange) -> Self {
        Action::Volume { change, notify: Notifications::Usual }
    }
}

/// The state of a whole array, as a step sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArrayState {
    /// Its controllers are online, and it reaches the other arrays and the witness.
    Online,
    /// It reaches neither another array nor the witness; hosts reach it.
    Isolated,
    /// All its controllers have failed.
    Failed,
}

/// A temporary state of a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// The state of the controller in this phase.
    pub state: ControllerState,
    /// The duration of the phase.
    pub lasts: Duration,
}

/// Why an action was refused. The state of the array is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// The array does not have this controller.
    #[error("the array has no controller {0}")]
    NoController(ControllerId),
    /// The array does not have this port.
    #[error("the array has no port {0}")]
    NoPort(PortId),
    /// There is no array with this name.
    #[error("there is no array named {0:?}")]
    NoArray(Arc<str>),
    /// The array of the controller does not present the LUN.
    #[error("the array of controller {controller} does not present LUN {lun}")]
    NotPresented {
        /// The LUN.
        lun: Lun,
        /// The controller.
        controller: ControllerId,
    },
    /// Two arrays present the LUN.
    #[error("two arrays present LUN {0}: what can split them is their replication")]
    Stretched(Lun),
    /// Only one array presents the LUN.
    #[error("LUN {0} is not presented by two arrays")]
    NotStretched(Lun),
    /// No LUN is presented by two arrays.
    #[error("no LUN is presented by two arrays")]
    NothingStretched,
    /// The array that is to serve a LUN has no data that it could serve.
    #[error("the array of controller {controller} has only a part of the data of LUN {lun}")]
    NoCopy {
        /// The LUN.
        lun: Lun,
        /// The controller.
        controller: ControllerId,
    },
    /// This LUN is not mapped.
    #[error("the array has no LUN {0}")]
    NoLun(Lun),
    /// The array does not have this target port group.
    #[error("the array has no target port group {0}")]
    NoPortGroup(u16),
    /// The array reports no target port groups.
    #[error("the array has no target port groups, so that no port has a secondary access state")]
    NoPortGroups,
    /// The LUN number is in use.
    #[error("LUN {0} is mapped already")]
    LunMapped(Lun),
    /// A nexus sees another LUN under this number.
    #[error("{nexus} sees another LUN under number {number} already")]
    NumberTaken {
        /// The nexus that would see two LUNs under one number.
        nexus: Nexus,
        /// The number.
        number: Lun,
    },
    /// No fault rule has this name.
    #[error("there is no fault rule named {0:?}")]
    NoRule(Arc<str>),
    /// The sense is not a unit attention: its sense key is not 6.
    #[error("{0} is not a unit attention: its sense key must be 06")]
    NotUnitAttention(Sense),
    /// The new fault rule is invalid.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The new LUN, or the new size of a LUN, is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
