//! A logical unit: its properties, its owner and the state of each nexus.

mod check;
pub(crate) mod data_buffers;
mod name;
mod split;
mod stretch;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use self::data_buffers::DataBuffers;
pub use self::split::Apart;
pub use self::stretch::{Replication, ReplicationLink};
pub(crate) use self::{
    check::check_size,
    name::world_wide_name,
    split::Split,
    stretch::{Side, Standing, Stretch, Sync},
};
use crate::{
    access_state::{AccessState, Altered},
    attention::Attentions,
    condition::LunCondition,
    ids::{ControllerId, Lun, Nexus, NexusPattern, PortId},
    lun_config::{LunConfig, Mapping},
    operation::{Class, Kind, Operation},
    reservation::Reservations,
    sense::Sense,
    store::Store,
};

#[derive(Debug, Clone)]
pub(crate) struct Unit {
    /// The LUN's own number.
    pub(crate) lun: Lun,
    /// Which nexuses see the LUN, and under which number.
    pub(crate) mapping: Mapping,
    pub(crate) owner: ControllerId,
    /// The controller that the LUN is moving to, and the nexus that requested the move.
    pub(crate) moving: Option<(ControllerId, Option<Nexus>)>,
    /// Whether the LUN has moved, and no read has come since. Only a [`Canary`](crate::Canary) looks
    /// at it.
    pub(crate) has_moved: bool,
    /// Explicit access states of target port groups. The others follow the ownership.
    pub(crate) group_states: BTreeMap<u16, AccessState>,
    /// The ports in the secondary access state offline.
    pub(crate) offline: BTreeSet<PortId>,
    /// What altered the access state of a target port group last. Groups that never changed are absent.
    pub(crate) altered: BTreeMap<u16, Altered>,
    /// The array operation that restricts what hosts can do with the LUN.
    pub(crate) condition: LunCondition,
    pub(crate) preferred: ControllerId,
    pub(crate) label: String,
    pub(crate) block_bytes: u32,
    /// The capacity in blocks.
    pub(crate) blocks: u64,
    pub(crate) read_only: bool,
    /// Whether a STOP has stopped the LUN (SBC-3 4.20).
    pub(crate) stopped: bool,
    /// The world-wide name: an NAA type 6 designator, the same through every path.
    pub(crate) name: [u8; 16],
    /// Whether the volume got its name in the course of the story. Captured pages then no longer
    /// identify it.
    pub(crate) renamed: bool,
    pub(crate) store: Arc<Store>,
    /// Set while each controller considers itself the owner.
    pub(crate) split: Option<Split>,
    /// Set while two arrays present the LUN.
    pub(crate) stretch: Option<Stretch>,
    /// The number of consecutive medium accesses through a controller that does not own the LUN.
    pub(crate) astray: u32,
    /// The state of each nexus that has sent a command to the LUN.
    pub(crate) nexuses: BTreeMap<Nexus, NexusView>,
    /// The unit attentions that wait for a nexus whose first command arrives; `None` for that of a LUN
    /// that was powered on.
    pub(crate) greeting: Option<Vec<(NexusPattern, Sense)>>,
    /// The control mode page of a nexus that is not known yet.
    pub(crate) control: ControlValues,
    pub(crate) reservations: Reservations,
}

impl Unit {
    /// Creates a LUN from a checked configuration.
    pub(crate) fn new(config: LunConfig, name: [u8; 16], store: Store) -> Unit {
        Unit {
            lun: config.lun,
            mapping: config.mapping,
            owner: config.owner,
            moving: None,
            group_states: BTreeMap::new(),
            offline: BTreeSet::new(),
            altered: BTreeMap::new(),
            condition: LunCondition::None,
            preferred: config.preferred,
            label: config.label,
            block_bytes: config.block_bytes,
            blocks: config.bytes / u64::from(config.block_bytes),
            read_only: config.read_only,
            stopped: false,
            name,
            renamed: false,
            has_moved: false,
            store: Arc::new(store),
            split: None,
            stretch: None,
            astray: 0,
            nexuses: BTreeMap::new(),
            greeting: None,
            control: ControlValues::default(),
            reservations: Reservations::default(),
        }
    }

    /// The size in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.blocks * u64::from(self.block_bytes)
    }

    /// The contents as the given controller sees them.
    pub(crate) fn store_at(&self, controller: ControllerId) -> &Arc<Store> {
        let split = self.split.as_ref().filter(|split| split.keeper != controller);
        let copy = split.and_then(|split| split.copy.as_ref());
        let copy = copy.or_else(|| {
            let stretch = self.stretch.as_ref()?;
            let (side, copy) = stretch.copy.as_ref()?;
            (*side == stretch.side_of(controller)).then_some(copy)
        });
        copy.unwrap_or(&self.store)
    }

    /// The owner as a controller sees it: itself while ownership is split, and in a split brain of two
    /// arrays the one of its own array.
    pub(crate) fn owner_at(&self, controller: ControllerId) -> ControllerId {
        match (&self.split, &self.stretch) {
            (Some(_), _) => controller,
            (None, Some(stretch)) => stretch.owner_at(controller, self.owner),
            (None, None) => self.owner,
        }
    }

    /// How the array of a controller presents the LUN.
    pub(crate) fn standing(&self, controller: ControllerId) -> Standing {
        let stretch = self.stretch.as_ref();
        stretch.map_or(Standing::Leading, |it| it.standing(controller, self.owner))
    }

    /// Every copy of the contents.
    pub(crate) fn stores(&self) -> impl Iterator<Item = &Arc<Store>> {
        let copy = self.split.as_ref().and_then(|split| split.copy.as_ref());
        let far = self.stretch.as_ref().and_then(|stretch| stretch.copy.as_ref());
        std::iter::once(&self.store).chain(copy).chain(far.map(|(_, copy)| copy))
    }

    /// Every copy of the contents, for replacing them.
    pub(crate) fn stores_mut(&mut self) -> impl Iterator<Item = &mut Arc<Store>> {
        let copy = self.split.as_mut().and_then(|split| split.copy.as_mut());
        let far = self.stretch.as_mut().and_then(|stretch| stretch.copy.as_mut());
        std::iter::once(&mut self.store).chain(copy).chain(far.map(|(_, copy)| copy))
    }

    /// The state of a nexus. It is created on first use.
    pub(crate) fn nexus(&mut self, nexus: Nexus) -> &mut NexusView {
        let (greeting, control) = (&self.greeting, self.control);
        self.nexuses.entry(nexus).or_insert_with(|| NexusView {
            control,
            ..match greeting {
                None => NexusView::default(),
                Some(greeting) => NexusView::greeted(nexus, greeting),
            }
        })
    }

    /// The sense for an operation that a LUN which was stopped does not carry out (SBC-3 4.20.4).
    pub(crate) fn stops(&self, op: &Operation) -> Option<Sense> {
        let needs_it = op.class == Class::Medium || op.kind == Kind::TestUnitReady;
        (self.stopped && needs_it).then_some(Sense::NOT_STARTED)
    }

    /// The number by which a nexus addresses the LUN; `None` if the LUN is masked for it.
    pub(crate) fn number(&self, nexus: Nexus) -> Option<Lun> {
        self.mapping.number(self.lun, nexus)
    }
}

/// The state of a nexus at a LUN. Mode pages are per nexus too, as VPD page 87h reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NexusView {
    pub(crate) attentions: Attentions,
    pub(crate) control: ControlValues,
    /// Whether a unit attention has been reported, and no write has come since. Only a
    /// [`Canary`](crate::Canary) looks at it.
    pub(crate) startled: bool,
    pub(crate) buffers: DataBuffers,
}

impl NexusView {
    /// The state of a nexus for which these unit attentions wait.
    pub(crate) fn greeted(nexus: Nexus, greeting: &[(NexusPattern, Sense)]) -> Self {
        let mut attentions = Attentions::none();
        let own = greeting.iter().filter(|(to, _)| to.matches(nexus));
        own.for_each(|(_, sense)| attentions.push(*sense));
        NexusView { attentions, ..NexusView::default() }
    }
}

impl Default for NexusView {
    fn default() -> Self {
        NexusView {
            attentions: Attentions::at_power_on(),
            control: ControlValues::default(),
            startled: false,
            buffers: DataBuffers::default(),
        }
    }
}

/// The changeable values of the control mode page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ControlValues {
    /// The current value of TAS: whether a command that another nexus aborts ends with TASK
    /// ABORTED.
    pub(crate) tas: bool,
    /// The saved value of TAS, which a reset restores.
    pub(crate) saved_tas: bool,
}

impl Unit {
    /// Sets the control mode page that all nexuses share. Those that did not ask for it are told.
    pub(crate) fn share_control(&mut self, by: Nexus, control: ControlValues) {
        self.nexus(by);
        self.control = control;
        for (nexus, view) in &mut self.nexuses {
            let before = std::mem::replace(&mut view.control, control);
            if *nexus != by && before != control {
                view.attentions.push(Sense::MODE_PARAMETERS_CHANGED);
            }
        }
    }
}

impl ControlValues {
    /// A reset restores the saved values.
    pub(crate) fn reset(&mut self) {
        self.tas = self.saved_tas;
    }
}
