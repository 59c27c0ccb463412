//! How a family of arrays identifies itself and is told to move a LUN.
//!
//! A personality looks at the array through a [`Site`] and says what should happen; the array does
//! it. So no personality can leave a LUN with two owners or none.

pub(crate) mod rdac;

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{
    config::{ArrayConfig, ConfigError, Identity, PersonalityConfig},
    controller::{Controller, ControllerState},
    ids::{ControllerId, Lun, Nexus, PortId},
    operation::Operation,
    sense::Sense,
    unit::Unit,
};

/// The personality that a configuration asks for.
pub(crate) fn personality(config: &PersonalityConfig) -> Arc<dyn Personality> {
    match config {
        PersonalityConfig::Rdac(config) => Arc::new(rdac::Rdac::new(config.clone())),
    }
}

/// The array as one command sees it.
pub(crate) struct Site<'a> {
    pub(crate) nexus: Nexus,
    /// The addressed LUN, mapped or not.
    pub(crate) lun: Lun,
    pub(crate) units: &'a BTreeMap<Lun, Unit>,
    pub(crate) controllers: &'a [Controller],
    pub(crate) identity: &'a Identity,
    pub(crate) personality: &'a dyn Personality,
}

impl<'a> Site<'a> {
    /// The controller that the command came to.
    pub(crate) fn controller(&self) -> ControllerId {
        self.nexus.port.controller
    }

    /// What the controller that the command came to is doing: online, if there is no such one.
    pub(crate) fn own_state(&self) -> ControllerState {
        self.state(self.controller()).unwrap_or(ControllerState::Online)
    }

    /// What a controller is doing; none if there is no such controller.
    pub(crate) fn state(&self, controller: ControllerId) -> Option<ControllerState> {
        Some(self.controllers.get(controller.index())?.state)
    }

    /// Every port of the array, whether its controller answers or not.
    pub(crate) fn ports(&self) -> Vec<PortId> {
        let controllers = self.controllers.iter().enumerate();
        let ports =
            controllers.filter_map(|(index, it)| Some((ControllerId::new(index)?, it.ports)));
        let of = |(controller, ports)| (0..ports).map(move |index| PortId { controller, index });
        ports.flat_map(of).collect()
    }

    /// The addressed LUN, if it is mapped.
    pub(crate) fn unit(&self) -> Option<&'a Unit> {
        self.units.get(&self.lun)
    }

    /// Whether the addressed LUN belongs to the controller that the command came to.
    pub(crate) fn owned(&self) -> bool {
        self.unit().is_some_and(|unit| unit.owner == self.controller())
    }

    /// Whether that controller is where the addressed LUN should be.
    pub(crate) fn preferred(&self) -> bool {
        self.unit().is_some_and(|unit| unit.preferred == self.controller())
    }
}

/// What a command does to ownership. The controller that it came to is the new owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// These LUNs move, if they are not there already.
    Take(Vec<Lun>),
}

/// Whether a medium access may proceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It may.
    Open,
    /// It may, and takes the LUN along.
    TakeOver,
    /// It may not.
    Shut(Sense),
}

/// Which values of a mode page are asked for (SPC-4 6.13.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageControl {
    Current,
    Changeable,
    Default,
    Saved,
}

/// A family of arrays.
pub(crate) trait Personality: Send + Sync + fmt::Debug {
    /// Its name, for messages.
    fn name(&self) -> &'static str;

    /// Refuses an array that this family does not make.
    fn check(&self, config: &ArrayConfig) -> Result<(), ConfigError>;

    /// The highest number that a LUN can have.
    fn max_lun(&self) -> u16;

    /// The company identifier (OUI) in the names of its LUNs.
    fn maker(&self) -> [u8; 3];

    /// Adds to the standard INQUIRY data of a mapped LUN (SPC-4 6.6.2) what is particular to the
    /// family, such as target port groups or vendor-specific bytes. The length in byte 4 is set
    /// afterwards.
    fn standard_inquiry(&self, site: &Site<'_>, data: &mut Vec<u8>) {
        let _ = (site, data);
    }

    /// Designators of a mapped LUN for VPD page 83h (SPC-4 7.8.6), behind those that every array
    /// has: the LUN's name and the relative target port.
    fn designators(&self, site: &Site<'_>) -> Vec<u8> {
        let _ = site;
        Vec::new()
    }

    /// The vendor-specific VPD pages of a mapped LUN.
    fn vpd_pages(&self) -> &'static [u8] {
        &[]
    }

    /// Those that answer for a LUN that is not mapped, too.
    fn vpd_pages_unmapped(&self) -> &'static [u8] {
        &[]
    }

    /// What follows the four-byte header of one of those pages.
    fn vpd_page(&self, site: &Site<'_>, page: u8) -> Vec<u8> {
        let _ = (site, page);
        Vec::new()
    }

    /// What a mapped LUN answers to an operation in place of carrying it out, because of the state
    /// that its controller is in or because it is the wrong one. What is about medium accesses only
    /// is the business of [`Personality::medium_access`].
    fn not_ready(&self, site: &Site<'_>, op: &Operation) -> Option<Sense>;

    /// Whether a medium access may proceed.
    fn medium_access(&self, site: &Site<'_>) -> Gate;

    /// Whether the personality judges by itself what an operation may do to a LUN that another nexus
    /// has reserved, so that the array does not forbid it.
    fn judges_reservations(&self, op: &Operation) -> bool {
        let _ = op;
        false
    }

    /// What START STOP UNIT does (SBC-3 5.25). A LUN of an array has no spindle to start or to stop,
    /// and no power conditions.
    fn start_stop(&self, site: &Site<'_>, cdb: &[u8]) -> Result<Effect, Sense> {
        let _ = site;
        let (power_condition, eject) = (cdb[4] & 0xf0, cdb[4] & 0x02);
        if power_condition | eject == 0 { Ok(Effect::None) } else { Err(Sense::cdb_field(4)) }
    }

    /// Its mode pages: page and subpage codes.
    fn mode_pages(&self) -> &'static [(u8, u8)] {
        &[]
    }

    /// One of those mode pages, with its header.
    fn mode_page(&self, site: &Site<'_>, page: u8, subpage: u8, control: PageControl) -> Vec<u8> {
        let _ = (site, page, subpage, control);
        Vec::new()
    }

    /// Takes one of those mode pages, with its header and of the right length. An error names the
    /// byte of the page that is at fault.
    fn mode_select(&self, site: &Site<'_>, page: &[u8]) -> Result<Effect, u16> {
        let _ = (site, page);
        Ok(Effect::None)
    }
}
