use sansim_array::{
    Cdb, Completion, HbaId, Lun, ServiceResponse, Stage, Status, TaskManagement, TmfResponse,
};

use super::*;

const COMPLETION: Completion =
    Completion { response: ServiceResponse::Ok, status: Status::Good, sense: None, residual: 0 };

fn nexus(hba: u8) -> Nexus {
    Nexus { hba: HbaId(hba), port: "A0".parse().unwrap() }
}

fn record(seq: u64, at: u64) -> CommandRecord {
    CommandRecord {
        seq,
        at: Time::from_nanos(at),
        latency: Duration::from_nanos(5),
        nexus: nexus(0),
        lun: Lun(0),
        addressed: Lun(0),
        tag: 0,
        cdb: Cdb::new(&[0; 6]),
        op: None,
        offered: 0,
        completion: COMPLETION,
        fault: None,
        stage: Stage::Story,
        data: None,
    }
}

fn capture(limit: u64) -> Capture<Vec<u8>> {
    Capture::new(Vec::new(), [nexus(0)], Time::from_nanos(100), 0, limit).unwrap()
}

/// The timestamps and the opcodes of the packets in a file.
fn packets(file: &[u8]) -> Vec<(u64, u8)> {
    let (mut rest, mut packets) = (file, Vec::new());
    let number = |at: &[u8]| u64::from(u32::from_le_bytes(at[..4].try_into().unwrap()));
    while !rest.is_empty() {
        let (block, after) = rest.split_at(number(&rest[4..]) as usize);
        if number(block) == 6 {
            // The PDU follows 28 bytes of the block and 54 of the frame.
            packets.push((number(&block[12..]) << 32 | number(&block[16..]), block[82]));
        }
        rest = after;
    }
    packets
}

#[test]
fn the_story_begins_a_day_after_1970() {
    let mut capture = capture(1 << 20);
    capture.command(&record(0, 100)).unwrap();
    capture.command(&record(1, 90)).unwrap();
    let day = 86_400_000_000_000;
    let seen = packets(&capture.finish().unwrap().0);
    assert_eq!(seen, [(day - 10, 0x01), (day - 5, 0x21), (day, 0x01), (day + 5, 0x21)]);
}

#[test]
fn nothing_is_before_1970() {
    let (begins, wire) = (Time::from_nanos(u64::MAX), [nexus(0)]);
    let mut capture = Capture::new(Vec::new(), wire, begins, 0, 1 << 20).unwrap();
    capture.command(&record(0, 7)).unwrap();
    assert_eq!(packets(&capture.finish().unwrap().0), [(0, 0x01), (0, 0x21)]);
}

#[test]
fn a_capture_ends_at_its_limit() {
    let beginning = capture(0).finish().unwrap().0.len();
    let mut all = capture(u64::MAX);
    let limit = beginning as u64 + FOR_THE_END + 500;
    let mut some = capture(limit);
    for seq in 0..10 {
        all.command(&record(seq, seq * 10)).unwrap();
        some.command(&record(seq, seq * 10)).unwrap();
    }
    assert!(some.full() && !all.full());
    let (all, some) = (all.finish().unwrap().0, some.finish().unwrap().0);
    assert!(some.len() as u64 <= limit && some.len() > beginning + 300);
    let seen = packets(&some);
    let (last, before) = seen.split_last().unwrap();
    assert_eq!((last.1, before), (0x00, &packets(&all)[..3]), "a NOP-Out says that it was cut");
    assert!(some.windows(22).any(|text| text == b"the capture ends here,"));
}

#[test]
fn other_paths_are_left_out_and_hold_nothing_back() {
    let mut capture = capture(1 << 20);
    capture.command(&CommandRecord { nexus: nexus(1), ..record(0, 10) }).unwrap();
    capture.command(&record(1, 20)).unwrap();
    capture.command(&CommandRecord { nexus: nexus(1), ..record(2, 30) }).unwrap();
    assert_eq!(packets(&capture.writer).len(), 2);
}

#[test]
fn a_function_is_followed_by_its_response() {
    let mut capture = capture(1 << 20);
    let function = |response| Changed::TaskManagement {
        nexus: nexus(0),
        lun: Lun(0),
        addressed: Lun(0),
        function: TaskManagement::AbortTask { tag: 0 },
        response,
        fault: None,
    };
    for (at, response) in [(50, Some(TmfResponse::Complete)), (60, None)] {
        let at = Time::from_nanos(at);
        capture.change(&StateChange { at, what: function(response) }).unwrap();
        capture.change(&StateChange { at, what: Changed::HbaReset(HbaId(0)) }).unwrap();
    }
    let seen = packets(&capture.finish().unwrap().0).into_iter().map(|(_, opcode)| opcode);
    assert_eq!(seen.collect::<Vec<_>>(), [0x42, 0x22, 0x42]);
}
