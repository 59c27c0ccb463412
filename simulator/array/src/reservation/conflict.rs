//! Which operation a reservation of others forbids: the tables of SPC-4 5.13.1, SBC-3 4.17 and, for
//! RESERVE, SPC-2 5.5.1 with SBC 5.1.

use super::types::Access;
use crate::operation::Kind;

/// Through which persistent reservations an operation of one whom they keep out gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Through {
    /// Through all of them.
    All,
    /// Through those that only forbid to write.
    WriteExclusive,
    /// Through none.
    None,
}

/// A row of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    persistent: Through,
    /// Whether it gets through a reservation by RESERVE.
    pub(super) reserved: bool,
}

impl Row {
    /// Whether it gets through a persistent reservation that keeps out from such access.
    pub(super) fn allows(self, held: Access) -> bool {
        match self.persistent {
            Through::All => true,
            Through::WriteExclusive => held == Access::WriteExclusive,
            Through::None => false,
        }
    }
}

/// It tells what the initiator must always be able to learn.
const FREE: Row = Row { persistent: Through::All, reserved: true };
/// The same, but not when SPC-2 was written.
const FREE_SINCE_SPC_3: Row = Row { persistent: Through::All, reserved: false };
/// It reads.
const READS: Row = Row { persistent: Through::WriteExclusive, reserved: false };
/// It changes something.
const CHANGES: Row = Row { persistent: Through::None, reserved: false };

/// The row of an operation.
#[rustfmt::skip]
pub(super) fn row(kind: Kind, cdb: &[u8]) -> Row {
    match kind {
        Kind::Inquiry | Kind::ReportLuns | Kind::RequestSense             => FREE,
        Kind::ReadCapacity10 | Kind::ReadCapacity16                       => FREE,
        Kind::ReportTargetPortGroups                                      => FREE,
        Kind::TestUnitReady                                               => FREE_SINCE_SPC_3,
        Kind::ModeSense | Kind::ReportOpcodes                             => READS,
        Kind::Read | Kind::Verify                                         => READS,
        Kind::Write | Kind::WriteSame | Kind::Unmap                       => CHANGES,
        Kind::SynchronizeCache | Kind::ModeSelect                         => CHANGES,
        Kind::SetTargetPortGroups                                         => CHANGES,
        Kind::StartStopUnit if starts(cdb)                                => FREE,
        Kind::StartStopUnit                                               => CHANGES,
        // They have rules of their own: see `spc2` and `change`.
        Kind::Reserve | Kind::Release                                     => FREE,
        Kind::PersistentReserveIn | Kind::PersistentReserveOut            => FREE,
    }
}

/// START with no power condition is always welcome (SBC-3 table 14).
fn starts(cdb: &[u8]) -> bool {
    cdb.get(4).is_some_and(|flags| flags & 0xf1 == 0x01)
}
