//! The traits in which CLARiiON arrays differ.

use super::inquiry::InquiryForm;

/// The failover mode of a host registration. The discriminant is the value in page C0h. Linux's
/// device handler accepts 4 and 6 (emc:parse_sp_info_reply).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FailoverMode {
    /// The passive path reports not ready.
    PassiveNotReady = 1,
    /// The passive path reports ready. A read or a write through it moves the LUN.
    AutoTrespass = 2,
    /// The passive path reports ready, but refuses reads and writes.
    PassiveAlwaysReady = 3,
    /// The mode that Linux requires. Behaves like 1.
    Linux = 4,
    /// The mode of arrays with ALUA. Here it behaves like 4; target port groups are in the
    /// personality `alua`.
    Alua = 6,
}

/// The traits in which CLARiiON arrays differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmcConfig {
    /// How a passive path behaves.
    pub failover_mode: FailoverMode,
    /// The form of the standard INQUIRY data. It determines which form of the trespass Linux sends.
    pub inquiry: InquiryForm,
    /// The VERSION field of the INQUIRY data, 2 to 6. Up to 3, Linux does not request VPD pages
    /// from `DGC RAID`.
    pub version: u8,
}

impl Default for EmcConfig {
    fn default() -> Self {
        EmcConfig {
            failover_mode: FailoverMode::Linux,
            inquiry: InquiryForm::Model("CX3-40f".into()),
            version: 4,
        }
    }
}
