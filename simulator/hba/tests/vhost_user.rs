//! A real HBA on a real socket, used by the front end of the vhost crate.

mod front_end;
mod guest;

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use front_end::{CONTROL, EVENTS, FrontEnd, PAGE, REQUESTS, is_logged, usual_features};
use guest::{
    ring::{readable, writable},
    san::{self, BLOCK, ManualClock, rule},
    scsi::{Response, TEST_UNIT_READY, inquiry, lun, read10, tmf, write10},
};
use sansim_array::{Action, Array, FaultRule, Then, VolumeChange};
use sansim_hba::{HbaConfig, HbaError, HbaServer};
use sansim_time::Clock;
use sansim_time::RealClock;
use tempfile::TempDir;
use vhost::{
    VhostBackend,
    vhost_user::{
        Frontend, VhostUserFrontend,
        message::{VhostUserConfigFlags, VhostUserVirtioFeatures},
    },
};
use vm_memory::{Bytes, GuestAddress};

const REQUEST_QUEUES: u16 = 2;
const QUEUES: usize = REQUESTS + REQUEST_QUEUES as usize;

/// An HBA with its array, clock and socket.
struct Bench {
    dir: TempDir,
    array: Arc<Array>,
    clock: Arc<dyn Clock>,
    server: HbaServer,
}

impl Bench {
    fn new(faults: Vec<FaultRule>) -> Self {
        Self::with_clock(faults, RealClock::start())
    }

    fn with_clock(faults: Vec<FaultRule>, clock: Arc<dyn Clock>) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let array = san::array(8 << 20, faults);
        let socket = dir.path().join("hba0");
        let server = HbaServer::start(config(), Arc::clone(&array), Arc::clone(&clock), &socket)
            .expect("the socket is free");
        Bench { dir, array, clock, server }
    }

    fn connect(&self) -> FrontEnd {
        let mut front = FrontEnd::connect(self.server.socket(), QUEUES, 256, 40);
        // Take the pending unit attentions of the nexuses.
        for target in 0..2 {
            for _ in 0..4 {
                let parts = front.place(0).plain();
                front.run(lun(target, 0), &TEST_UNIT_READY, &parts);
            }
        }
        front
    }

    fn apply(&self, action: Action) {
        self.array.apply(self.clock.now(), action).expect("the array can");
    }
}

fn config() -> HbaConfig {
    HbaConfig {
        id: san::HBA,
        targets: vec![san::port_a(), san::port_b()],
        request_queues: REQUEST_QUEUES,
    }
}

fn hold_reads() -> FaultRule {
    rule("hold", "READ", Then::held("gate"))
}

/// The content of a block after it was written for the `round`th time.
fn content(block: u32, round: u8) -> Vec<u8> {
    (0..BLOCK).map(|at| (block as usize * 7 + at) as u8 ^ round).collect()
}

#[test]
fn hundreds_of_writes_are_read_back_on_every_queue() {
    let bench = Bench::new(vec![]);
    let mut front = bench.connect();
    for round in 1..=3 {
        for queue in [REQUESTS, REQUESTS + 1] {
            for batch in 0..4u32 {
                let slots = 0..32u16;
                let block = |slot: u16| queue as u32 * 1000 + batch * 32 + u32::from(slot);
                for slot in slots.clone() {
                    let place = front.place(slot);
                    place.put_data(&front.memory, &content(block(slot), round));
                    place.command(&front.memory, lun(0, 0), 0, &write10(block(slot), 1));
                    front.offer(queue, slot, &place.writing(BLOCK));
                }
                for _ in slots.clone() {
                    let (slot, len) = front.wait_used(queue);
                    assert_eq!(len, 108);
                    assert_eq!(front.place(slot).response(&front.memory), Response::GOOD);
                }
                for slot in slots.clone() {
                    let place = front.place(slot);
                    place.put_data(&front.memory, &[0; BLOCK]);
                    place.command(&front.memory, lun(0, 0), 0, &read10(block(slot), 1));
                    front.offer(queue, slot, &place.reading(BLOCK));
                }
                for _ in slots {
                    let (slot, len) = front.wait_used(queue);
                    assert_eq!(len, 108 + BLOCK as u32);
                    let read = front.place(slot).take_data(&front.memory, BLOCK);
                    assert_eq!(read, content(block(slot), round), "block {}", block(slot));
                }
            }
        }
    }
    let statistics = bench.server.statistics();
    assert_eq!(statistics.bytes_out, 3 * 2 * 4 * 32 * BLOCK as u64);
    assert_eq!(statistics.malformed, 0);
    assert!(statistics.notifications <= statistics.commands + 8);
}

#[test]
fn the_configuration_can_be_read_and_survives_being_written() {
    let bench = Bench::new(vec![]);
    let mut front = bench.connect();
    let flags = VhostUserConfigFlags::WRITABLE;
    let mut read = |offset: u32, len: usize| {
        front.frontend.get_config(offset, len as u32, flags, &vec![0; len]).map(|(_, bytes)| bytes)
    };
    assert_eq!(read(0, 4).expect("num_queues"), u32::from(REQUEST_QUEUES).to_le_bytes());
    assert_eq!(read(20, 8).expect("sense_size and cdb_size"), [96, 0, 0, 0, 32, 0, 0, 0]);
    for (offset, bytes) in [(20, [96, 0, 0, 0]), (24, [16, 0, 0, 0]), (200, [1, 2, 3, 4])] {
        front.frontend.set_config(offset, flags, &bytes).expect("it is ignored at worst");
    }
    let parts = front.place(0).plain();
    assert_eq!(front.run(lun(0, 0), &TEST_UNIT_READY, &parts), Response::GOOD);
}

#[test]
fn held_commands_and_events_come_by_way_of_the_doorbell() {
    let bench = Bench::new(vec![hold_reads()]);
    let mut front = bench.connect();
    let buffer = front.place(30);
    front.offer(EVENTS, 30, &[writable(buffer.data(), 16)]);
    front.offer(EVENTS, 31, &[writable(front.place(31).data(), 16)]);
    let place = front.place(5);
    place.command(&front.memory, lun(0, 0), 5, &read10(0, 1));
    front.offer(REQUESTS + 1, 5, &place.reading(BLOCK));
    // The first queue is served while the command waits on the second one.
    let parts = front.place(0).reading(36);
    assert_eq!(front.run(lun(0, 0), &inquiry(36), &parts), Response::GOOD);
    wait_until(|| bench.server.statistics().parked == 1);
    assert_eq!(front.take_used(REQUESTS + 1), None);

    bench.apply(Action::Release { hold: "gate".into() });
    assert_eq!(front.wait_used(REQUESTS + 1), (5, 108 + BLOCK as u32));
    assert_eq!(place.response(&front.memory), Response::GOOD);

    bench.apply(VolumeChange::Map(san::lun(3, 1 << 20)).into());
    assert_eq!((front.wait_used(EVENTS).1, front.wait_used(EVENTS).1), (16, 16));
    assert_eq!(buffer.take_data(&front.memory, 1), [1], "TRANSPORT RESET");
}

#[test]
fn a_delay_is_waited_for_on_the_clock() {
    let clock = Arc::new(ManualClock::default());
    let delay = Then::delayed(Duration::from_secs(3600));
    let bench = Bench::with_clock(vec![rule("slow", "READ", delay)], Arc::clone(&clock) as _);
    let mut front = bench.connect();
    let place = front.place(5);
    place.command(&front.memory, lun(0, 0), 5, &read10(0, 1));
    front.offer(REQUESTS, 5, &place.reading(BLOCK));
    wait_until(|| clock.waiting() == 1);
    clock.advance(Duration::from_secs(3600));
    assert_eq!(front.wait_used(REQUESTS), (5, 108 + BLOCK as u32));
}

#[test]
fn an_abort_ends_a_command_of_another_thread_s_queue_first() {
    let bench = Bench::new(vec![hold_reads()]);
    let mut front = bench.connect();
    let place = front.place(5);
    place.command(&front.memory, lun(0, 0), 0xBEEF, &read10(0, 1));
    front.offer(REQUESTS + 1, 5, &place.reading(BLOCK));
    wait_until(|| bench.server.statistics().parked == 1);
    let control = front.place(6);
    let request = tmf(0, lun(0, 0), 0xBEEF);
    front.memory.write_slice(&request, GuestAddress(control.base)).expect("it is in memory");
    front.offer(CONTROL, 6, &[readable(control.base, 24), writable(control.data(), 1)]);
    assert_eq!(front.wait_used(CONTROL), (6, 1));
    assert_eq!(front.take_used(REQUESTS + 1), Some((5, 108)), "it was there before the answer");
    assert_eq!(place.response(&front.memory).code, 2, "ABORTED");
}

#[test]
fn a_stopped_queue_gives_its_commands_back_and_starts_again() {
    let bench = Bench::new(vec![hold_reads()]);
    let mut front = bench.connect();
    let place = front.place(5);
    place.command(&front.memory, lun(0, 0), 5, &read10(0, 1));
    front.offer(REQUESTS, 5, &place.reading(BLOCK));
    wait_until(|| bench.server.statistics().parked == 1);
    let base = front.frontend.get_vring_base(REQUESTS).expect("the queue is there");
    assert_eq!(base, 8 + 1, "the commands before it, and it");
    assert_eq!(front.take_used(REQUESTS), Some((5, 108)));
    let response = place.response(&front.memory);
    assert_eq!((response.code, response.status), (0, 8), "BUSY: the guest sends it again");

    // A command offered while the queue is stopped is served when the queue resumes.
    place.command(&front.memory, lun(0, 0), 6, &TEST_UNIT_READY);
    front.queues[REQUESTS].ring.offer(&front.memory, 5, &place.plain());
    front.start_queue(REQUESTS, base as u16);
    assert_eq!(front.wait_used(REQUESTS), (5, 108));
    assert_eq!(place.response(&front.memory), Response::GOOD);
}

#[test]
fn pages_that_are_written_are_logged_for_a_migration() {
    let bench = Bench::new(vec![]);
    let mut front = bench.connect();
    let log = front.log_writes();
    let place = front.place(3);
    let data = place.data();
    assert!(!is_logged(&log, data));
    place.command(&front.memory, lun(0, 0), 3, &read10(0, 16));
    front.offer(REQUESTS, 3, &place.reading(16 * BLOCK));
    front.wait_used(REQUESTS);
    let used_ring = front.queues[REQUESTS].ring.used;
    for written in [data, data + PAGE, place.response_address(), used_ring] {
        assert!(is_logged(&log, written), "{written:#x}");
    }
    for untouched in [data + 2 * PAGE, front.place(4).data()] {
        assert!(!is_logged(&log, untouched), "{untouched:#x}");
    }
}

#[test]
fn a_front_end_that_goes_away_leaves_nothing_behind() {
    let bench = Bench::new(vec![hold_reads()]);
    for connection in 1..=6 {
        let mut front = bench.connect();
        for slot in 1..20 {
            let place = front.place(slot);
            place.command(&front.memory, lun(0, 0), u64::from(slot), &read10(0, 1));
            front.offer(REQUESTS, slot, &place.reading(BLOCK));
        }
        wait_until(|| bench.server.statistics().parked == connection * 19);
        drop(front);
        wait_until(|| bench.server.statistics().connections == connection);
    }
    // Commands of disconnected front ends are not resumed.
    bench.apply(Action::Release { hold: "gate".into() });
    let mut front = bench.connect();
    let parts = front.place(0).reading(BLOCK);
    assert_eq!(front.run(lun(0, 0), &read10(0, 1), &parts), Response::GOOD);
    let statistics = bench.server.statistics();
    assert_eq!((statistics.connections, statistics.malformed), (7, 0));
}

#[test]
fn garbage_on_the_socket_ends_the_connection_and_no_more() {
    let bench = Bench::new(vec![]);
    let mut messages: Vec<Vec<u8>> =
        vec![vec![], vec![0xFF; 3], vec![0xFF; 4096], b"GET / HTTP/1.1\r\n\r\n".to_vec()];
    // Every request code, and some undefined ones, with a body that has the wrong size for nearly
    // all of them.
    for code in 0..48u32 {
        let mut message = Vec::new();
        for word in [code, 1 | 8, 32] {
            message.extend(word.to_ne_bytes());
        }
        message.extend([0xAB; 32]);
        messages.push(message);
    }
    let count = messages.len() as u64;
    for message in messages {
        let mut stream = UnixStream::connect(bench.server.socket()).expect("it listens");
        // The server may have closed the connection already.
        let _ = stream.write_all(&message);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
    let mut front = bench.connect();
    let parts = front.place(0).plain();
    assert_eq!(front.run(lun(0, 0), &TEST_UNIT_READY, &parts), Response::GOOD);
    assert_eq!(bench.server.statistics().connections, count + 1);
}

#[test]
fn features_that_were_not_offered_are_refused() {
    let bench = Bench::new(vec![]);
    let front = Frontend::connect(bench.server.socket(), QUEUES as u64).expect("it listens");
    front.set_owner().expect("it is free");
    let offered = front.get_features().expect("it has features");
    for bit in [1u32, 2, 24, 26, 28, 29, 30, 32] {
        assert_ne!(offered & 1 << bit, 0, "bit {bit}");
    }
    assert_eq!(offered & 1, 0, "INOUT");
    assert_eq!(usual_features(offered) & VhostUserVirtioFeatures::LOG_ALL.bits(), 0);
    front.set_features(offered | 1 << 40).expect("it is not waited for");
    assert!(front.get_features().is_err(), "it hung up");
}

#[test]
fn stopping_ends_the_connection_and_removes_the_socket() {
    let Bench { server, dir, .. } = Bench::new(vec![]);
    let socket = server.socket().to_owned();
    let front = FrontEnd::connect(&socket, QUEUES, 1024, 1);
    server.stop();
    assert!(!socket.exists());
    assert!(front.frontend.get_features().is_err(), "it hung up");
    assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 0);
}

#[test]
fn a_socket_is_taken_over_only_from_the_dead() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    let start = |path: &PathBuf| {
        HbaServer::start(config(), san::array(1 << 20, vec![]), RealClock::start(), path)
    };
    let stale = path("stale");
    drop(UnixListener::bind(&stale).expect("it is free"));
    assert!(stale.exists());
    let server = start(&stale).expect("nobody listens there");
    assert!(matches!(start(&stale), Err(HbaError::SocketInUse { .. })));
    server.stop();

    let file = path("file");
    fs::write(&file, "precious").expect("it can be written");
    assert!(matches!(start(&file), Err(HbaError::SocketInUse { .. })));
    assert_eq!(fs::read(&file).expect("it is still there"), b"precious");

    assert!(matches!(start(&path("no/such/place")), Err(HbaError::Listen { .. })));
}

#[test]
fn an_hba_that_cannot_be_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = |config| {
        let array = san::array(1 << 20, vec![]);
        HbaServer::start(config, array, RealClock::start(), &dir.path().join("hba"))
    };
    for request_queues in [0, 63] {
        let refused = start(HbaConfig { request_queues, ..config() });
        assert!(matches!(refused, Err(HbaError::RequestQueues { .. })));
    }
    let refused = start(HbaConfig { targets: vec![san::port_a(); 257], ..config() });
    assert!(matches!(refused, Err(HbaError::Targets { count: 257, .. })));
    let most = HbaConfig { request_queues: 62, targets: vec![], ..config() };
    let server = start(most).expect("it is possible");
    let front = FrontEnd::connect(server.socket(), 64, 16, 1);
    drop(front);
}

/// Waits until the condition holds, with a timeout.
fn wait_until(mut happened: impl FnMut() -> bool) {
    while !happened() {
        std::thread::sleep(Duration::from_millis(1));
    }
}
