//! A logical unit: what it is, who owns it and what each nexus knows of it.

mod check;
mod name;
mod split;

use std::{collections::BTreeMap, sync::Arc};

pub use self::split::Apart;
pub(crate) use self::{check::check_size, name::world_wide_name, split::Split};
use crate::{
    access_state::AccessState,
    attention::Attentions,
    condition::Condition,
    ids::{ControllerId, Lun, Nexus},
    lun_config::LunConfig,
    reservation::Reservations,
    store::Store,
};

/// A mapped LUN.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub(crate) lun: Lun,
    pub(crate) owner: ControllerId,
    /// The controller that it is on its way to, and whose command sent it.
    pub(crate) moving: Option<(ControllerId, Option<Nexus>)>,
    /// Target port groups whose state is not what ownership makes it.
    pub(crate) group_states: BTreeMap<u16, AccessState>,
    /// What an array is doing with it.
    pub(crate) condition: Condition,
    pub(crate) preferred: ControllerId,
    pub(crate) label: String,
    pub(crate) block_bytes: u32,
    /// How many blocks it has.
    pub(crate) blocks: u64,
    pub(crate) read_only: bool,
    /// Its world-wide name: an NAA identifier of type 6, the same through every path.
    pub(crate) name: [u8; 16],
    pub(crate) store: Arc<Store>,
    /// That no controller knows of another owner but itself.
    pub(crate) split: Option<Split>,
    /// How many medium accesses came in a row to a controller that does not own it.
    pub(crate) astray: u32,
    /// What it knows of each nexus that has spoken to it.
    pub(crate) nexuses: BTreeMap<Nexus, NexusView>,
    pub(crate) reservations: Reservations,
}

impl Unit {
    /// The LUN that a checked configuration describes, with these contents.
    pub(crate) fn new(config: LunConfig, name: [u8; 16], store: Store) -> Unit {
        Unit {
            lun: config.lun,
            owner: config.owner,
            moving: None,
            group_states: BTreeMap::new(),
            condition: Condition::None,
            preferred: config.preferred,
            label: config.label,
            block_bytes: config.block_bytes,
            blocks: config.bytes / u64::from(config.block_bytes),
            read_only: config.read_only,
            name,
            store: Arc::new(store),
            split: None,
            astray: 0,
            nexuses: BTreeMap::new(),
            reservations: Reservations::default(),
        }
    }

    /// Its size in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.blocks * u64::from(self.block_bytes)
    }

    /// Its contents as a controller knows them.
    pub(crate) fn store_at(&self, controller: ControllerId) -> &Arc<Store> {
        let split = self.split.as_ref().filter(|split| split.keeper != controller);
        split.and_then(|split| split.copy.as_ref()).unwrap_or(&self.store)
    }

    /// Every copy of its contents.
    pub(crate) fn stores(&self) -> impl Iterator<Item = &Arc<Store>> {
        let copy = self.split.as_ref().and_then(|split| split.copy.as_ref());
        std::iter::once(&self.store).chain(copy)
    }

    /// The same, to be replaced.
    pub(crate) fn stores_mut(&mut self) -> impl Iterator<Item = &mut Arc<Store>> {
        let copy = self.split.as_mut().and_then(|split| split.copy.as_mut());
        std::iter::once(&mut self.store).chain(copy)
    }

    /// What it knows of a nexus, which it gets to know by this.
    pub(crate) fn nexus(&mut self, nexus: Nexus) -> &mut NexusView {
        self.nexuses.entry(nexus).or_default()
    }
}

/// What a LUN knows of a nexus. VPD page 87h says that its mode pages are kept per nexus too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NexusView {
    pub(crate) attentions: Attentions,
    pub(crate) control: ControlValues,
}

impl Default for NexusView {
    fn default() -> Self {
        NexusView { attentions: Attentions::at_power_on(), control: ControlValues::default() }
    }
}

/// The changeable values of the control mode page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ControlValues {
    /// Whether a command that another nexus aborts ends with TASK ABORTED, now.
    pub(crate) tas: bool,
    /// The same, as saved: it is back after a reset.
    pub(crate) saved_tas: bool,
}

impl ControlValues {
    /// What is left after a reset.
    pub(crate) fn reset(&mut self) {
        self.tas = self.saved_tas;
    }
}
