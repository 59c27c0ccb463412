//! Designators of VPD page 83h (SPC-4 7.8.6): reading those of a page, keeping those of the port
//! current, and the identifier that a host makes of them.

use crate::{
    encoding::put_text, hash::fnv1a, identity::DesignatorKind, personality::Site, unit::Unit,
};

/// The association in bits 5 and 4 of a designator's second byte: the logical unit.
const LOGICAL_UNIT: u8 = 0x00;
/// The association: the target port.
const TARGET_PORT: u8 = 0x10;

/// Designator types.
mod kind {
    pub(super) const VENDOR_SPECIFIC: u8 = 0x0;
    pub(super) const T10: u8 = 0x1;
    pub(super) const EUI_64: u8 = 0x2;
    pub(super) const NAA: u8 = 0x3;
    pub(super) const RELATIVE_PORT: u8 = 0x4;
    pub(super) const PORT_GROUP: u8 = 0x5;
    pub(super) const SCSI_NAME: u8 = 0x8;
}

/// A designator.
#[derive(Debug, Clone, Copy)]
struct Designator<'a> {
    /// The offset of the designator's value in the page.
    at: usize,
    /// The code set: 1 is binary, 2 ASCII, 3 UTF-8.
    code_set: u8,
    association: u8,
    kind: u8,
    value: &'a [u8],
}

/// The complete designators of a page, with its header.
fn designators(page: &[u8]) -> impl Iterator<Item = Designator<'_>> {
    let mut at = 4;
    std::iter::from_fn(move || {
        let [code_set, kind, _, len] = *page.get(at..at + 4)? else { return None };
        let value = page.get(at + 4..at + 4 + usize::from(len))?;
        let found = Designator {
            at: at + 4,
            code_set: code_set & 0x0f,
            association: kind & 0x30,
            kind: kind & 0x0f,
            value,
        };
        at += 4 + value.len();
        Some(found)
    })
}

/// A designator of the emulated array beside the name of the LUN, with its header.
pub(super) fn of(which: DesignatorKind, site: &Site<'_>, unit: &Unit) -> Vec<u8> {
    let name: String = unit.name.iter().map(|byte| format!("{byte:02x}")).collect();
    let oui = site.identity.oui.unwrap_or(site.personality.maker());
    let (code_set, head, value) = match which {
        DesignatorKind::T10 => {
            let mut value = vec![0; 8];
            put_text(&mut value, &site.identity.vendor);
            value.extend(name.to_uppercase().into_bytes());
            (2, LOGICAL_UNIT | kind::T10, value)
        }
        DesignatorKind::Eui64 => {
            (1, LOGICAL_UNIT | kind::EUI_64, [&oui[..], &unit.name[11..]].concat())
        }
        DesignatorKind::ScsiName => {
            let mut value = format!("naa.{name}").into_bytes();
            value.resize(value.len().next_multiple_of(4), 0);
            (3, LOGICAL_UNIT | kind::SCSI_NAME, value)
        }
        DesignatorKind::PortName => {
            let port = format!("{}{}", site.identity.serial, site.nexus.port);
            let [.., a, b, c, d, e] = fnv1a(port.as_bytes()).to_be_bytes();
            let oui = u32::from_be_bytes([0, oui[0], oui[1], oui[2]]);
            // NAA 5: four bits, the company identifier, and 36 bits of the vendor's.
            let name = 5 << 60 | u64::from(oui) << 36;
            let own = u64::from_be_bytes([0, 0, 0, a & 0x0f, b, c, d, e]);
            (1, TARGET_PORT | kind::NAA, (name | own).to_be_bytes().to_vec())
        }
    };
    [&[code_set, head, 0, value.len() as u8], &value[..]].concat()
}

/// Replaces what a captured page says of the port that returns it, its relative target port identifier
/// and its target port group, by what the array's own page says. Without this, a page that was captured
/// at one port would say of every port that it is that one.
pub(super) fn keep_port_current(captured: &mut [u8], own: &[u8]) {
    for kind in [kind::RELATIVE_PORT, kind::PORT_GROUP] {
        let of_port = |it: &Designator<'_>| {
            it.association == TARGET_PORT && it.kind == kind && it.value.len() == 4
        };
        let Some(live) = designators(own).find(of_port).map(|it| it.value.to_vec()) else {
            continue;
        };
        let places: Vec<_> = designators(captured).filter(of_port).map(|it| it.at).collect();
        for at in places {
            captured[at..at + 4].copy_from_slice(&live);
        }
    }
}

/// The relative target port identifier and the target port group that a page names for its port.
pub(crate) fn port(page: &[u8]) -> (Option<u16>, Option<u16>) {
    let of = |kind| {
        let found = designators(page)
            .find(|it| it.association == TARGET_PORT && it.kind == kind && it.value.len() == 4);
        found.map(|it| u16::from_be_bytes([it.value[2], it.value[3]]))
    };
    (of(kind::RELATIVE_PORT), of(kind::PORT_GROUP))
}

/// The identifier that udev and multipath-tools make of a page (ID_SERIAL, WWID): the type of the best
/// designator of the logical unit, and its value. `None` if the page has none.
///
/// The order is that of scsi_id (`id_search_list`) and of the rules of sg3-utils: NAA 6, 5, any other
/// NAA, EUI-64, SCSI name, T10, vendor-specific.
pub(crate) fn wwid(page: &[u8]) -> Option<String> {
    let naa = |it: &Designator<'_>| match it.code_set {
        1 => it.value.first().map(|byte| byte >> 4),
        _ => it.value.first().and_then(|byte| char::from(*byte).to_digit(16)).map(|it| it as u8),
    };
    let rank = |it: &Designator<'_>| match it.kind {
        kind::NAA => match naa(it) {
            Some(6) => Some(0),
            Some(5) => Some(1),
            _ => Some(2),
        },
        kind::EUI_64 => Some(3),
        kind::SCSI_NAME => Some(4),
        kind::T10 => Some(5),
        kind::VENDOR_SPECIFIC => Some(6),
        _ => None,
    };
    let own = designators(page).filter(|it| it.association == LOGICAL_UNIT && !it.value.is_empty());
    let (_, best) = own.filter_map(|it| Some((rank(&it)?, it))).min_by_key(|(rank, _)| *rank)?;
    let value = match best.code_set {
        1 => best.value.iter().map(|byte| format!("{byte:02x}")).collect(),
        _ => text(best.value),
    };
    Some(format!("{}{value}", best.kind))
}

/// A text as udev writes it: without the white space around it, and with one `_` for any within.
fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    let text = String::from_utf8_lossy(&value[..end]);
    text.split_whitespace().collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(designators: &[&[u8]]) -> Vec<u8> {
        let payload = designators.concat();
        [&[0, 0x83, 0, payload.len() as u8], &payload[..]].concat()
    }

    const NAA_5: [u8; 12] = [1, 3, 0, 8, 0x50, 0, 0xd0, 0x23, 0, 0, 0, 7];
    const NAA_6: [u8; 20] = [1, 3, 0, 16, 0x60, 0, 0xd0, 0x23, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    const T10: [u8; 20] = *b"\x02\x01\x00\x10SANSIM  vol 1   ";
    const RELATIVE: [u8; 8] = [1, 0x14, 0, 4, 0, 0, 0, 1];
    const GROUP: [u8; 8] = [1, 0x15, 0, 4, 0, 0, 1, 0];
    /// A name of the port, which is no name of the LUN.
    const PORT_NAME: [u8; 12] = [0x61, 0x93, 0, 8, 0x60, 0, 0xd0, 0x23, 0, 0, 0, 8];

    #[test]
    fn the_best_designator_of_the_lun_is_its_identifier() {
        let wwid = |designators: &[&[u8]]| wwid(&page(designators)).unwrap_or_default();
        assert_eq!(wwid(&[&PORT_NAME, &T10, &NAA_5]), "35000d02300000007");
        assert_eq!(wwid(&[&NAA_5, &NAA_6]), "36000d023000000000000000000000009");
        assert_eq!(wwid(&[&T10]), "1SANSIM_vol_1");
        assert_eq!(wwid(&[&T10, &[1, 2, 0, 8, 0, 0xd0, 0x23, 0, 0, 0, 0, 1]]), "200d0230000000001");
        assert_eq!(wwid(&[b"\x03\x08\x00\x0cnaa.5000d023"]), "8naa.5000d023");
        assert_eq!(wwid(&[&PORT_NAME, &RELATIVE]), "");
    }

    #[test]
    fn a_page_is_told_by_each_port_as_its_own() {
        let mut captured = page(&[&NAA_5, &RELATIVE, &PORT_NAME, &GROUP]);
        let own = page(&[&NAA_6, &[1, 0x14, 0, 4, 0, 0, 0, 3], &[1, 0x15, 0, 4, 0, 0, 0, 2]]);
        keep_port_current(&mut captured, &own);
        assert_eq!(port(&captured), (Some(3), Some(2)));
        assert_eq!(wwid(&captured).as_deref(), Some("35000d02300000007"));
    }

    #[test]
    fn a_page_that_ends_early_is_read_as_far_as_it_goes() {
        let whole = page(&[&NAA_5, &RELATIVE, &GROUP]);
        for len in 0..whole.len() {
            let mut cut = whole[..len].to_vec();
            keep_port_current(&mut cut, &whole);
            let _ = (wwid(&cut), port(&cut));
        }
        assert_eq!(port(&whole[..whole.len() - 1]), (Some(1), None));
    }
}
