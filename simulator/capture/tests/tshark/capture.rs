//! What tshark makes of commands, responses and task management.

use std::time::Duration;

use sansim_array::{
    CommandRecord, Completion, ServiceResponse, Status, TaskManagement, TmfResponse,
};

use crate::{
    san::{Captured, GOOD, STORY, captured, caught, check, command, function, response, taking},
    tool::Tshark,
};

const TEST_UNIT_READY: [u8; 6] = [0; 6];
const INQUIRY: [u8; 6] = [0x12, 0, 0, 0, 252, 0];
const READ_10: [u8; 10] = [0x28, 0, 0, 0, 0, 9, 0, 0, 8, 0];
const WRITE_16: [u8; 16] = [0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0];
const MODE_SELECT_6: [u8; 6] = [0x15, 0, 0, 0, 0x6e, 0];

/// Commands of two paths, in the order in which they end.
fn records() -> Vec<CommandRecord> {
    let busy = Completion { status: Status::Busy, ..GOOD };
    let short = Completion { residual: 156, ..GOOD };
    let offering = |record, offered| CommandRecord { offered, ..record };
    vec![
        offering(command(1, 1, "hba0:A0", &INQUIRY, short), 252),
        caught(command(2, 2, "hba1:B0", &MODE_SELECT_6, check(6, 0x2a, 1)), "not yet"),
        offering(command(4, 4, "hba0:A0", &READ_10, GOOD), 4096),
        command(5, 5, "hba1:B0", &WRITE_16, busy),
        // Held since before the others.
        taking(command(0, 0, "hba0:A0", &TEST_UNIT_READY, GOOD), Duration::from_millis(900)),
        // Lost, then aborted.
        taking(
            command(3, 3, "hba0:A0", &READ_10, response(ServiceResponse::Aborted)),
            Duration::from_millis(997),
        ),
        command(6, 1001, "hba1:B0", &TEST_UNIT_READY, response(ServiceResponse::TargetFailure)),
        taking(
            command(7, 1002, "hba1:B0", &TEST_UNIT_READY, response(ServiceResponse::BadTarget)),
            Duration::ZERO,
        ),
    ]
}

fn capture() -> Captured {
    let abort = TaskManagement::AbortTask { tag: 1003 };
    let abort = function(1000, "hba0:A0", abort, Some(TmfResponse::Complete));
    let reset = function(1003, "hba1:B0", TaskManagement::LogicalUnitReset, None);
    captured(&[abort, reset], &records())
}

fn tag(record: &CommandRecord) -> String {
    format!("0x{:08x}", record.seq)
}

#[test]
fn every_command_has_its_response_and_its_time() {
    let Some(tshark) = Tshark::find() else { return };
    let capture = capture();
    let tags = [
        "iscsi.initiatortasktag",
        "frame.number",
        "frame.time_epoch",
        "frame.interface_name",
        "iscsi.response_frame",
        "scsi_sbc.opcode",
    ];
    let commands = tshark.fields(&capture, "iscsi.opcode == 0x01", &tags);
    let tags = [
        "iscsi.initiatortasktag",
        "frame.number",
        "iscsi.request_frame",
        "iscsi.time",
        "iscsi.scsiresponse.status",
        "iscsi.scsiresponse.residualcount",
    ];
    let responses = tshark.fields(&capture, "iscsi.opcode == 0x21", &tags);
    assert_eq!(commands.len(), 8);
    assert_eq!(responses.len(), 6);
    for record in records() {
        let find = |rows: &[Vec<String>]| rows.iter().find(|row| row[0] == tag(&record)).cloned();
        let sent = find(&commands).unwrap();
        // Story time begins one day after 1970.
        let since = (record.at - STORY).as_secs_f64();
        assert_eq!(sent[2], format!("{:.9}", 86_400.0 + since));
        assert_eq!(sent[3], record.nexus.to_string().replace(':', " to "));
        assert_eq!(sent[5], format!("0x{:02x}", record.cdb[0]), "{sent:?}");
        let Some(came) = find(&responses) else {
            assert!([3, 7].contains(&record.seq), "{sent:?}");
            assert_eq!(sent[4], "");
            continue;
        };
        assert_eq!((&came[1], &came[2]), (&sent[4], &sent[1]));
        assert_eq!(came[3], format!("{:.9}", record.latency.as_secs_f64()));
        let Completion { status, residual, .. } = record.completion;
        assert_eq!(came[4..], [format!("0x{:02x}", status as u8), residual.to_string()]);
    }
}

#[test]
fn packets_are_in_the_order_of_time_and_tcp_has_no_complaints() {
    let Some(tshark) = Tshark::find() else { return };
    let capture = capture();
    let rows = tshark.fields(&capture, "", &["frame.time_epoch", "tcp.stream"]);
    assert_eq!(rows.len(), 8 + 6 + 3);
    assert!(rows.is_sorted_by(|a, b| a[0] <= b[0]), "{rows:?}");
    assert!(rows.iter().all(|row| row[1] == "0" || row[1] == "1"), "{rows:?}");
    let bad = "tcp.analysis.flags || _ws.malformed || tcp.checksum_bad.expert";
    let checked = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y", bad];
    assert_eq!(tshark.read(&capture, &checked), "");
}

#[test]
fn a_request_that_comes_late_in_the_file_reads_right() {
    let Some(tshark) = Tshark::find() else { return };
    // As if a thread had read the clock long before it came to the array.
    let arrivals = [(0, 10), (1, 20), (2, 30), (3, 15), (4, 40)];
    let records = arrivals.map(|(seq, ms)| command(seq, ms, "hba0:A0", &TEST_UNIT_READY, GOOD));
    let capture = captured(&[], &records);
    let sent = tshark.fields(&capture, "iscsi.opcode == 0x01", &["iscsi.initiatortasktag"]);
    assert_eq!(sent.concat(), [0, 1, 3, 2, 4].map(|seq: usize| tag(&records[seq])));
    let tags = ["iscsi.initiatortasktag", "iscsi.time"];
    let mut responses = tshark.fields(&capture, "iscsi.opcode == 0x21", &tags);
    responses.sort();
    assert_eq!(responses, records.map(|record| [tag(&record), "0.000010000".to_owned()]));
    assert_eq!(tshark.read(&capture, &["-Y", "tcp.analysis.flags"]), "");
}

#[test]
fn sense_data_and_comments_are_shown() {
    let Some(tshark) = Tshark::find() else { return };
    let capture = capture();
    let sense = ["scsi.sns.key", "scsi.sns.ascascq", "iscsi.initiatortasktag"];
    let sense = tshark.fields(&capture, "scsi.sns.key", &sense);
    assert_eq!(sense, [["0x06", "0x2a01", "0x00000002"]]);
    let tags = ["iscsi.initiatortasktag", "frame.comment"];
    let comments = tshark.fields(&capture, "frame.comment", &tags);
    assert_eq!(
        comments,
        [
            ["0x00000002", "caught by fault rule not yet"],
            ["0x00000003", "no response: the HBA ended it with ABORTED after 0.997000 s"],
            ["0x00000006", "TARGET FAILURE: there is no status"],
            ["0x00000007", "no response: the HBA ended it with BAD TARGET after 0.000000 s"],
            ["0x80000001", "never answered"],
        ]
    );
}

#[test]
fn a_function_names_the_command_that_it_aborts() {
    let Some(tshark) = Tshark::find() else { return };
    let capture = capture();
    let tags = [
        "iscsi.initiatortasktag",
        "iscsi.taskmanfun.function",
        "iscsi.taskmanfun.referencedtasktag",
        "iscsi.taskmanfun.response",
    ];
    assert_eq!(
        tshark.fields(&capture, "iscsi.opcode == 0x02 || iscsi.opcode == 0x22", &tags),
        [
            ["0x80000000", "0x01", "0x00000003", ""],
            ["0x80000000", "", "", "0x00"],
            ["0x80000001", "0x05", "0xffffffff", ""],
        ]
    );
}

#[test]
fn service_response_times_are_counted() {
    let Some(tshark) = Tshark::find() else { return };
    let table = tshark.read(&capture(), &["-q", "-z", "scsi,srt,0"]);
    let row = |name: &str| {
        let line = table.lines().find(|line| line.contains(name)).expect("a row");
        line.split(name).nth(1).unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    // Calls, then the shortest time.
    assert_eq!(row("Read(10)")[..2], ["1", "0.000010"], "{table}");
    assert_eq!(row("Write(16)")[..2], ["1", "0.000010"], "{table}");
}

#[test]
fn addresses_have_the_names_of_hbas_and_ports() {
    let Some(tshark) = Tshark::find() else { return };
    let args = ["-N", "n", "-Y", "iscsi.initiatortasktag == 2", "-T", "fields"];
    let hosts = ["-e", "ip.src_host", "-e", "ip.dst_host"];
    let text = tshark.read(&capture(), &[&args[..], &hosts].concat());
    assert_eq!(text, "hba1\tB0\nB0\thba1\n");
}
