//! Disconnected front ends leave no file descriptor and no thread behind. The test needs a process
//! of its own, because it counts them.

mod front_end;
mod guest;

use std::{fs, sync::Arc};

use front_end::{FrontEnd, REQUESTS};
use guest::{
    san,
    scsi::{TEST_UNIT_READY, lun},
};
use sansim_hba::{HbaConfig, HbaServer};
use sansim_time::RealClock;

fn entries(directory: &str) -> usize {
    fs::read_dir(directory).expect("it is there").count()
}

#[test]
fn connections_leave_neither_descriptors_nor_threads() {
    let dir = tempfile::tempdir().expect("a directory");
    let before = (entries("/proc/self/fd"), entries("/proc/self/task"));
    let array = san::array(1 << 20, vec![]);
    let config = HbaConfig { id: san::HBA, targets: vec![san::port_a()], request_queues: 3 };
    let clock = RealClock::start();
    let server =
        HbaServer::start(config, Arc::clone(&array), clock, &dir.path().join("hba")).expect("free");
    let mut counts = Vec::new();
    for _ in 0..5 {
        let mut front = FrontEnd::connect(server.socket(), REQUESTS + 3, 64, 1);
        let parts = front.place(0).plain();
        // When the server serves this front end, it has cleaned up after the earlier ones.
        front.run(lun(0, 0), &TEST_UNIT_READY, &parts);
        counts.push((entries("/proc/self/fd"), entries("/proc/self/task")));
    }
    assert!(counts[0].0 > before.0 && counts[0].1 > before.1, "there is something to count");
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    server.stop();
    assert_eq!((entries("/proc/self/fd"), entries("/proc/self/task")), before);
}
