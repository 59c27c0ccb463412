//! `[[array.captured]]`: INQUIRY data from a real array: what would not be an answer to INQUIRY, and what would
//! hurt a kernel.

use std::ops::Range;

use sansim_array::{CapturedPage, ControllerId, InquiryPage, Lun, PersonalityConfig};

use crate::{
    Diagnostic, MAX_FILE, beside,
    check::Checker,
    form::{Name, name, table},
    hex_dump,
    names::PageName,
    value::At,
};

table! {
    /// A page of INQUIRY data that was captured from a real array, and is told instead of the
    /// personality's.
    pub(super) struct Captured, "a table such as { page = \"c9\", file = \"c9.hex\" }" {
        /// Which: "standard", or the code of a VPD page in hexadecimal, such as "c9".
        page: Name<PageName>,
        /// The whole page in hexadecimal, as `sg_inq --hex` and `sg_vpd --hex` print it; offsets and text
        /// beside it are skipped.
        hex: Option<At<String>>,
        /// A file with that instead, beside the scenario.
        file: Option<At<String>>,
        /// The controller that tells it. Default: all.
        controller: Option<Name<ControllerId>>,
        /// The LUN it is told of. Default: all.
        lun: Option<At<u64>>,
        /// Whether even the bits stay as captured that say which LUN it is, which controller tells it and
        /// who owns the LUN. Default: false.
        frozen: Option<bool>,
        /// Whether it is told although a kernel would come to grief over it. Default: false.
        force: Option<bool>,
    }
}

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

impl At<Captured> {
    /// The page. `scenario` is the scenario's file.
    pub(super) fn check(
        &self,
        scenario: &str,
        personality: &PersonalityConfig,
        checker: &mut Checker<'_>,
    ) -> Option<CapturedPage> {
        let table = self;
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
}

impl Captured {
    /// The way back.
    pub(super) fn of(page: &CapturedPage) -> Self {
        let hex: Vec<String> = page.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Captured {
            page: name(PageName(page.page)),
            hex: Some(At::nowhere(hex.join(" "))),
            file: None,
            controller: page.controller.map(name),
            lun: page.lun.map(At::from),
            frozen: Some(page.frozen),
            // It was taken when it was checked first.
            force: Some(true),
        }
    }
}

/// The dump and where it stands.
fn text(
    scenario: &str,
    table: &At<Captured>,
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
