//! An HBA where file descriptors run out. A test program of its own: the limit is the process's.

use std::{fs, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sansim_hba::{HbaConfig, HbaServer};
use sansim_time::RealClock;

mod guest;

fn entries(dir: &str) -> u64 {
    fs::read_dir(dir).map_or(0, |entries| entries.count() as u64)
}

#[test]
fn an_hba_without_descriptors_says_so_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let limit = getrlimit(Resource::Nofile);
    // The clock's thread and its descriptors stay.
    let clock = RealClock::start();
    let threads = entries("/proc/self/task");
    let base = entries("/proc/self/fd");
    let mut troubles = 0;
    for more in 0..40 {
        let array = guest::san::array(1 << 20, Vec::new());
        let config = HbaConfig {
            id: guest::san::HBA,
            targets: vec![guest::san::port_a()],
            request_queues: 3,
        };
        let socket = dir.path().join(format!("{more}.sock"));
        let few = Rlimit { current: Some(base + more), ..limit };
        // The client is opened first, so that its descriptor is there.
        let client = rustix::net::socket(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::STREAM,
            None,
        )
        .unwrap();
        setrlimit(Resource::Nofile, few).unwrap();
        let server = HbaServer::start(config, array, clock.clone(), &socket);
        if let Ok(server) = server {
            let address = rustix::net::SocketAddrUnix::new(&socket).unwrap();
            rustix::net::connect(&client, &address).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            troubles += u32::from(server.trouble().is_some());
            server.stop();
        }
        setrlimit(Resource::Nofile, limit).unwrap();
    }
    assert!(troubles > 3, "no limit was hit while a front end was served");
    while entries("/proc/self/task") > threads {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(entries("/proc/self/fd"), base);
}
