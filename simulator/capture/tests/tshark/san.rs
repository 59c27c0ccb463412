//! Made-up reports of an array.

use std::{fs::File, path::PathBuf, sync::Arc, time::Duration};

use sansim_array::{
    Cdb, Changed, CommandRecord, Completion, HbaId, Lun, Nexus, Operation, Sense, ServiceResponse,
    Stage, StateChange, Status, TaskManagement, TmfResponse,
};
use sansim_capture::Capture;
use sansim_time::Time;
use tempfile::TempDir;

/// The time of the story's beginning.
pub(crate) const STORY: Time = Time::from_nanos(5_000_000_000);

pub(crate) const GOOD: Completion =
    Completion { response: ServiceResponse::Ok, status: Status::Good, sense: None, residual: 0 };

pub(crate) fn check(key: u8, asc: u8, ascq: u8) -> Completion {
    let sense = Some(Sense::new(key, asc, ascq));
    Completion { status: Status::CheckCondition, sense, ..GOOD }
}

pub(crate) fn response(response: ServiceResponse) -> Completion {
    Completion { response, ..GOOD }
}

pub(crate) fn nexus(path: &str) -> Nexus {
    let (hba, port) = path.split_once(':').unwrap();
    Nexus {
        hba: HbaId(hba.strip_prefix("hba").unwrap().parse().unwrap()),
        port: port.parse().unwrap(),
    }
}

/// A command to LUN 0 that takes 10 microseconds. `ms` is story time.
pub(crate) fn command(
    seq: u64,
    ms: u64,
    path: &str,
    cdb: &[u8],
    completion: Completion,
) -> CommandRecord {
    // The field of a virtio-scsi request.
    let mut field = [0; Cdb::MAX];
    field[..cdb.len()].copy_from_slice(cdb);
    CommandRecord {
        seq,
        at: STORY + Duration::from_millis(ms),
        latency: Duration::from_micros(10),
        nexus: nexus(path),
        lun: Lun(0),
        addressed: Lun(0),
        tag: 1000 + seq,
        cdb: Cdb::new(&field),
        op: Operation::of(cdb),
        offered: 0,
        completion,
        fault: None,
        stage: Stage::Story,
        data: None,
    }
}

pub(crate) fn caught(record: CommandRecord, rule: &str) -> CommandRecord {
    CommandRecord { fault: Some(Arc::from(rule)), ..record }
}

pub(crate) fn taking(record: CommandRecord, latency: Duration) -> CommandRecord {
    CommandRecord { latency, ..record }
}

/// A task management function for LUN 0. `ms` is story time.
pub(crate) fn function(
    ms: u64,
    path: &str,
    function: TaskManagement,
    response: Option<TmfResponse>,
) -> StateChange {
    let (nexus, lun) = (nexus(path), Lun(0));
    let what =
        Changed::TaskManagement { nexus, lun, addressed: lun, function, response, fault: None };
    StateChange { at: STORY + Duration::from_millis(ms), what }
}

/// A capture file that is removed with its directory.
pub(crate) struct Captured {
    pub(crate) file: PathBuf,
    _directory: TempDir,
}

/// Captures these reports, in this order.
pub(crate) fn captured(changes: &[StateChange], records: &[CommandRecord]) -> Captured {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("capture.pcapng");
    let nexuses = ["hba0:A0", "hba1:B0"].map(nexus);
    let mut capture =
        Capture::new(File::create(&file).unwrap(), nexuses, STORY, 0, 1 << 20).unwrap();
    for change in changes {
        capture.change(change).unwrap();
    }
    for record in records {
        capture.command(record).unwrap();
    }
    assert!(!capture.full());
    capture.finish().unwrap();
    Captured { file, _directory: directory }
}
