//! VPD page C0h, the unit path report of the CLARiiON line, which the families emc and alua have. Offsets in
//! this file include the page header.

use crate::{
    controller::ControllerState, encoding::put_text, inquiry_page::InquiryPage, personality::Site,
};

pub(super) const PAGE: u8 = 0xc0;

const HEADER: usize = 4;
const LEN: usize = 128;

/// The offsets of the fields that Linux (emc:parse_sp_info_reply), the emc_clariion checker and
/// prioritizer of multipath-tools, and sg_vpd read.
mod at {
    /// 0: unbound; 1: bound, but not owned by this storage processor; 2: owned.
    pub(super) const LUN_STATE: usize = 4;
    pub(super) const DEFAULT_SP: usize = 5;
    pub(super) const FLAGS: usize = 6;
    pub(super) const PORT: usize = 7;
    pub(super) const THIS_SP: usize = 8;
    pub(super) const WWN: usize = 10;
    pub(super) const INITIATOR_TYPE: usize = 27;
    pub(super) const FAILOVER_MODE: usize = 28;
    pub(super) const ARRAY_OPTIONS: usize = 30;
    /// Nonzero during a firmware upgrade (NDU).
    pub(super) const UPGRADE: usize = 48;
    /// A length byte, followed by the array's serial number.
    pub(super) const SERIAL: usize = 49;
}

const BOUND: u8 = 0x01;
const OWNED: u8 = 0x02;
/// The array uses Access Logix, which maps LUNs to hosts.
const ACCESS_LOGIX: u8 = 0x40;
/// The initiator type that the emc_clariion checker expects in the host's registration.
const LINUX_INITIATOR: u8 = 0x03;
const ARRAY_COMM_PATH: u8 = 0x04;

/// The page without its header. `failover_mode` is that of the host's registration.
pub(super) fn page(failover_mode: u8, site: &Site<'_>) -> Vec<u8> {
    let mut page = [0; LEN];
    if let Some(unit) = site.unit() {
        page[at::LUN_STATE] = if site.owned() { OWNED } else { BOUND };
        page[at::DEFAULT_SP] = site.slot(unit.preferred);
        page[at::WWN..][..16].copy_from_slice(&unit.name);
    }
    page[at::FLAGS] = ACCESS_LOGIX;
    page[at::PORT] = site.nexus.port.index;
    page[at::THIS_SP] = site.slot(site.controller());
    page[at::INITIATOR_TYPE] = LINUX_INITIATOR;
    page[at::FAILOVER_MODE] = failover_mode;
    page[at::ARRAY_OPTIONS] = ARRAY_COMM_PATH;
    page[at::UPGRADE] = upgrading(site).into();
    let serial = &site.identity.serial;
    page[at::SERIAL] = serial.len() as u8;
    put_text(&mut page[at::SERIAL + 1..][..serial.len()], serial);
    page[HEADER..].to_vec()
}

/// Whether a firmware upgrade (NDU) is in progress. One storage processor is upgraded at a time,
/// and no LUN moves meanwhile.
pub(super) fn upgrading(site: &Site<'_>) -> bool {
    site.mates().any(|(_, controller)| controller.state == ControllerState::Upgrading)
}

/// See [`crate::personality::Personality::live_bits`]. The live bytes are the LUN state, the ports,
/// the LUN's name and the upgrade byte.
pub(super) fn live_bits(page: InquiryPage) -> Vec<(usize, u8)> {
    let InquiryPage::Vpd(PAGE) = page else { return Vec::new() };
    let single = [at::LUN_STATE, at::DEFAULT_SP, at::PORT, at::THIS_SP, at::UPGRADE];
    single.into_iter().chain(at::WWN..at::WWN + 16).map(|offset| (offset, 0xff)).collect()
}
