//! The cache, image and SAN that the tests share.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex, Once,
        atomic::{AtomicU32, Ordering},
    },
};

use sansim_array::{
    Array, ArrayConfig, CommandRecord, ControllerConfig, FrameConfig, HbaId, Lun, LunConfig,
    Mapping, Observer, PersonalityConfig, RdacConfig, StateChange,
};
use sansim_hba::{HbaConfig, HbaServer};
use sansim_lab::{
    Accel, HbaSocket, Health, Image, ImageStore, Machine, MachineConfig, Progress, TimeMode,
    WorkDir, doctor, hba_address,
};
use sansim_protocol::{Answer, Call, Disk, ProgramEnd, TargetAddress};
use sansim_time::RealClock;

/// The environment of a test.
pub(crate) struct Lab {
    pub(crate) store: ImageStore,
    pub(crate) work: WorkDir,
    image: Image,
}

impl Lab {
    /// Returns `None` and prints the reason when a host program is missing.
    pub(crate) async fn open() -> Option<Lab> {
        build_agent();
        let store = ImageStore::at(Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")).unwrap();
        let checks = doctor(&store);
        if let Some(bad) = checks.iter().find(|check| check.health == Health::Bad) {
            let fix = bad.fix.as_deref().unwrap_or_default();
            assert!(bad.found.ends_with("was not found"), "{bad:?}");
            eprintln!("skipped: {}: {fix}", bad.found);
            return None;
        }
        let image = store.build("bookworm", &Said::default()).await.unwrap();
        assert!(image.release.starts_with("6.1"), "{image:?}");
        Some(Lab { store, work: WorkDir::create().unwrap(), image })
    }

    pub(crate) fn config(&self, hbas: Vec<HbaSocket>) -> MachineConfig {
        MachineConfig {
            image: self.image.clone(),
            accel: Accel::Tcg,
            time: TimeMode::Real,
            memory_mib: 256,
            cpus: 1,
            services: sansim_lab::Services::None,
            marks: false,
            hbas,
            work_dir: self.work.path().to_owned(),
            console: self.work.path().join("console.log"),
        }
    }

    /// HBAs for making a template, with their sockets.
    pub(crate) fn throw_away(&self, count: u8) -> (Vec<HbaSocket>, San) {
        let san = San::start(self.work.path(), count);
        (san.sockets(), san)
    }
}

/// Builds the agent from the same sources as this test. Cargo does nothing if it is up to date.
fn build_agent() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "sansim-agent"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.unwrap().success(), "the agent does not build");
    });
}

/// Progress messages, collected for assertions.
#[derive(Debug, Default)]
pub(crate) struct Said(Mutex<Vec<String>>);

impl Said {
    pub(crate) fn has(&self, part: &str) -> bool {
        self.0.lock().unwrap().iter().any(|text| text.contains(part))
    }
}

impl Progress for Said {
    fn stage(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

struct Nobody;

impl Observer for Nobody {
    fn command(&self, _record: &CommandRecord) {}
    fn state(&self, _change: &StateChange) {}
}

/// An array with two LUNs of 32 MiB, and HBAs that see one port of each controller.
pub(crate) struct San {
    servers: Vec<HbaServer>,
}

impl San {
    pub(crate) fn start(dir: &Path, hbas: u8) -> San {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let lun = |n: u16| LunConfig {
            lun: Lun(n),
            bytes: 32 << 20,
            block_bytes: 512,
            owner: "A".parse().unwrap(),
            preferred: "A".parse().unwrap(),
            partner: None,
            label: format!("lun{n}"),
            read_only: false,
            name: None,
            mapping: Mapping::default(),
        };
        let personality = PersonalityConfig::Rdac(RdacConfig::default());
        let frame = FrameConfig::new(personality, vec![ControllerConfig { ports: 1 }; 2]);
        let config = ArrayConfig::new(vec![frame], vec![lun(0), lun(1)], 1);
        let array = Arc::new(Array::new(config, Arc::new(Nobody)).unwrap());
        let clock = RealClock::start();
        let server = |id| {
            let targets = vec!["A0".parse().unwrap(), "B0".parse().unwrap()];
            let config = HbaConfig { id: HbaId(id), targets, request_queues: 1 };
            let socket = dir.join(format!("san{number}-{id}.sock"));
            HbaServer::start(config, Arc::clone(&array), clock.clone(), &socket).unwrap()
        };
        San { servers: (0..hbas).map(server).collect() }
    }

    pub(crate) fn sockets(&self) -> Vec<HbaSocket> {
        let socket = |s: &HbaServer| HbaSocket { path: s.socket().to_owned(), request_queues: 1 };
        self.servers.iter().map(socket).collect()
    }

    /// Scans all targets. Returns all disks of the guest.
    pub(crate) async fn scan(&self, machine: &Machine) -> Vec<Disk> {
        let hbas = 0..self.servers.len();
        let targets: Vec<TargetAddress> = hbas
            .flat_map(|n| [0, 1].map(|target| TargetAddress { hba: hba_address(n), target }))
            .collect();
        let expect_disks = targets.len() * 2;
        let scan = Call::Scan { targets, expect_disks, timeout_ms: 120_000 };
        match machine.agent().call(scan).await.unwrap() {
            Answer::Disks { disks, .. } => disks,
            other => panic!("{other:?}"),
        }
    }
}

/// Reads a file of the guest.
pub(crate) async fn read(machine: &Machine, path: &str) -> String {
    match machine.agent().call(Call::ReadFile { path: path.into() }).await.unwrap() {
        Answer::Text { text } => text,
        other => panic!("{other:?}"),
    }
}

/// Runs a program of the guest's userland. Returns what it writes.
pub(crate) async fn run(machine: &Machine, argv: &[&str]) -> String {
    let argv = argv.iter().map(|&argument| argument.to_owned()).collect();
    match machine.agent().call(Call::Run { argv, timeout_ms: 60_000 }).await.unwrap() {
        Answer::Ran(ProgramEnd { stdout, stderr, .. }) => format!("{stdout}{stderr}"),
        other => panic!("{other:?}"),
    }
}
