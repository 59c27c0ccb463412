//! The pages of INQUIRY data, and captured pages.

use crate::ids::{Lun, NexusPattern};

/// A page of INQUIRY data that replaces the personality's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedPage {
    /// The page that is replaced.
    pub page: InquiryPage,
    /// The nexuses to which the captured page is returned.
    pub to: NexusPattern,
    /// The LUN for which the captured page is returned, by its own number; `None` for all mapped LUNs.
    pub lun: Option<Lun>,
    /// The whole page, including its header, at most [`CapturedPage::MAX_BYTES`] bytes.
    pub bytes: Vec<u8>,
    /// Whether the page is returned unchanged. If not, the bytes that identify the LUN, the
    /// responding controller and the current owner are replaced with live values.
    pub frozen: bool,
}

impl CapturedPage {
    /// The size of the largest VPD page: the maximum of its length field, plus the header.
    pub const MAX_BYTES: usize = 4 + u16::MAX as usize;
}

/// A page of INQUIRY data (SPC-4 6.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InquiryPage {
    /// The standard INQUIRY data.
    Standard,
    /// The vital product data (VPD) page with this page code.
    Vpd(u8),
}

impl InquiryPage {
    /// Device identification (SPC-4 7.8.6).
    pub(crate) const IDENTIFICATION: InquiryPage = InquiryPage::Vpd(0x83);

    /// Whether the page identifies the volume: a volume that gets another name no longer returns a
    /// captured one.
    pub(crate) fn identifies(self) -> bool {
        matches!(self, InquiryPage::Vpd(0x80 | 0x83))
    }
}
