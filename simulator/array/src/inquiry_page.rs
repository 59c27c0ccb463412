//! The parts of INQUIRY data, and what is kept of another array's.

use crate::ids::{ControllerId, Lun};

/// A page of INQUIRY data that takes the place of the personality's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedPage {
    /// Which.
    pub page: InquiryPage,
    /// Where it is told; none means by every controller.
    pub controller: Option<ControllerId>,
    /// Of which LUN; none means of every one that is mapped.
    pub lun: Option<Lun>,
    /// The whole page, header included, as it goes to the initiator: at most
    /// [`CapturedPage::MAX_BYTES`].
    pub bytes: Vec<u8>,
    /// Whether it is told as it is, even where the personality would tell which LUN it is, which
    /// controller tells it, and who owns the LUN now.
    pub frozen: bool,
}

impl CapturedPage {
    /// What the length field of a VPD page can say, and its header.
    pub const MAX_BYTES: usize = 4 + u16::MAX as usize;
}

/// Which part of INQUIRY data (SPC-4 6.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InquiryPage {
    /// The standard data.
    Standard,
    /// The vital product data page with this code.
    Vpd(u8),
}
