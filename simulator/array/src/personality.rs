//! The interface of a family of arrays: how it identifies itself, and which command moves a LUN.
//!
//! A personality inspects the array through a [`Site`] and returns what should happen. The array
//! carries it out. Therefore no personality can leave a LUN with two owners or none.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    access_state::{AccessState, PortGroupView},
    controller::{Controller, ControllerState},
    error::ConfigError,
    identity::Identity,
    ids::{ControllerId, Lun, Nexus, PortId},
    inquiry_page::{CapturedPage, InquiryPage},
    operation::{Kind, Operation},
    port_groups::CapturedGroups,
    sense::Sense,
    target::Target,
    unit::Unit,
};

/// The array from the point of view of one command.
pub(crate) struct Site<'a> {
    pub(crate) nexus: Nexus,
    /// The number by which the nexus addresses the LUN, mapped or not.
    pub(crate) lun: Lun,
    /// The LUN that the nexus sees under that number.
    pub(crate) addressed: Option<&'a Unit>,
    /// Every LUN by its own number, whether the nexus sees it or not.
    pub(crate) units: &'a BTreeMap<Lun, Unit>,
    pub(crate) target: Target,
    pub(crate) controllers: &'a [Controller],
    pub(crate) identity: &'a Identity,
    pub(crate) captured: &'a [CapturedPage],
    pub(crate) captured_groups: &'a [CapturedGroups],
    pub(crate) personality: &'a dyn Personality,
}

impl<'a> Site<'a> {
    /// The controller that received the command.
    pub(crate) fn controller(&self) -> ControllerId {
        self.nexus.port.controller
    }

    /// The array from the point of view of a command that this controller has received.
    pub(crate) fn seen_by(&self, controller: ControllerId) -> Site<'a> {
        let port = PortId { controller, ..self.nexus.port };
        Site { nexus: Nexus { port, ..self.nexus }, ..*self }
    }

    /// The state of the controller that received the command; online if the controller does not
    /// exist.
    pub(crate) fn own_state(&self) -> ControllerState {
        self.state(self.controller()).unwrap_or(ControllerState::Online)
    }

    /// The state of a controller; `None` if it does not exist.
    pub(crate) fn state(&self, controller: ControllerId) -> Option<ControllerState> {
        Some(self.controllers.get(controller.index())?.state)
    }

    /// The addressed LUN; `None` if it is not mapped, or masked for the nexus.
    pub(crate) fn unit(&self) -> Option<&'a Unit> {
        self.addressed
    }

    /// The LUNs that the nexus sees, each with the number by which the nexus addresses it, in the order
    /// of these numbers.
    pub(crate) fn inventory(&self) -> Vec<(Lun, &'a Unit)> {
        let seen = self.units.values().filter_map(|unit| Some((unit.number(self.nexus)?, unit)));
        let mut seen: Vec<_> = seen.collect();
        seen.sort_unstable_by_key(|(number, _)| *number);
        seen
    }

    /// The LUN that the nexus sees under a number.
    pub(crate) fn seen_as(&self, number: Lun) -> Option<&'a Unit> {
        self.units.values().find(|unit| unit.number(self.nexus) == Some(number))
    }

    /// The captured target port groups that are reported for the addressed LUN, if there are any. If
    /// several entries apply, the first is used.
    pub(crate) fn captured_groups(&self) -> Option<&'a CapturedGroups> {
        let own = self.unit()?.lun;
        self.captured_groups.iter().find(|captured| {
            captured.to.matches(self.nexus) && captured.lun.is_none_or(|lun| lun == own)
        })
    }

    /// Whether the command addresses what answers in place of a LUN 0 that the nexus does not see.
    pub(crate) fn is_lunz(&self) -> bool {
        self.lun == Lun(0) && self.addressed.is_none()
    }

    /// Whether the controller that received the command owns the addressed LUN.
    pub(crate) fn owned(&self) -> bool {
        self.unit().is_some_and(|unit| self.owner_of(unit) == self.controller())
    }

    /// The owner of a LUN, as the controller that received the command sees it.
    pub(crate) fn owner_of(&self, unit: &Unit) -> ControllerId {
        if unit.split.is_some() { self.controller() } else { unit.owner }
    }

    /// Whether the controller that received the command is the preferred owner of the addressed
    /// LUN.
    pub(crate) fn preferred(&self) -> bool {
        self.unit().is_some_and(|unit| unit.preferred == self.controller())
    }
}

/// How a command changes ownership. The new owner is the controller that received the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The command does not change the ownership.
    None,
    /// These LUNs move to the controller, unless it owns them already.
    Take(Vec<Lun>),
    /// The states of target port groups and of ports of the addressed LUN change.
    Groups(GroupChange),
}

/// A change of the asymmetric access states of a LUN.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GroupChange {
    /// Explicit states of target port groups that are set or removed.
    pub(crate) states: Vec<(u16, Option<AccessState>)>,
    /// The ports that enter or leave the secondary state offline.
    pub(crate) offline: Vec<(PortId, bool)>,
    /// The controller to which the LUN moves afterwards.
    pub(crate) to: Option<ControllerId>,
}

/// Whether a medium access may proceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// The access may proceed.
    Open,
    /// The access may proceed, and moves the LUN to the controller.
    TakeOver,
    /// The access is answered with this sense.
    Shut(Sense),
}

/// Why MODE SELECT of a page fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageError {
    /// The field at this offset in the page is invalid.
    Field(u16),
    /// The page is valid, but is answered with this sense.
    Refused(Sense),
    /// Another nexus has reserved the LUN.
    Reserved,
}

/// The PC field of MODE SENSE: which values of a mode page are requested (SPC-4 6.13.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageControl {
    Current,
    Changeable,
    Default,
    Saved,
}

pub(crate) trait Personality {
    /// The name of the family, for error messages.
    fn name(&self) -> &'static str;

    /// The Linux device handler that attaches, without the prefix `scsi_dh_`; `none` if no handler
    /// does.
    fn handler(&self) -> &'static str;

    /// The default identity. Its vendor and product are in the kernel's table
    /// (scsi_dh:scsi_dh_blist), unless the device handler attaches by TPGS.
    fn identity(&self) -> Identity;

    /// The maximum number of controllers. In most families, a controller knows one alternate
    /// controller.
    fn most_controllers(&self) -> u8 {
        2
    }

    /// Refuses combinations of traits that this family does not support in an array with these
    /// controllers.
    fn check(&self, controllers: &[Controller]) -> Result<(), ConfigError> {
        let _ = controllers;
        Ok(())
    }

    /// The highest supported LUN number.
    fn max_lun(&self) -> u16;

    /// Whether a controller that does not own a LUN also serves its medium accesses, without taking
    /// ownership.
    fn others_serve(&self) -> bool {
        false
    }

    /// The company identifier (OUI) in the names of the LUNs.
    fn maker(&self) -> [u8; 3];

    /// Adds the family-specific part of the standard INQUIRY data of a mapped LUN (SPC-4 6.6.2),
    /// such as TPGS or vendor-specific bytes. The caller updates the length in byte 4.
    fn standard_inquiry(&self, site: &Site<'_>, data: &mut Vec<u8>) {
        let _ = (site, data);
    }

    /// Whether VPD page 83h contains the designator of the LUN.
    fn names_luns(&self) -> bool {
        true
    }

    /// Additional designators of a mapped LUN for VPD page 83h (SPC-4 7.8.6). They follow the LUN's
    /// name and the relative target port identifier, which every array reports.
    fn designators(&self, site: &Site<'_>) -> Vec<u8> {
        let _ = site;
        Vec::new()
    }

    /// Whether this family supports an operation.
    fn supports(&self, op: &Operation) -> bool {
        !matches!(op.kind, Kind::ReportTargetPortGroups | Kind::SetTargetPortGroups)
    }

    /// The identifier of the target port group that contains a port (SPC-4 6.37); `None` if the array
    /// reports no groups.
    fn port_group(&self, controllers: &[Controller], port: PortId) -> Option<u16> {
        let _ = (controllers, port);
        None
    }

    /// How long it takes a LUN to move to another controller. During that time, [`Unit::moving`] is
    /// set.
    fn transition(&self) -> Duration {
        Duration::ZERO
    }

    /// The sense for the command that started a move which is not complete yet.
    fn on_its_way(&self) -> Option<Sense> {
        None
    }

    /// The unit attention that reports a change of ownership to all nexuses except the requesting
    /// one.
    fn owner_changed(&self) -> Option<Sense> {
        None
    }

    /// The unit attention that reports a failed transition; `None` if the transition succeeds. `by`
    /// is the nexus that requested the move, or `None` if the array started it.
    fn transition_failed(&self, by: Option<Nexus>) -> Option<Sense> {
        let _ = by;
        None
    }

    /// The codes of the vendor-specific VPD pages of a mapped LUN.
    fn vpd_pages(&self) -> &'static [u8] {
        &[]
    }

    /// The codes of the vendor-specific VPD pages that are also available for an unmapped LUN.
    fn vpd_pages_unmapped(&self) -> &'static [u8] {
        &[]
    }

    /// A vendor-specific VPD page without its four-byte header.
    fn vpd_page(&self, site: &Site<'_>, page: u8) -> Vec<u8> {
        let _ = (site, page);
        Vec::new()
    }

    /// The bits of a page that a captured page must not freeze, as offsets and masks. They identify
    /// the LUN, the responding controller and the current owner.
    fn live_bits(&self, page: InquiryPage) -> Vec<(usize, u8)> {
        let _ = page;
        Vec::new()
    }

    /// The sense for an operation on a mapped LUN that is refused because of the controller's state
    /// or because of the ownership. [`Personality::medium_access`] handles what concerns only
    /// medium accesses.
    fn not_ready(&self, site: &Site<'_>, op: &Operation) -> Option<Sense>;

    /// Whether a medium access may proceed.
    fn medium_access(&self, site: &Site<'_>) -> Gate;

    /// Whether the personality checks reservations for an operation itself. The array then does not
    /// check them.
    fn judges_reservations(&self, op: &Operation) -> bool {
        let _ = op;
        false
    }

    /// The effect of START STOP UNIT (SBC-3 5.25) beyond that it starts or stops the LUN. By default there
    /// is none: a LUN of an array has no power conditions and nothing to eject.
    fn start_stop(&self, site: &Site<'_>, cdb: &[u8]) -> Result<Effect, Sense> {
        let _ = site;
        let (power_condition, eject) = (cdb[4] & 0xf0, cdb[4] & 0x02);
        if power_condition | eject == 0 { Ok(Effect::None) } else { Err(Sense::cdb_field(4)) }
    }

    /// The target port groups for a LUN, each as its own ports report it.
    fn group_views(&self, site: &Site<'_>, unit: &Unit) -> Vec<PortGroupView> {
        let _ = (site, unit);
        Vec::new()
    }

    /// The parameter data of REPORT TARGET PORT GROUPS (SPC-4 6.37) for a mapped LUN.
    fn report_port_groups(&self, site: &Site<'_>, cdb: &[u8]) -> Result<Vec<u8>, Sense> {
        let _ = (site, cdb);
        Err(Sense::INVALID_OPCODE)
    }

    /// Evaluates the parameter list of SET TARGET PORT GROUPS (SPC-4 6.45).
    fn set_port_groups(&self, site: &Site<'_>, list: &[u8]) -> Result<Effect, Sense> {
        let _ = (site, list);
        Err(Sense::INVALID_OPCODE)
    }

    /// The page codes and subpage codes of the family's mode pages.
    fn mode_pages(&self) -> &'static [(u8, u8)] {
        &[]
    }

    /// A mode page of the family, with its header.
    fn mode_page(&self, site: &Site<'_>, page: u8, subpage: u8, control: PageControl) -> Vec<u8> {
        let _ = (site, page, subpage, control);
        Vec::new()
    }

    /// Whether MODE SELECT accepts a page with this length in bytes, header included, in addition
    /// to the length that MODE SENSE returns.
    fn takes_length(&self, page: u8, len: usize) -> bool {
        let _ = (page, len);
        false
    }

    /// Evaluates a mode page of the family in MODE SELECT. The header and the length are already
    /// checked.
    fn mode_select(&self, site: &Site<'_>, page: &[u8]) -> Result<Effect, PageError> {
        let _ = (site, page);
        Ok(Effect::None)
    }
}
