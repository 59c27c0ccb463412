//! The structures and codes in the virtqueues (virtio 1.2 clause 5.6), little-endian.

use sansim_array::{Completion, ServiceResponse, TaskManagement, TmfResponse};
use virtio_bindings::{
    virtio_config::{VIRTIO_F_NOTIFY_ON_EMPTY, VIRTIO_F_VERSION_1},
    virtio_ring::{VIRTIO_RING_F_EVENT_IDX, VIRTIO_RING_F_INDIRECT_DESC},
    virtio_scsi::*,
};

use crate::lun::{EventAddress, MAX_LUN};

/// The device features that are offered. The features for migrating and saving a guest belong to
/// the transport and are offered there.
pub(crate) const FEATURES: u64 = 1 << VIRTIO_F_VERSION_1
    | 1 << VIRTIO_F_NOTIFY_ON_EMPTY
    | 1 << VIRTIO_RING_F_INDIRECT_DESC
    | 1 << VIRTIO_RING_F_EVENT_IDX
    | 1 << VIRTIO_SCSI_F_HOTPLUG
    | 1 << VIRTIO_SCSI_F_CHANGE;

/// The feature bit of VIRTIO_F_NOTIFY_ON_EMPTY: the guest wants an interrupt when the device has
/// taken the last available buffer.
pub(crate) const NOTIFY_ON_EMPTY: u64 = 1 << VIRTIO_F_NOTIFY_ON_EMPTY;
/// The feature bits with which a guest uses the event queue.
pub(crate) const HOTPLUG_OR_CHANGE: u64 = 1 << VIRTIO_SCSI_F_HOTPLUG | 1 << VIRTIO_SCSI_F_CHANGE;

/// The index of the control queue. The event queue and the request queues follow.
pub(crate) const CONTROL_QUEUE: u16 = 0;
pub(crate) const EVENT_QUEUE: u16 = 1;
pub(crate) const FIRST_REQUEST_QUEUE: u16 = 2;

/// The maximum virtqueue size, which is also QEMU's maximum.
pub(crate) const MAX_QUEUE_SIZE: u16 = 1024;

const CDB_SIZE: usize = VIRTIO_SCSI_CDB_DEFAULT_SIZE as usize;
const SENSE_SIZE: usize = VIRTIO_SCSI_SENSE_DEFAULT_SIZE as usize;

/// The `N` bytes of `bytes` at offset `at`. Panics if `bytes` is too short.
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut taken = [0; N];
    taken.copy_from_slice(&bytes[at..at + N]);
    taken
}

/// The header of a request (`virtio_scsi_cmd_req`). Task attribute, priority and CRN are ignored; a
/// Linux guest leaves them at SIMPLE, 0 and 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommandHeader {
    pub(crate) lun: [u8; 8],
    pub(crate) tag: u64,
    pub(crate) cdb: [u8; CDB_SIZE],
}

impl CommandHeader {
    pub(crate) const SIZE: usize = 19 + CDB_SIZE;

    pub(crate) fn decode(bytes: &[u8; Self::SIZE]) -> Self {
        CommandHeader {
            lun: field(bytes, 0),
            tag: u64::from_le_bytes(field(bytes, 8)),
            cdb: field(bytes, 19),
        }
    }
}

/// The size of a response (`virtio_scsi_cmd_resp`) in bytes.
pub(crate) const RESPONSE_SIZE: usize = 12 + SENSE_SIZE;

/// Encodes the response to a request.
pub(crate) fn response(completion: &Completion) -> [u8; RESPONSE_SIZE] {
    let mut bytes = [0; RESPONSE_SIZE];
    bytes[4..8].copy_from_slice(&completion.residual.to_le_bytes());
    bytes[11] = response_code(completion.response);
    if completion.response == ServiceResponse::Ok {
        bytes[10] = completion.status as u8;
        if let Some(sense) = &completion.sense {
            let (sense, len) = sense.to_bytes();
            bytes[0..4].copy_from_slice(&(len as u32).to_le_bytes());
            bytes[12..12 + len].copy_from_slice(&sense[..len]);
        }
    }
    bytes
}

/// A response code that virtio-scsi does not define.
const UNKNOWN_RESPONSE: u32 = 0x2a;

fn response_code(response: ServiceResponse) -> u8 {
    let code = match response {
        ServiceResponse::Ok => VIRTIO_SCSI_S_OK,
        ServiceResponse::Overrun => VIRTIO_SCSI_S_OVERRUN,
        ServiceResponse::Aborted => VIRTIO_SCSI_S_ABORTED,
        ServiceResponse::BadTarget => VIRTIO_SCSI_S_BAD_TARGET,
        ServiceResponse::Reset => VIRTIO_SCSI_S_RESET,
        ServiceResponse::Busy => VIRTIO_SCSI_S_BUSY,
        ServiceResponse::TransportFailure => VIRTIO_SCSI_S_TRANSPORT_FAILURE,
        ServiceResponse::TargetFailure => VIRTIO_SCSI_S_TARGET_FAILURE,
        ServiceResponse::NexusFailure => VIRTIO_SCSI_S_NEXUS_FAILURE,
        ServiceResponse::Failure => VIRTIO_SCSI_S_FAILURE,
        ServiceResponse::Unknown => UNKNOWN_RESPONSE,
    };
    code as u8
}

/// A request on the control queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ControlRequest {
    /// A task management function; `None` if the subtype is unknown.
    TaskManagement { lun: [u8; 8], function: Option<TaskManagement> },
    /// A query of, or a subscription to, asynchronous notifications.
    Notifications { lun: [u8; 8] },
    /// The request type is unknown.
    Unknown,
}

impl ControlRequest {
    /// The size in bytes of the longest request (`virtio_scsi_ctrl_tmf_req`).
    pub(crate) const MAX_SIZE: usize = 24;

    /// Decodes a request of the control queue; `None` if it is too short for its type.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < 4 {
            return None;
        }
        Some(match u32::from_le_bytes(field(bytes, 0)) {
            VIRTIO_SCSI_T_TMF => {
                if bytes.len() < Self::MAX_SIZE {
                    return None;
                }
                let subtype = u32::from_le_bytes(field(bytes, 4));
                let tag = u64::from_le_bytes(field(bytes, 16));
                Self::TaskManagement { lun: field(bytes, 8), function: function(subtype, tag) }
            }
            VIRTIO_SCSI_T_AN_QUERY | VIRTIO_SCSI_T_AN_SUBSCRIBE => {
                if bytes.len() < 16 {
                    return None;
                }
                Self::Notifications { lun: field(bytes, 4) }
            }
            _ => Self::Unknown,
        })
    }
}

fn function(subtype: u32, tag: u64) -> Option<TaskManagement> {
    Some(match subtype {
        VIRTIO_SCSI_T_TMF_ABORT_TASK => TaskManagement::AbortTask { tag },
        VIRTIO_SCSI_T_TMF_ABORT_TASK_SET => TaskManagement::AbortTaskSet,
        VIRTIO_SCSI_T_TMF_CLEAR_ACA => TaskManagement::ClearAca,
        VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET => TaskManagement::ClearTaskSet,
        VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET => TaskManagement::ItNexusReset,
        VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET => TaskManagement::LogicalUnitReset,
        VIRTIO_SCSI_T_TMF_QUERY_TASK => TaskManagement::QueryTask { tag },
        VIRTIO_SCSI_T_TMF_QUERY_TASK_SET => TaskManagement::QueryTaskSet,
        _ => return None,
    })
}

/// The response to a control request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ControlResponse {
    /// The response to a task management function.
    TaskManagement(TmfResponse),
    /// The response to a query or subscription: none of the requested notifications is supported.
    NoNotifications,
    /// The target does not exist. `notifications` distinguishes the two kinds of requests.
    BadTarget { notifications: bool },
}

impl ControlResponse {
    /// Encodes the response. `virtio_scsi_ctrl_tmf_resp` contains only the response code. In
    /// `virtio_scsi_ctrl_an_resp`, the supported events precede it; there are none.
    pub(crate) fn encode(self) -> ([u8; 5], usize) {
        let (code, notifications) = match self {
            Self::TaskManagement(TmfResponse::Complete) => (VIRTIO_SCSI_S_OK, false),
            Self::TaskManagement(TmfResponse::Succeeded) => {
                (VIRTIO_SCSI_S_FUNCTION_SUCCEEDED, false)
            }
            Self::TaskManagement(TmfResponse::Rejected) => (VIRTIO_SCSI_S_FUNCTION_REJECTED, false),
            Self::TaskManagement(TmfResponse::IncorrectLun) => (VIRTIO_SCSI_S_INCORRECT_LUN, false),
            Self::NoNotifications => (VIRTIO_SCSI_S_OK, true),
            Self::BadTarget { notifications } => (VIRTIO_SCSI_S_BAD_TARGET, notifications),
        };
        let len = if notifications { 5 } else { 1 };
        let mut bytes = [0; 5];
        bytes[len - 1] = code as u8;
        (bytes, len)
    }
}

/// An event for the event queue (`virtio_scsi_event`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A logical unit was added.
    Added(EventAddress),
    /// A logical unit was removed.
    Removed(EventAddress),
    /// The parameters of a logical unit changed.
    Changed(EventAddress, /* asc */ u8, /* ascq */ u8),
}

impl Event {
    pub(crate) const SIZE: usize = 16;

    /// Encodes the event. `missed` reports that earlier events were lost.
    pub(crate) fn encode(self, missed: bool) -> [u8; Self::SIZE] {
        let (code, address, reason) = match self {
            Self::Added(at) => (VIRTIO_SCSI_T_TRANSPORT_RESET, at, VIRTIO_SCSI_EVT_RESET_RESCAN),
            Self::Removed(at) => (VIRTIO_SCSI_T_TRANSPORT_RESET, at, VIRTIO_SCSI_EVT_RESET_REMOVED),
            Self::Changed(at, asc, ascq) => {
                (VIRTIO_SCSI_T_PARAM_CHANGE, at, u32::from(asc) | u32::from(ascq) << 8)
            }
        };
        let code = if missed { code | VIRTIO_SCSI_T_EVENTS_MISSED } else { code };
        let mut bytes = [0; Self::SIZE];
        bytes[0..4].copy_from_slice(&code.to_le_bytes());
        bytes[4..12].copy_from_slice(&address.field());
        bytes[12..16].copy_from_slice(&reason.to_le_bytes());
        bytes
    }
}

/// The size of the configuration space (`virtio_scsi_config`) in bytes.
const CONFIG_SIZE: usize = 36;

/// The configuration space. QEMU presents a configuration space of its own to its guest instead.
fn config(request_queues: u16, targets: usize) -> [u8; CONFIG_SIZE] {
    const SEG_MAX: u32 = 126;
    const MAX_SECTORS: u32 = 0xFFFF;
    const CMD_PER_LUN: u32 = 128;
    let max_target = targets.saturating_sub(1) as u16;
    let mut bytes = [0; CONFIG_SIZE];
    let words = [
        u32::from(request_queues),
        SEG_MAX,
        MAX_SECTORS,
        CMD_PER_LUN,
        Event::SIZE as u32,
        SENSE_SIZE as u32,
        CDB_SIZE as u32,
        u32::from(max_target) << 16, // and max_channel 0
        u32::from(MAX_LUN),
    ];
    for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// The part of the configuration space at `offset`; `None` if it is not completely within the
/// space.
pub(crate) fn config_part(
    request_queues: u16,
    targets: usize,
    offset: u32,
    len: u32,
) -> Option<Vec<u8>> {
    let start = offset as usize;
    let end = start.checked_add(len as usize)?;
    Some(config(request_queues, targets).get(start..end)?.to_vec())
}

#[cfg(test)]
mod tests {
    use sansim_array::{EncodedLun, Sense, Status};

    use super::*;

    fn completion(response: ServiceResponse, status: Status, sense: Option<&str>) -> Completion {
        let sense = sense.map(|text| text.parse::<Sense>().expect("it is kk/aa/qq"));
        Completion { response, status, sense, residual: 0x1234 }
    }

    #[test]
    fn a_response_carries_status_residual_and_sense() {
        let bytes =
            response(&completion(ServiceResponse::Ok, Status::CheckCondition, Some("05/94/01")));
        assert_eq!(bytes[..12], [18, 0, 0, 0, 0x34, 0x12, 0, 0, 0, 0, 2, 0]);
        assert_eq!((bytes[12] & 0x7F, bytes[14], bytes[24], bytes[25]), (0x70, 5, 0x94, 1));
        assert!(bytes[30..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_response_that_is_not_ok_carries_neither_status_nor_sense() {
        let failed = completion(ServiceResponse::Failure, Status::CheckCondition, Some("02/04/03"));
        let bytes = response(&failed);
        assert_eq!(bytes[..12], [0, 0, 0, 0, 0x34, 0x12, 0, 0, 0, 0, 0, 9]);
        assert!(bytes[12..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn control_requests_too_short_for_their_type_are_none() {
        let tmf = [0u8; 24];
        for len in 0..24 {
            assert_eq!(ControlRequest::decode(&tmf[..len]), None, "{len} bytes");
        }
        let query = [1u8, 0, 0, 0, 1, 9, 0x40, 3, 0, 0, 0, 0, 0xFF, 0, 0, 0];
        assert_eq!(ControlRequest::decode(&query[..15]), None);
        assert_eq!(
            ControlRequest::decode(&query),
            Some(ControlRequest::Notifications { lun: [1, 9, 0x40, 3, 0, 0, 0, 0] })
        );
        assert_eq!(ControlRequest::decode(&[7, 0, 0, 0]), Some(ControlRequest::Unknown));
    }

    #[test]
    fn a_task_management_function_is_read_with_its_tag() {
        let mut bytes = [0u8; 24];
        bytes[8..12].copy_from_slice(&[1, 2, 0x40, 3]);
        bytes[16..24].copy_from_slice(&0xFEED_u64.to_le_bytes());
        assert_eq!(
            ControlRequest::decode(&bytes),
            Some(ControlRequest::TaskManagement {
                lun: [1, 2, 0x40, 3, 0, 0, 0, 0],
                function: Some(TaskManagement::AbortTask { tag: 0xFEED }),
            })
        );
        bytes[4] = 8;
        assert!(matches!(
            ControlRequest::decode(&bytes),
            Some(ControlRequest::TaskManagement { function: None, .. })
        ));
    }

    #[test]
    fn control_answers_have_their_type_s_length() {
        assert_eq!(
            ControlResponse::TaskManagement(TmfResponse::IncorrectLun).encode(),
            ([12, 0, 0, 0, 0], 1)
        );
        assert_eq!(ControlResponse::NoNotifications.encode(), ([0; 5], 5));
        assert_eq!(
            ControlResponse::BadTarget { notifications: true }.encode(),
            ([0, 0, 0, 0, 3], 5)
        );
    }

    #[test]
    fn events_say_what_happened_and_what_was_missed() {
        let at = EventAddress { target: 1, lun: EncodedLun(7) };
        assert_eq!(
            Event::Added(at).encode(false),
            [1, 0, 0, 0, 1, 1, 0, 7, 0, 0, 0, 0, 1, 0, 0, 0]
        );
        assert_eq!(
            Event::Changed(at, 0x2A, 0x09).encode(true),
            [3, 0, 0, 0x80, 1, 1, 0, 7, 0, 0, 0, 0, 0x2A, 9, 0, 0]
        );
    }

    #[test]
    fn the_configuration_is_laid_out_as_virtio_says() {
        let bytes = config(4, 2);
        assert_eq!(bytes[0..4], [4, 0, 0, 0]);
        assert_eq!(bytes[20..24], [96, 0, 0, 0]);
        assert_eq!(bytes[24..28], [32, 0, 0, 0]);
        assert_eq!(bytes[28..32], [0, 0, 1, 0]);
        assert_eq!(bytes[32..36], [0xFF, 0x3F, 0, 0]);
        assert_eq!(config_part(4, 2, 20, 8), Some(vec![96, 0, 0, 0, 32, 0, 0, 0]));
        for (offset, len) in [(33, 4), (36, 1), (0, 37), (u32::MAX, u32::MAX)] {
            assert_eq!(config_part(4, 2, offset, len), None, "{len} bytes at {offset}");
        }
    }
}
