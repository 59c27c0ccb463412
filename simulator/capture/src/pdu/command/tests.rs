use std::time::Duration;

use sansim_array::{
    Cdb, Completion, HbaId, Lun, Nexus, Operation, Sense, SenseForm, ServiceResponse, Stage, Status,
};
use sansim_time::Time;

use super::*;

const GOOD: Completion =
    Completion { response: ServiceResponse::Ok, status: Status::Good, sense: None, residual: 0 };

fn record(cdb: &[u8], offered: u32, completion: Completion) -> CommandRecord {
    let mut field = [0; Cdb::MAX];
    field[..cdb.len()].copy_from_slice(cdb);
    CommandRecord {
        seq: 0x0102,
        at: Time::ZERO,
        latency: Duration::ZERO,
        nexus: Nexus { hba: HbaId(0), port: "A0".parse().unwrap() },
        lun: Lun(3),
        addressed: Lun(3),
        tag: 0,
        cdb: Cdb::new(&field),
        op: Operation::of(&field),
        offered,
        completion,
        fault: None,
        stage: Stage::Story,
        data: None,
    }
}

fn path() -> Path {
    Path::new(0, record(&[], 0, GOOD).nexus)
}

#[test]
fn a_command_has_its_number_its_lun_and_its_cdb() {
    let mut path = path();
    let read = record(&[0x28, 0, 0, 0, 0, 9, 0, 0, 8, 0], 4096, GOOD);
    let pdu = command(&read, &mut path);
    assert_eq!(pdu.len(), 48);
    assert_eq!(pdu[..8], [0x01, 0xc1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(pdu[8..24], [0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0x10, 0]);
    assert_eq!(pdu[24..32], [0, 0, 0, 1, 0, 0, 0, 1]);
    assert_eq!(pdu[32..42], read.cdb[..10]);
    assert_eq!((path.cmd_sn, path.stat_sn), (2, 1));
}

#[test]
fn the_flags_say_where_data_goes() {
    let flags = |cdb: &[u8], offered| command(&record(cdb, offered, GOOD), &mut path())[1];
    assert_eq!(flags(&[0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0], 512), 0xa1);
    assert_eq!(flags(&[0x12, 0, 0, 0, 36, 0], 36), 0xc1);
    // TEST UNIT READY; VERIFY without data; an operation whose direction is not known.
    assert_eq!(flags(&[0; 6], 0), 0x81);
    assert_eq!(flags(&[0x2f, 0, 0, 0, 0, 0, 0, 0, 1, 0], 0), 0x81);
    let unknown = command(&record(&[0xc0, 1], 512, GOOD), &mut path());
    assert_eq!((unknown[1], &unknown[20..24]), (0x81, &[0; 4][..]));
}

#[test]
fn a_long_cdb_has_an_additional_header_segment() {
    let mut long = [0; 32];
    (long[0], long[7], long[16], long[31]) = (0x7f, 24, 0xaa, 0xbb);
    let pdu = command(&record(&long, 0, GOOD), &mut path());
    assert_eq!((pdu.len(), pdu[4]), (48 + 20, 5));
    assert_eq!(pdu[32..48], long[..16]);
    assert_eq!(pdu[48..52], [0, 17, 1, 0]);
    assert_eq!(pdu[52..], long[16..]);
}

#[test]
fn a_check_condition_carries_its_sense_data() {
    let mut path = path();
    let sense = Sense::new(5, 0x94, 1);
    let check = Completion { status: Status::CheckCondition, sense: Some(sense), ..GOOD };
    let pdu = response(&record(&[0; 6], 0, check), &mut path).unwrap();
    assert_eq!(pdu[..8], [0x21, 0x80, 0, 2, 0, 0, 0, 20]);
    assert_eq!(pdu[24..36], [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0]);
    assert_eq!(pdu[48..50], [0, 18]);
    assert_eq!(pdu[50..], sense.to_fixed());
    assert_eq!(path.stat_sn, 2);

    let descriptor = Some(sense.with_form(SenseForm::Descriptor));
    let check = Completion { sense: descriptor, ..check };
    let pdu = response(&record(&[0; 6], 0, check), &mut path).unwrap();
    assert_eq!((pdu.len(), pdu[7]), (48 + 12, 10));
    assert_eq!(pdu[48..], [0, 8, 0x72, 5, 0x94, 1, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn what_was_not_transferred_is_an_underflow() {
    let residual = |cdb: &[u8], offered, residual| {
        let pdu = response(&record(cdb, offered, Completion { residual, ..GOOD }), &mut path());
        let pdu = pdu.unwrap();
        (pdu[1], u32::from_be_bytes(pdu[44..].try_into().unwrap()))
    };
    assert_eq!(residual(&[0x12, 0, 0, 0, 252, 0], 252, 156), (0x82, 156));
    assert_eq!(residual(&[0x12, 0, 0, 0, 252, 0], 252, 0), (0x80, 0));
    assert_eq!(residual(&[0xc0], 512, 512), (0x80, 0));
}

#[test]
fn only_what_a_target_sends_is_a_response() {
    let response = |response| {
        let completion = Completion { response, ..GOOD };
        let record = record(&[0; 6], 0, completion);
        let pdu = super::response(&record, &mut path());
        assert_eq!(has_response(&record), pdu.is_some());
        pdu.map(|pdu| pdu[2])
    };
    assert_eq!(response(ServiceResponse::Ok), Some(0));
    assert_eq!(response(ServiceResponse::TargetFailure), Some(1));
    for silent in [
        ServiceResponse::Overrun,
        ServiceResponse::Aborted,
        ServiceResponse::BadTarget,
        ServiceResponse::Reset,
        ServiceResponse::Busy,
        ServiceResponse::TransportFailure,
        ServiceResponse::NexusFailure,
        ServiceResponse::Failure,
        ServiceResponse::Unknown,
    ] {
        assert_eq!(response(silent), None, "{silent}");
    }
}
