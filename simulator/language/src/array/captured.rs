//! `[[array.captured]]`: INQUIRY data from a real array. Refuses data that is not a response to
//! INQUIRY, and data that could harm a kernel.

use std::ops::Range;

use sansim_array::{
    CapturedPage, ControllerId, InquiryPage, Lun, PersonalityConfig, PortId,
};

use crate::{
    Diagnostic, MAX_FILE, beside,
    check::Checker,
    form::{Name, name, table},
    hex_dump,
    names::PageName,
    step::To,
    value::At,
};

table! {
    /// A page of INQUIRY data captured from a real array, returned instead of the personality's
    /// page.
    pub(super) struct Captured, "a table such as { page = \"c9\", file = \"c9.hex\" }" {
        /// The page: "standard", or the code of a VPD page in hexadecimal, such as "c9".
        page: Name<PageName>,
        /// The whole page in hexadecimal, as `sg_inq --hex` and `sg_vpd --hex` print it. Offsets
        /// and the text column are ignored.
        hex: Option<At<String>>,
        /// Instead of `hex`: a file with the same contents, in the scenario's directory.
        file: Option<At<String>>,
        /// The HBA to which the page is returned. Default: all.
        hba: Option<At<u64>>,
        /// The controller that returns the page. Default: all.
        controller: Option<Name<ControllerId>>,
        /// The port that returns the page. Default: all.
        port: Option<Name<PortId>>,
        /// The LUN for which the page is returned. Default: all.
        lun: Option<At<u64>>,
        /// Whether even the fields that identify the LUN, the answering controller and the owner of
        /// the LUN stay as captured. Otherwise the array fills them in. Default: false.
        frozen: Option<bool>,
        /// Whether the page is used although a kernel could crash or misbehave when it reads the
        /// page. Default: false.
        force: Option<bool>,
    }
}

/// The shortest standard INQUIRY data (SPC-4 6.6.2) that Linux can parse, in bytes.
const SHORTEST_STANDARD: usize = 36;
/// The longest standard INQUIRY data, in bytes: scsi_scan.c:scsi_probe_lun uses an allocation
/// length of at most 255. If the data claims to be longer, it reads only 36 bytes.
const LONGEST_STANDARD: usize = 255;
/// The number of page codes in VPD page 00h that scsi.c:scsi_get_vpd_size reads.
const PAGE_CODES: usize = 32;
/// The size in bytes of the array identifier buffer of scsi_dh_rdac.c:get_lun_info.
const ARRAY_ID: u8 = 16;
/// The shortest data, in bytes, that scsi_dh_emc.c:parse_sp_model can parse: a serial number and a
/// model of one character each after byte 160.
const SHORTEST_WITH_MODEL: usize = 164;

impl At<Captured> {
    /// Reports paths that are not there, once the HBAs are known.
    pub(super) fn check_paths(&self, checker: &mut Checker<'_>) {
        let (hba, controller) = (self.hba.as_ref(), self.controller.as_ref());
        checker.seen(hba, controller, self.port.as_ref(), &self.span);
    }

    /// The validated page. `scenario` is the path of the scenario file.
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
        let (hba, port) = (table.hba.as_ref(), table.port.as_ref());
        let to = checker.nexuses(hba, table.controller.as_ref(), port, &table.span);
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
        Some(CapturedPage { page, to, lun, bytes, frozen: table.frozen.unwrap_or(false) })
    }
}

impl Captured {
    /// The table that would be read as this page.
    pub(super) fn of(page: &CapturedPage) -> Self {
        let hex: Vec<String> = page.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let To { hba, controller, port } = To::of(page.to);
        Captured {
            page: name(PageName(page.page)),
            hex: Some(At::nowhere(hex.join(" "))),
            file: None,
            hba,
            controller,
            port,
            lun: page.lun.map(At::from),
            frozen: Some(page.frozen),
            // The page was accepted when it was first read, so it must be accepted again.
            force: Some(true),
        }
    }
}

/// The hexadecimal dump and its span: the text of `hex`, or of the file.
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

/// Checks that the bytes have the format of this page: header, page code and length.
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

/// Checks that kernels can parse the page safely.
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
