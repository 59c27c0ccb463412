//! Task Management Function Request and Response (RFC 7143 clauses 11.5 and 11.6).

use sansim_array::{TaskManagement, TmfResponse};

use super::{header, lun_field, put, put_request_numbers, put_response_numbers};
use crate::{packet::Function, path::Path, task_tag::TaskTag};

/// An immediate request, which has no CmdSN of its own (clause 4.2.2.1).
const IMMEDIATE: u8 = 0x40;
const REQUEST: u8 = 0x02;
const RESPONSE: u8 = 0x22;
const FINAL: u8 = 0x80;

/// The Task Management Function Request PDU. `refers_to` is the tag of the command that the
/// function aborts or queries.
pub(crate) fn function(function: &Function, refers_to: TaskTag, path: &Path) -> Vec<u8> {
    let flags = FINAL | code(function.function);
    let mut pdu = header(IMMEDIATE | REQUEST, flags, function.tag);
    pdu[8..16].copy_from_slice(&lun_field(function.lun));
    put(&mut pdu, 20, refers_to.0);
    put_request_numbers(&mut pdu, path.cmd_sn, path.stat_sn);
    pdu.to_vec()
}

/// The Task Management Function Response PDU; `None` if the function is never answered. The path's
/// next response has the next StatSN.
pub(crate) fn function_response(function: &Function, path: &mut Path) -> Option<Vec<u8>> {
    let mut pdu = header(RESPONSE, FINAL, function.tag);
    pdu[2] = response_code(function.response?);
    put_response_numbers(&mut pdu, path.cmd_sn, path.stat_sn);
    path.stat_sn = path.stat_sn.wrapping_add(1);
    Some(pdu.to_vec())
}

/// The function codes of RFC 7143 clause 11.5.1, and from 9 on those that RFC 7144 adds.
fn code(function: TaskManagement) -> u8 {
    match function {
        TaskManagement::AbortTask { .. } => 1,
        TaskManagement::AbortTaskSet => 2,
        TaskManagement::ClearAca => 3,
        TaskManagement::ClearTaskSet => 4,
        TaskManagement::LogicalUnitReset => 5,
        TaskManagement::QueryTask { .. } => 9,
        TaskManagement::QueryTaskSet => 10,
        TaskManagement::ItNexusReset => 11,
    }
}

/// The response codes of RFC 7143 clause 11.6.1, and 7, which RFC 7144 adds.
fn response_code(response: TmfResponse) -> u8 {
    match response {
        TmfResponse::Complete => 0,
        TmfResponse::IncorrectLun => 2,
        TmfResponse::Succeeded => 7,
        TmfResponse::Rejected => 255,
    }
}

#[cfg(test)]
mod tests {
    use sansim_array::{HbaId, Lun, Nexus};

    use super::*;

    #[test]
    fn a_function_has_no_number_of_its_own_and_its_response_has() {
        let nexus = Nexus { hba: HbaId(0), port: "A0".parse().unwrap() };
        let mut path = Path::new(0, nexus);
        let reset = Function {
            nexus,
            lun: Lun(2),
            function: TaskManagement::LogicalUnitReset,
            response: Some(TmfResponse::Rejected),
            fault: None,
            tag: TaskTag::of_function(0),
        };
        let request = function(&reset, TaskTag::of_command(7), &path);
        assert_eq!(request[..2], [0x42, 0x85]);
        assert_eq!(request[8..24], [0, 2, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 7]);
        let response = function_response(&reset, &mut path).unwrap();
        assert_eq!(response[..4], [0x22, 0x80, 0xff, 0]);
        assert_eq!(response[16..20], request[16..20]);
        assert_eq!((path.cmd_sn, path.stat_sn), (1, 2));
        let silent = Function { response: None, ..reset };
        assert_eq!(function_response(&silent, &mut path), None);
        assert_eq!(path.stat_sn, 2);
    }
}
