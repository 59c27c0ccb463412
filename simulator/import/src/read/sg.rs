//! Outputs of sg3_utils: decoded INQUIRY data, target port groups, and pages as bytes.

use std::sync::LazyLock;

use regex::Regex;
use sansim_language::hex_dump;

use crate::pattern::pattern;
use crate::{
    Text,
    facts::{Facts, Page, PortGroup},
};

static TPGS: LazyLock<Regex> = pattern!(r"\bTPGS=(\d)");

/// `sg_inq`: the TPGS field. Vendor, product and revision are in better places, if the report has maps or disks.
pub(super) fn inquiry(text: &str, facts: &mut Facts) {
    let tpgs = TPGS.captures(text).and_then(|found| found[1].parse().ok());
    facts.tpgs = facts.tpgs.or(tpgs.filter(|tpgs| *tpgs <= 3));
}

static GROUP: LazyLock<Regex> =
    pattern!(r"target port group id\s*:\s*0x(?P<id>[0-9a-fA-F]+)\s*,\s*Pref=(?P<pref>\d)");
static STATE: LazyLock<Regex> = pattern!(r"access state\s*:\s*0x(?P<state>[0-9a-fA-F]+)");
static PORT: LazyLock<Regex> = pattern!(r"^\s+0x(?P<port>[0-9a-fA-F]+)\s*$");

/// `sg_rtpg --decode`.
pub(super) fn port_groups(text: &str, facts: &mut Facts) {
    if !facts.port_groups.is_empty() {
        return;
    }
    let hex = |text: &str| u16::from_str_radix(text, 16).ok();
    let mut groups: Vec<PortGroup> = Vec::new();
    for line in text.lines() {
        if let Some(found) = GROUP.captures(line) {
            let Some(id) = hex(&found["id"]) else { continue };
            groups.push(PortGroup { id, preferred: &found["pref"] == "1", ..PortGroup::default() });
            continue;
        }
        let Some(group) = groups.last_mut() else { continue };
        if let Some(found) = STATE.captures(line) {
            group.state = u8::from_str_radix(&found["state"], 16).unwrap_or_default() & 0x0f;
        } else if let Some(found) = PORT.captures(line) {
            group.ports.extend(hex(&found["port"]));
        }
    }
    groups.truncate(64);
    facts.port_groups = groups;
}

/// A page as bytes; `None` if they are no page.
pub(super) fn page(text: &Text, facts: &mut Facts) -> Option<()> {
    // Page 83h decoded has no bytes; what it says is in better places.
    let bytes = hex_dump::bytes(text.text.as_bytes(), is_page).ok().filter(|it| is_page(it))?;
    let vpd = usize::from(u16::from_be_bytes([bytes[2], bytes[3]])) + 4;
    let name = match bytes.len() == vpd && bytes[1] != 0 {
        true => format!("{:02x}", bytes[1]),
        false => {
            facts.tpgs = facts.tpgs.or(Some((bytes[5] >> 4) & 3));
            "standard".to_owned()
        }
    };
    let from = text.name.clone();
    if facts.pages.iter().all(|page| page.name != name) {
        facts.pages.push(Page { name, bytes, from });
    }
    Some(())
}

/// Whether bytes are as long as they say: a VPD page (SPC-4 7.8), or standard INQUIRY data (SPC-4 6.6.2).
fn is_page(bytes: &[u8]) -> bool {
    let [peripheral, code, high, low, length, ..] = bytes else { return false };
    let vpd = usize::from(u16::from_be_bytes([*high, *low])) + 4;
    let is_disk = peripheral & 0x1f == 0;
    let is_standard =
        bytes.len() >= 36 && bytes.len() == usize::from(*length) + 5 && high & 0x0f != 0;
    is_disk
        && ((*code != 0 && bytes.len() == vpd)
            || is_standard
            || (bytes.len() >= 36 && low & 0x0f == 2))
}
