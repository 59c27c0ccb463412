//! How a family of arrays identifies itself and is told to move a LUN.
//!
//! A personality looks at the array through a [`Site`] and says what should happen; the array does
//! it. So no personality can leave a LUN with two owners or none.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    access_state::AccessState,
    controller::{Controller, ControllerState},
    error::ConfigError,
    identity::Identity,
    ids::{ControllerId, Lun, Nexus},
    inquiry_page::{CapturedPage, InquiryPage},
    operation::{Kind, Operation},
    sense::Sense,
    unit::Unit,
};

/// The array as one command sees it.
pub(crate) struct Site<'a> {
    pub(crate) nexus: Nexus,
    /// The addressed LUN, mapped or not.
    pub(crate) lun: Lun,
    pub(crate) units: &'a BTreeMap<Lun, Unit>,
    pub(crate) controllers: &'a [Controller],
    pub(crate) identity: &'a Identity,
    pub(crate) captured: &'a [CapturedPage],
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

    /// The addressed LUN, if it is mapped.
    pub(crate) fn unit(&self) -> Option<&'a Unit> {
        self.units.get(&self.lun)
    }

    /// Whether the addressed LUN belongs to the controller that the command came to.
    pub(crate) fn owned(&self) -> bool {
        self.unit().is_some_and(|unit| self.owner_of(unit) == self.controller())
    }

    /// Who owns a LUN, in the eyes of the controller that the command came to.
    pub(crate) fn owner_of(&self, unit: &Unit) -> ControllerId {
        if unit.split.is_some() { self.controller() } else { unit.owner }
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
    /// Target port groups of the addressed LUN get states of their own, or lose them; after that
    /// the LUN moves to the controller, if one is named.
    Groups(Vec<(u16, Option<AccessState>)>, Option<ControllerId>),
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

/// Why a mode page is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageError {
    /// This byte of it is at fault.
    Field(u16),
    /// Nothing is wrong with it, but it is answered with this.
    Refused(Sense),
    /// Another nexus has reserved the LUN.
    Reserved,
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
pub(crate) trait Personality {
    /// Its name, for messages.
    fn name(&self) -> &'static str;

    /// The Linux device handler that attaches to it, without `scsi_dh_`; `none` if there is none.
    fn handler(&self) -> &'static str;

    /// What it calls itself unless it is told otherwise. The kernel's table (scsi_dh:scsi_dh_blist)
    /// has vendor and product, or else the handler attaches by TPGS.
    fn identity(&self) -> Identity;

    /// The most controllers that it has. Most families know one alternate controller, and tell two apart.
    fn most_controllers(&self) -> u8 {
        2
    }

    /// Refuses traits that this family does not make.
    fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    /// The highest number that a LUN can have.
    fn max_lun(&self) -> u16;

    /// Whether a controller that does not own a LUN carries out its medium accesses, too, without
    /// taking it.
    fn others_serve(&self) -> bool {
        false
    }

    /// The company identifier (OUI) in the names of its LUNs.
    fn maker(&self) -> [u8; 3];

    /// Adds to the standard INQUIRY data of a mapped LUN (SPC-4 6.6.2) what is particular to the
    /// family, such as target port groups or vendor-specific bytes. The length in byte 4 is set
    /// afterwards.
    fn standard_inquiry(&self, site: &Site<'_>, data: &mut Vec<u8>) {
        let _ = (site, data);
    }

    /// Whether VPD page 83h names the LUN.
    fn names_luns(&self) -> bool {
        true
    }

    /// Designators of a mapped LUN for VPD page 83h (SPC-4 7.8.6), behind those that every array
    /// has: the LUN's name and the relative target port.
    fn designators(&self, site: &Site<'_>) -> Vec<u8> {
        let _ = site;
        Vec::new()
    }

    /// Whether it carries out an operation of the table at all.
    fn supports(&self, op: &Operation) -> bool {
        !matches!(op.kind, Kind::ReportTargetPortGroups | Kind::SetTargetPortGroups)
    }

    /// The identifiers of its target port groups (SPC-4 6.37).
    fn port_groups(&self, controllers: &[Controller]) -> Vec<u16> {
        let _ = controllers;
        Vec::new()
    }

    /// How long a LUN is on its way to another controller; [`Unit::moving`] tells.
    fn transition(&self) -> Duration {
        Duration::ZERO
    }

    /// What the command that sent a LUN on its way is answered while it is.
    fn on_its_way(&self) -> Option<Sense> {
        None
    }

    /// The unit attention by which the nexuses that did not ask for it learn that a LUN has changed
    /// hands.
    fn owner_changed(&self) -> Option<Sense> {
        None
    }

    /// The unit attention by which nexuses learn that a LUN does not get to the controller that it was on
    /// its way to, sent by this nexus or by the array itself. None: it does.
    fn transition_failed(&self, by: Option<Nexus>) -> Option<Sense> {
        let _ = by;
        None
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

    /// What a captured page must not freeze: offset and bits of what tells which LUN it is, which
    /// controller tells it, and who owns the LUN.
    fn live_bits(&self, page: InquiryPage) -> Vec<(usize, u8)> {
        let _ = page;
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

    /// The parameter data of REPORT TARGET PORT GROUPS (SPC-4 6.37) for a mapped LUN.
    fn report_port_groups(&self, site: &Site<'_>, cdb: &[u8]) -> Result<Vec<u8>, Sense> {
        let _ = (site, cdb);
        Err(Sense::INVALID_OPCODE)
    }

    /// Takes the parameter list of SET TARGET PORT GROUPS (SPC-4 6.45).
    fn set_port_groups(&self, site: &Site<'_>, list: &[u8]) -> Result<Effect, Sense> {
        let _ = (site, list);
        Err(Sense::INVALID_OPCODE)
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

    /// Whether MODE SELECT takes one of those pages in this length, header included, besides that in
    /// which MODE SENSE tells it.
    fn takes_length(&self, page: u8, len: usize) -> bool {
        let _ = (page, len);
        false
    }

    /// Takes one of those mode pages, with its header and of a length that it can have.
    fn mode_select(&self, site: &Site<'_>, page: &[u8]) -> Result<Effect, PageError> {
        let _ = (site, page);
        Ok(Effect::None)
    }
}
