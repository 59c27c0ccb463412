//! Which commands are served in each access state (SPC-4 5.15.2.4), and how the others are
//! answered.

use crate::{
    access_state::AccessState,
    operation::{Kind, Operation},
    sense::Sense,
};

impl AccessState {
    /// Whether an operation is served in this state. In standby, READ CAPACITY and REPORT SUPPORTED
    /// OPERATION CODES go beyond the standard. Arrays serve them, because without the capacity a
    /// host could not use a path that becomes active later.
    pub(super) fn serves(self, op: &Operation) -> bool {
        let always = matches!(op.kind, Kind::Inquiry | Kind::ReportLuns | Kind::RequestSense);
        let parameters = matches!(
            op.kind,
            Kind::ModeSense
                | Kind::ModeSelect
                | Kind::LogSense
                | Kind::SendDiagnostic
                | Kind::ReceiveDiagnostic
                | Kind::ReadCapacity10
                | Kind::ReadCapacity16
                | Kind::ReportOpcodes
        );
        let groups = matches!(op.kind, Kind::ReportTargetPortGroups | Kind::SetTargetPortGroups);
        match self {
            _ if self.serves_media() => true,
            AccessState::Standby => always || groups || parameters,
            AccessState::Unavailable | AccessState::Offline => always || groups,
            _ => always,
        }
    }

    /// Whether reads and writes are served in this state.
    pub(super) fn serves_media(self) -> bool {
        matches!(
            self,
            AccessState::Optimized | AccessState::NonOptimized | AccessState::LbaDependent
        )
    }

    /// The sense for an operation that is not served in this state.
    pub(super) fn not_ready(self) -> Option<Sense> {
        let ascq = match self {
            AccessState::Optimized | AccessState::NonOptimized | AccessState::LbaDependent => {
                return None;
            }
            AccessState::Standby => 0x0b,
            AccessState::Unavailable => 0x0c,
            AccessState::Offline => 0x12,
            AccessState::Transitioning => 0x0a,
        };
        Some(Sense::new(0x02, 0x04, ascq))
    }

    /// The bit of this state among the supported states in REPORT TARGET PORT GROUPS (SPC-4 6.37).
    pub(super) fn supported_bit(self) -> u8 {
        match self {
            AccessState::Optimized => 0x01,
            AccessState::NonOptimized => 0x02,
            AccessState::Standby => 0x04,
            AccessState::Unavailable => 0x08,
            AccessState::LbaDependent => 0x10,
            AccessState::Offline => 0x40,
            AccessState::Transitioning => 0x80,
        }
    }
}
