//! Which operations conflict with a reservation of another nexus: the tables of SPC-4 5.13.1 and
//! SBC-3 4.17 and, for RESERVE, of SPC-2 5.5.1 and SBC 5.1.

use super::types::Access;
use crate::operation::Kind;

/// Under which persistent reservations of other nexuses an operation is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Through {
    /// Allowed under every reservation.
    All,
    /// Allowed only under Write Exclusive reservations.
    WriteExclusive,
    /// Allowed under no reservation.
    None,
}

/// A row of the conflict tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    persistent: Through,
    /// Whether the operation is allowed while another nexus has reserved the LUN by RESERVE.
    pub(super) reserved: bool,
}

impl Row {
    /// Whether the operation is allowed under a persistent reservation with this access
    /// restriction.
    pub(super) fn allows(self, held: Access) -> bool {
        match self.persistent {
            Through::All => true,
            Through::WriteExclusive => held == Access::WriteExclusive,
            Through::None => false,
        }
    }
}

/// Operations that are always allowed, mostly because they return basic information.
const FREE: Row = Row { persistent: Through::All, reserved: true };
/// Operations that SPC-3 and later standards always allow, but SPC-2 does not allow under RESERVE.
const FREE_SINCE_SPC_3: Row = Row { persistent: Through::All, reserved: false };
/// Operations that read data or parameters.
const READS: Row = Row { persistent: Through::WriteExclusive, reserved: false };
/// Operations that change something.
const CHANGES: Row = Row { persistent: Through::None, reserved: false };

#[rustfmt::skip]
pub(super) fn row(kind: Kind, cdb: &[u8]) -> Row {
    match kind {
        Kind::Inquiry | Kind::ReportLuns | Kind::RequestSense             => FREE,
        Kind::ReadCapacity10 | Kind::ReadCapacity16                       => FREE,
        Kind::ReportTargetPortGroups                                      => FREE,
        Kind::TestUnitReady                                               => FREE_SINCE_SPC_3,
        Kind::LogSense                                                    => FREE_SINCE_SPC_3,
        Kind::ModeSense | Kind::ReportOpcodes                             => READS,
        Kind::ReceiveDiagnostic | Kind::ReadBuffer                        => READS,
        Kind::Read | Kind::Verify | Kind::Prefetch | Kind::GetLbaStatus   => READS,
        Kind::Write | Kind::WriteSame | Kind::Unmap | Kind::FormatUnit    => CHANGES,
        Kind::WriteAndVerify | Kind::CompareAndWrite | Kind::OrWrite      => CHANGES,
        Kind::SynchronizeCache | Kind::ModeSelect                         => CHANGES,
        Kind::SendDiagnostic | Kind::WriteBuffer                          => CHANGES,
        Kind::SetTargetPortGroups                                         => CHANGES,
        Kind::StartStopUnit if starts(cdb)                                => FREE,
        Kind::StartStopUnit                                               => CHANGES,
        // These commands check for conflicts themselves: see `spc2` and `change`.
        Kind::Reserve | Kind::Release                                     => FREE,
        Kind::PersistentReserveIn | Kind::PersistentReserveOut            => FREE,
    }
}

/// START without a power condition is always allowed (SBC-3 table 14).
fn starts(cdb: &[u8]) -> bool {
    cdb.get(4).is_some_and(|flags| flags & 0xf1 == 0x01)
}
