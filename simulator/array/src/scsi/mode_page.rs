//! The mode pages that every array supports.

use crate::{
    completion::Stop,
    personality::{PageControl, Site},
    sense::Sense,
    unit::ControlValues,
};

pub(super) const CACHING: u8 = 0x08;
pub(super) const CONTROL: u8 = 0x0a;
pub(super) const EXCEPTIONS: u8 = 0x1c;

/// The page codes and subpage codes of these pages.
const COMMON: [(u8, u8); 3] = [(CACHING, 0), (CONTROL, 0), (EXCEPTIONS, 0)];

/// The offset and the mask of TAS in the control mode page.
pub(super) const TAS: (usize, u8) = (5, 0x40);

/// The page codes and subpage codes of all pages, in ascending order.
pub(super) fn codes(site: &Site<'_>) -> Vec<(u8, u8)> {
    let mut codes = [&COMMON[..], site.personality.mode_pages()].concat();
    codes.sort_unstable();
    codes
}

/// The control mode page values of the command's nexus.
pub(super) fn control_values(site: &Site<'_>) -> ControlValues {
    let view = site.unit().and_then(|unit| unit.nexuses.get(&site.nexus));
    view.map(|view| view.control).unwrap_or_default()
}

/// A page with its header. [`codes`] must contain the codes.
pub(super) fn page(
    site: &Site<'_>,
    (code, subpage): (u8, u8),
    control: PageControl,
) -> Result<Vec<u8>, Stop> {
    match code {
        CONTROL => Ok(control_page(control_values(site), control)),
        // Only the control mode page can be saved (SPC-4 6.13.1.5).
        _ if control == PageControl::Saved => Err(Sense::SAVING_NOT_SUPPORTED.into()),
        CACHING => Ok(caching_page(control)),
        EXCEPTIONS => Ok(exceptions_page(control)),
        _ => Ok(site.personality.mode_page(site, code, subpage, control)),
    }
}

/// Caching mode page (SBC-3 6.5.5). The write cache is reported as enabled, so that the initiator
/// sends SYNCHRONIZE CACHE.
fn caching_page(control: PageControl) -> Vec<u8> {
    let mut page = vec![0; 20];
    page[..2].copy_from_slice(&[CACHING, 18]);
    if control != PageControl::Changeable {
        page[2] = 0x04; // WCE: write cache enabled.
    }
    page
}

/// Control mode page (SPC-4 7.5.8). Simple tasks may be reordered. TAS is changeable and savable.
fn control_page(values: ControlValues, control: PageControl) -> Vec<u8> {
    let mut page = vec![0; 12];
    page[..2].copy_from_slice(&[0x80 | CONTROL, 10]); // PS: the page is savable.
    let tas = match control {
        PageControl::Current => values.tas,
        PageControl::Saved => values.saved_tas,
        PageControl::Changeable => true,
        PageControl::Default => false,
    };
    if control != PageControl::Changeable {
        page[3] = 0x10; // Queue algorithm modifier: unrestricted reordering.
    }
    page[TAS.0] = if tas { TAS.1 } else { 0 };
    page
}

/// Informational exceptions control mode page (SPC-4 7.5.13). No exceptions are reported.
fn exceptions_page(control: PageControl) -> Vec<u8> {
    let mut page = vec![0; 12];
    page[..2].copy_from_slice(&[EXCEPTIONS, 10]);
    if control != PageControl::Changeable {
        page[2] = 0x08; // DEXCPT: exceptions disabled.
    }
    page
}
