//! LSI/Engenio RDAC.

/// The traits in which RDAC arrays differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdacConfig {
    /// Automatic volume transfer: a medium access through the other controller moves the LUN there.
    pub avt: bool,
    /// The I/O shipping mode: both controllers carry out medium accesses, ownership is a preference.
    pub ioship: bool,
    /// The highest LUN supported (VPD C2 byte 15). From 32 on Linux sends MODE SELECT(10), below it
    /// MODE SELECT(6).
    pub max_lun: u8,
    /// Whether VPD C9 tells the access states of both controllers, which multipath-tools reads.
    pub access_states: bool,
    /// What a quiescing controller answers.
    pub quiescence: Quiescence,
}

impl Default for RdacConfig {
    fn default() -> Self {
        RdacConfig {
            avt: false,
            ioship: false,
            max_lun: 255,
            access_states: true,
            quiescence: Quiescence::NotReady,
        }
    }
}

/// What a quiescing controller answers: firmware families differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quiescence {
    /// 02/04/A1, quiescence in progress.
    NotReady,
    /// 02/A1/02, quiescence in progress or achieved.
    Achieved,
    /// 06/8B/02, quiescence in progress.
    UnitAttention,
}
