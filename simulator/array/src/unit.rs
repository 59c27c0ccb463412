//! A logical unit: what it is, who owns it and what each nexus knows of it.

use std::{collections::BTreeMap, io, sync::Arc};

use crate::{
    action::Apart,
    attention::Attentions,
    config::{ConfigError, Identity, LunConfig},
    ids::{ControllerId, Lun, Nexus},
    personality::{alua::AccessState, emc::Condition},
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

/// Controllers that do not agree about a LUN.
#[derive(Debug, Clone)]
pub(crate) struct Split {
    /// The owner when it began, whose data is kept.
    keeper: ControllerId,
    /// The data of all others, if it is not the same.
    pub(crate) copy: Option<Arc<Store>>,
}

impl Split {
    /// That of a LUN from now on.
    pub(crate) fn begin(unit: &Unit, apart: Apart) -> io::Result<Split> {
        let copy = match apart {
            Apart::Ownership => None,
            Apart::Data => Some(Arc::new(unit.store.copy()?)),
        };
        Ok(Split { keeper: unit.owner, copy })
    }

    /// What the controllers disagree about.
    pub(crate) fn apart(&self) -> Apart {
        if self.copy.is_some() { Apart::Data } else { Apart::Ownership }
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

/// An NAA identifier of type 6 (SPC-4 7.8.6.6.5): the maker, the array, and the LUN with how many
/// LUNs were mapped before it, so that a LUN mapped anew is another LUN.
pub(crate) fn world_wide_name(
    maker: [u8; 3],
    identity: &Identity,
    lun: Lun,
    mapping: u16,
) -> [u8; 16] {
    let mut name = [0; 16];
    name[0] = 0x60 | maker[0] >> 4;
    name[1] = maker[0] << 4 | maker[1] >> 4;
    name[2] = maker[1] << 4 | maker[2] >> 4;
    name[3] = maker[2] << 4;
    name[4..12].copy_from_slice(&fnv1a(identity.serial.as_bytes()).to_be_bytes());
    name[12..14].copy_from_slice(&mapping.to_be_bytes());
    name[14..16].copy_from_slice(&lun.0.to_be_bytes());
    name
}

/// The 64-bit Fowler/Noll/Vo hash, which is the same on every machine and for ever.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl LunConfig {
    /// Refuses what cannot be a LUN of an array with so many controllers and this highest number.
    pub(crate) fn check(&self, controllers: usize, max_lun: u16) -> Result<(), ConfigError> {
        let lun = self.lun;
        if lun.0 > max_lun {
            return Err(ConfigError::LunNumber { lun, max: max_lun });
        }
        for controller in [self.owner, self.preferred] {
            if controller.index() >= controllers {
                return Err(ConfigError::NoController { lun, controller });
            }
        }
        if !matches!(self.block_bytes, 512 | 4096) {
            return Err(ConfigError::BlockLength { lun, block_bytes: self.block_bytes });
        }
        if self.label.encode_utf16().count() > 30 {
            let (text, wanted) = (self.label.clone(), "at most 30 UTF-16 units");
            return Err(ConfigError::Text { what: "the label of a LUN", text, wanted });
        }
        check_size(lun, self.bytes, self.block_bytes)
    }
}

/// Refuses a size that a LUN with such blocks cannot have.
pub(crate) fn check_size(lun: Lun, bytes: u64, block_bytes: u32) -> Result<(), ConfigError> {
    if bytes == 0 || !bytes.is_multiple_of(block_bytes.into()) {
        return Err(ConfigError::PartialBlock { lun, bytes, block_bytes });
    }
    if bytes > LunConfig::MAX_BYTES {
        return Err(ConfigError::TooLarge { lun, bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_naa_type_6_and_tells_maker_and_lun() {
        let name = world_wide_name([0x00, 0xa0, 0xb8], &Identity::for_rdac(), Lun(0x102), 3);
        assert_eq!(name[..4], [0x60, 0x0a, 0x0b, 0x80]);
        assert_eq!(name[12..], [0, 3, 1, 2]);
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
