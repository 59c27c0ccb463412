//! `[[array.captured]]`: what would not be an answer to INQUIRY, and what would hurt a kernel.

use std::ops::Range;

use sansim_array::{CapturedPage, InquiryPage, Lun, PersonalityConfig};

use super::context::Checker;
use crate::lang::{
    Diagnostic, MAX_FILE, beside,
    file::{self, PageName},
    hex_dump,
    value::At,
};

/// The shortest standard data (SPC-4 6.6.2) that Linux makes sense of.
const SHORTEST_STANDARD: usize = 36;
/// scsi_scan.c:scsi_probe_lun asks with an allocation length of one byte, and takes data that says to be
/// longer for data of 36 bytes.
const LONGEST_STANDARD: usize = 255;
/// scsi.c:scsi_get_vpd_size looks at as many page codes.
const PAGE_CODES: usize = 32;
/// As many bytes as scsi_dh_rdac.c:get_lun_info has room for.
const ARRAY_ID: u8 = 16;
/// As far as scsi_dh_emc.c:parse_sp_model looks at the least: a serial number and a model of one
/// letter each behind byte 160.
const SHORTEST_WITH_MODEL: usize = 164;

/// The pages of an array. `scenario` is the scenario's file.
pub(super) fn resolve(
    scenario: &str,
    pages: &[At<file::Captured>],
    personality: &PersonalityConfig,
    checker: &mut Checker<'_>,
) -> Vec<CapturedPage> {
    pages.iter().filter_map(|page| one(scenario, page, personality, checker)).collect()
}

fn one(
    scenario: &str,
    table: &At<file::Captured>,
    personality: &PersonalityConfig,
    checker: &mut Checker<'_>,
) -> Option<CapturedPage> {
    let page = table.page.0.0;
    let (text, span) = text(scenario, table, checker)?;
    let bytes = match hex_dump::bytes(&text) {
        Ok(bytes) => bytes,
        Err(why) => {
            checker.report(&span, Diagnostic::error(why));
            return None;
        }
    };
    let controller = table.controller.as_ref().map(|given| checker.controller(given));
    let lun = table.lun.as_ref().and_then(|given| {
        let lun = u16::try_from(given.value).ok().filter(|lun| *lun <= checker.shape.max_lun);
        if lun.is_none() {
            checker.refuse(&given.span, "no LUN has this number", "write the number of a LUN");
        }
        lun.map(Lun)
    });
    if let Err(why) = form(page, &bytes) {
        checker.report(&span, Diagnostic::error(why));
    }
    if let Err(why) = harmless(page, &bytes, personality)
        && !table.force.unwrap_or(false)
    {
        let problem = format!("page {} would hurt the guest: {why}", PageName(page));
        checker.refuse(&span, problem, "write force = true if that is what you want");
    }
    Some(CapturedPage { page, controller, lun, bytes, frozen: table.frozen.unwrap_or(false) })
}

/// The dump and where it stands.
fn text(
    scenario: &str,
    table: &At<file::Captured>,
    checker: &mut Checker<'_>,
) -> Option<(String, Range<usize>)> {
    match (&table.hex, &table.file) {
        (Some(hex), None) => Some((hex.value.clone(), hex.span.clone())),
        (None, Some(file)) => {
            let text = beside::read(scenario, &file.value, MAX_FILE)
                .map_err(|why| checker.report(&file.span, Diagnostic::error(why)));
            Some((text.ok()?, file.span.clone()))
        }
        _ => {
            checker.refuse(
                &table.span,
                "a captured page has bytes",
                "write either `hex` or `file`",
            );
            None
        }
    }
}

/// Whether the bytes are such a page, by their own account.
fn form(page: InquiryPage, bytes: &[u8]) -> Result<(), String> {
    let says = |says: usize| match says == bytes.len() {
        true => Ok(()),
        false => Err(format!(
            "its length field makes it {says} bytes long, and it is {}: was it cut when it was captured?",
            bytes.len()
        )),
    };
    match (page, bytes) {
        (InquiryPage::Standard, bytes) if bytes.len() < SHORTEST_STANDARD => {
            Err(format!("standard INQUIRY data has {SHORTEST_STANDARD} bytes or more"))
        }
        (InquiryPage::Standard, bytes) => says(usize::from(bytes[4]) + 5),
        (InquiryPage::Vpd(code), [_, own, high, low, ..]) if *own == code => {
            says(usize::from(u16::from_be_bytes([*high, *low])) + 4)
        }
        (InquiryPage::Vpd(_), [_, own, ..]) => {
            Err(format!("by its second byte it is page {own:02x}h"))
        }
        (InquiryPage::Vpd(_), _) => Err("a VPD page has a header of four bytes".to_owned()),
    }
}

/// Whether kernels can be given it.
fn harmless(
    page: InquiryPage,
    bytes: &[u8],
    personality: &PersonalityConfig,
) -> Result<(), String> {
    match (page, personality) {
        (InquiryPage::Standard, PersonalityConfig::Emc(_))
            if bytes.len() > SHORTEST_STANDARD && bytes.len() < SHORTEST_WITH_MODEL =>
        {
            Err(format!(
                "scsi_dh_emc looks for a model up to byte {SHORTEST_WITH_MODEL} and beyond (parse_sp_model)"
            ))
        }
        (InquiryPage::Standard, _) if bytes.len() > LONGEST_STANDARD => Err(format!(
            "it is longer than {LONGEST_STANDARD} bytes, and Linux takes {SHORTEST_STANDARD} of it (scsi_probe_lun)"
        )),
        (InquiryPage::Vpd(0xc8), PersonalityConfig::Rdac(_))
            if bytes.get(89).is_some_and(|length| *length > ARRAY_ID) =>
        {
            Err(format!(
                "scsi_dh_rdac copies as many bytes as byte 89 says, {}, over a buffer of {ARRAY_ID} (get_lun_info)",
                bytes[89]
            ))
        }
        (InquiryPage::Vpd(0x00), _) if bytes.len() > 4 + PAGE_CODES => Err(format!(
            "Linux looks at {PAGE_CODES} page codes, and finds no others (scsi_get_vpd_size)"
        )),
        _ => Ok(()),
    }
}
