//! The traits in which such arrays differ.

use super::inquiry::InquiryForm;

/// How storage processors share a LUN, as a host registers itself with the array. The number is what
/// page C0h says; Linux's handler takes 4 and 6 (emc:parse_sp_info_reply).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FailoverMode {
    /// The passive path is not ready.
    PassiveNotReady = 1,
    /// The passive path is ready, and a read or write through it moves the LUN there unasked.
    AutoTrespass = 2,
    /// The passive path says that it is ready, and refuses reads and writes.
    PassiveAlwaysReady = 3,
    /// What Linux wants: as 1.
    Linux = 4,
    /// The number that arrays with ALUA say; here as 4. The personality `alua` has port groups.
    Alua = 6,
}

/// The traits in which these arrays differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmcConfig {
    /// How a passive path behaves.
    pub failover_mode: FailoverMode,
    /// The form of the INQUIRY data, which decides about the form of the trespass.
    pub inquiry: InquiryForm,
    /// The version in the INQUIRY data, 2 to 6. With 3 and less Linux does not ask `DGC RAID` for
    /// VPD pages.
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
