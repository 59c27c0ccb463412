//! `[[array.captured]]`: INQUIRY data and port groups from a real array. Refuses data that is not a response
//! to the command, and data that could harm a kernel.

use std::ops::Range;

use sansim_array::{
    CapturedGroups, CapturedPage, ControllerId, HbaId, InquiryPage, Lun, Nexus, NexusPattern,
    PersonalityConfig, PortId, PortNumbers,
};

use crate::{
    Diagnostic, MAX_FILE, beside,
    check::{Checker, in_words},
    form::{Name, name, table},
    hex_dump,
    names::{CapturedName, PageName},
    nexuses::To,
    value::At,
};

table! {
    /// A page of INQUIRY data, or an answer to REPORT TARGET PORT GROUPS, captured from a real array and
    /// returned instead of the emulated one.
    pub(super) struct Captured, "a table such as { page = \"c9\", file = \"c9.hex\" }" {
        /// The page: "standard", the code of a VPD page in hexadecimal, such as "c9", or "rtpg" for the
        /// answer to REPORT TARGET PORT GROUPS.
        page: Name<CapturedName>,
        /// The whole page as a dump, as sg3_utils (`--hex`), `hexdump`, `xxd` and `od` print it.
        hex: Option<At<String>>,
        /// Instead of `hex`: a file in the scenario's directory with such a dump, or with the bytes
        /// themselves, as in `/sys/block/sda/device/vpd_pg83`.
        file: Option<At<String>>,
        /// The HBA to which the page is returned. Default: all.
        hba: Option<At<u64>>,
        /// The controller that returns the page. Default: all.
        controller: Option<Name<ControllerId>>,
        /// The port that returns the page. Default: all.
        port: Option<Name<PortId>>,
        /// The LUN for which the page is returned. Default: all.
        lun: Option<At<u64>>,
        /// Whether even the fields that identify the LUN, the answering port and controller, the owner
        /// of the LUN and its access states stay as captured. Otherwise the array fills them in. Default:
        /// false.
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

    /// The validated answer. `scenario` is the path of the scenario file.
    pub(super) fn check(
        &self,
        scenario: &str,
        personality: &PersonalityConfig,
        checker: &mut Checker<'_>,
    ) -> Option<Meant> {
        let table = self;
        let (raw, span) = raw(scenario, table, checker)?;
        let what = table.page.0;
        // Of several readings, the one is meant that is as long as it says.
        let fits = |bytes: &[u8]| form(what, bytes) == Ok(bytes.len()) && is_usual(what, bytes);
        let read = hex_dump::bytes(&raw, fits).and_then(|bytes| match fits(&bytes) {
            true => Ok(bytes),
            false => {
                hex_dump::bytes(&raw, |bytes| form(what, bytes).is_ok() && is_usual(what, bytes))
            }
        });
        let mut bytes = match read {
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
        let frozen = table.frozen.unwrap_or(false);
        match form(what, &bytes) {
            Ok(length) => bytes.truncate(length),
            Err(why) => checker.report(&span, Diagnostic::error(why)),
        }
        let CapturedName::Inquiry(page) = what else {
            return CapturedGroups::new(to, lun, &bytes, frozen).ok().map(Meant::Groups);
        };
        if let Err(why) = harmless(page, &bytes, personality)
            && !table.force.unwrap_or(false)
        {
            let problem = format!("page {} would hurt the guest: {why}", PageName(page));
            checker.refuse(&span, problem, "write force = true if that is what you want");
        }
        Some(Meant::Page(CapturedPage { page, to, lun, bytes, frozen }))
    }

    /// Reports what a page or an answer says of a port other than the array does. `ports` are the numbers
    /// that the array has.
    pub(super) fn agrees(&self, meant: &Meant, ports: &[PortNumbers], checker: &mut Checker<'_>) {
        let wrong = match meant {
            Meant::Page(page) if page.frozen => {
                let (relative, group) = page.port_numbers();
                let told = |port: &&PortNumbers| {
                    page.to.matches(Nexus { hba: page.to.hba.unwrap_or(HbaId(0)), port: port.port })
                        && (relative.is_some_and(|it| it != port.relative)
                            || group.is_some_and(|it| port.group.is_some_and(|own| own != it)))
                };
                ports
                    .iter()
                    .find(told)
                    .map(|port| format!("it says {}, and {}", numbers(relative, group), own(port)))
            }
            Meant::Page(_) => None,
            Meant::Groups(captured) => {
                let groups = captured.groups();
                let there = |port: &PortNumbers| {
                    groups.iter().any(|group| {
                        Some(group.group) == port.group && group.ports.contains(&port.relative)
                    })
                };
                let missing = ports.iter().find(|port| port.group.is_some() && !there(port));
                missing.map(|port| {
                    let groups = groups
                        .iter()
                        .map(|it| format!("group {} with {}", it.group, in_words(it.ports.iter())));
                    format!("it has {}, and {}", in_words(groups), own(port))
                })
            }
        };
        if let Some(wrong) = wrong {
            let help = "give the ports these numbers, by relative_ports in [array] and groups or \
                        first_group in [array.alua]; a page that is not frozen says of each port what \
                        it is";
            checker.refuse(&self.span, format!("ports and port groups disagree: {wrong}"), help);
        }
    }
}

/// What a captured answer means.
pub(super) enum Meant {
    Page(CapturedPage),
    Groups(CapturedGroups),
}

fn own(port: &PortNumbers) -> String {
    format!("port {} is {}", port.port, numbers(Some(port.relative), port.group))
}

fn numbers(relative: Option<u16>, group: Option<u16>) -> String {
    let relative = relative.map(|number| format!("relative target port {number}"));
    let group = group.map(|number| format!("in target port group {number}"));
    in_words(relative.into_iter().chain(group))
}

impl Captured {
    /// The table that would be read as this page.
    pub(super) fn of_page(page: &CapturedPage) -> Self {
        let what = CapturedName::Inquiry(page.page);
        Self::of(what, page.to, page.lun, &page.bytes, page.frozen)
    }

    /// The table that would be read as these groups.
    pub(super) fn of_groups(groups: &CapturedGroups) -> Self {
        let what = CapturedName::PortGroups;
        Self::of(what, groups.to, groups.lun, &groups.data(), groups.frozen)
    }

    fn of(
        what: CapturedName,
        to: NexusPattern,
        lun: Option<Lun>,
        bytes: &[u8],
        frozen: bool,
    ) -> Self {
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let To { hba, controller, port } = To::of(to);
        Captured {
            page: name(what),
            hex: Some(At::nowhere(hex.join(" "))),
            file: None,
            hba,
            controller,
            port,
            lun: lun.map(At::from),
            frozen: Some(frozen),
            // The page was accepted when it was first read, so it must be accepted again.
            force: Some(true),
        }
    }
}

/// The dump or the bytes, and their span: `hex`, or the file.
fn raw(
    scenario: &str,
    table: &At<Captured>,
    checker: &mut Checker<'_>,
) -> Option<(Vec<u8>, Range<usize>)> {
    match (&table.hex, &table.file) {
        (Some(hex), None) => Some((hex.value.clone().into_bytes(), hex.span.clone())),
        (None, Some(file)) => {
            let raw = beside::read_bytes(scenario, &file.value, MAX_FILE)
                .map_err(|why| checker.report(&file.span, Diagnostic::error(why)));
            Some((raw.ok()?, file.span.clone()))
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

/// Checks that the bytes have the format of this answer: header, page code and length. Returns the length:
/// what comes behind it is not part of the answer.
fn form(what: CapturedName, bytes: &[u8]) -> Result<usize, String> {
    let says = |says: usize| match says <= bytes.len() {
        true => Ok(says),
        false => Err(format!(
            "its length field makes it {says} bytes long, and it is {}: was it cut when it was captured?",
            bytes.len()
        )),
    };
    match (what, bytes) {
        (CapturedName::PortGroups, bytes) => {
            CapturedGroups::new(NexusPattern::ALL, None, bytes, false).map(|_| bytes.len())
        }
        (CapturedName::Inquiry(InquiryPage::Standard), bytes)
            if bytes.len() < SHORTEST_STANDARD =>
        {
            Err(format!("standard INQUIRY data has {SHORTEST_STANDARD} bytes or more"))
        }
        (CapturedName::Inquiry(InquiryPage::Standard), bytes) => says(usize::from(bytes[4]) + 5),
        (CapturedName::Inquiry(InquiryPage::Vpd(code)), [_, own, high, low, ..])
            if *own == code =>
        {
            says(usize::from(u16::from_be_bytes([*high, *low])) + 4)
        }
        (CapturedName::Inquiry(InquiryPage::Vpd(_)), [_, own, ..]) => {
            Err(format!("by its second byte it is page {own:02x}h"))
        }
        (CapturedName::Inquiry(InquiryPage::Vpd(_)), _) => {
            Err("a VPD page has a header of four bytes".to_owned())
        }
    }
}

/// Whether the bytes look as they do on any disk of today: the RESPONSE DATA FORMAT field of standard INQUIRY
/// data is 2. A dump whose words were read in the wrong order has another byte there.
fn is_usual(what: CapturedName, bytes: &[u8]) -> bool {
    what != CapturedName::Inquiry(InquiryPage::Standard)
        || bytes.get(3).is_some_and(|byte| byte & 0x0f == 2)
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

#[cfg(test)]
mod tests;
