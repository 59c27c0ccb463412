//! The SAN of a run: the array, and an HBA server for every HBA of the setup.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use sansim_array::{Array, CommandRecord, ConfigError, Observer, StateChange};
use sansim_hba::{HbaConfig, HbaError, HbaServer, Request, Scratch};
use sansim_lab::{Device, HbaSocket, TimeMode, hba_slot};
use tokio::sync::mpsc::{
    self,
    error::{SendError, TrySendError},
};

use crate::{Pace, Setup};

/// The capacity of the queue of completed commands. If the runner cannot keep up, the guest's I/O
/// slows down; no record is dropped. During discovery nothing is taken from the queue.
const RECORDS_WAITING: usize = 1 << 18;

/// The maximum number of commands that an HBA completes when it serves once: those of all queues,
/// and those that were parked.
const RECORDS_AT_ONCE: usize = 1 << 17;

/// Errors when a SAN is started.
#[derive(Debug, thiserror::Error)]
pub enum SanError {
    /// The configuration of the array is not valid.
    #[error("the array cannot be: {0}")]
    Array(#[from] ConfigError),
    /// An HBA cannot serve its guest.
    #[error("an HBA cannot serve the guest: {0}")]
    Serve(String),
    /// An HBA could not be started.
    #[error("an HBA could not be started: {0}{why}", why = why(.0))]
    Hba(#[from] HbaError),
}

/// The cause of an HBA's error, which the error itself does not name.
fn why(error: &HbaError) -> String {
    let cause = std::error::Error::source(error);
    cause.map(|cause| format!(" ({cause})")).unwrap_or_default()
}

/// An array and the HBAs that see it.
pub struct San {
    /// The array.
    pub array: Arc<Array>,
    /// The HBAs, by number.
    pub hbas: Vec<Arc<HbaServer>>,
    sockets: Vec<HbaSocket>,
    records: mpsc::Sender<CommandRecord>,
    guest_memory: u64,
}

/// The channels on which the array reports to the runner.
pub struct Wire {
    /// The completed commands.
    pub commands: mpsc::Receiver<CommandRecord>,
    /// The changes of state. The channel is unbounded, but steps and commands bound their number.
    pub changes: mpsc::UnboundedReceiver<StateChange>,
}

struct Reporter {
    commands: mpsc::Sender<CommandRecord>,
    changes: mpsc::UnboundedSender<StateChange>,
}

impl Observer for Reporter {
    fn command(&self, record: &CommandRecord) {
        // After the run there is no receiver any more.
        let _ = match self.commands.try_send(record.clone()) {
            // This blocks the HBA's own thread. An HBA that the runner's thread serves is served
            // only while there is room.
            Err(TrySendError::Full(record)) => self.commands.blocking_send(record),
            sent => sent.map_err(|error| SendError(error.into_inner())),
        };
    }

    fn state(&self, change: &StateChange) {
        let _ = self.changes.send(change.clone());
    }
}

impl San {
    /// Builds the array of the setup and starts its HBAs, with their sockets in `dir`.
    ///
    /// # Errors
    /// If the configuration of the array is not valid, or a socket cannot be created.
    pub fn start(
        setup: &Setup,
        seed: u64,
        pace: &Pace,
        dir: &Path,
    ) -> Result<(San, Wire), SanError> {
        let (commands, received) = mpsc::channel(RECORDS_WAITING);
        let (changes, changed) = mpsc::unbounded_channel();
        let reporter = Arc::new(Reporter { commands: commands.clone(), changes });
        let array = Arc::new(Array::new(setup.array_config(seed), reporter)?);
        let (hbas, sockets, guest_memory) = (Vec::new(), Vec::new(), setup.guest.memory);
        let mut san = San { array, hbas, sockets, records: commands, guest_memory };
        for hba in &setup.hbas {
            let path: PathBuf = dir.join(format!("{}.sock", hba.id));
            let config = HbaConfig {
                id: hba.id,
                targets: hba.targets.clone(),
                request_queues: hba.request_queues,
            };
            let array = Arc::clone(&san.array);
            let start = match pace {
                Pace::Real(_) => HbaServer::start,
                Pace::Skip(_) => HbaServer::start_held,
            };
            san.hbas.push(Arc::new(start(config, array, pace.clock(), &path)?));
            san.sockets.push(HbaSocket { path, request_queues: hba.request_queues });
        }
        Ok((san, Wire { commands: received, changes: changed }))
    }

    /// The HBAs as devices that serve requests while the guest is stopped.
    pub fn devices(&self) -> Vec<Arc<dyn Device>> {
        let device = |(index, hba): (usize, &Arc<HbaServer>)| {
            let (hba, records, slot) = (Arc::clone(hba), self.records.clone(), hba_slot(index));
            let (memory, scratch) = (self.guest_memory, OnceLock::new());
            Arc::new(Served { hba, records, slot, memory, scratch }) as Arc<dyn Device>
        };
        self.hbas.iter().enumerate().map(device).collect()
    }

    /// The sockets of the HBAs, for QEMU.
    pub fn sockets(&self) -> Vec<HbaSocket> {
        self.sockets.clone()
    }

    /// Why an HBA cannot serve its guest, in words; `None` if they all can.
    pub fn trouble(&self) -> Option<String> {
        self.hbas.iter().find_map(|hba| hba.trouble())
    }

    /// Stops the HBAs. The receivers of [`Wire`] must have been dropped, because otherwise an HBA
    /// could wait for them.
    pub fn stop(self) {
        drop(self);
    }
}

/// An HBA that serves requests while the guest is stopped.
struct Served {
    hba: Arc<HbaServer>,
    records: mpsc::Sender<CommandRecord>,
    slot: u8,
    /// The size in bytes of the guest's memory, and of its substitute during the replay of
    /// requests.
    memory: u64,
    scratch: OnceLock<Option<Scratch>>,
}

impl Served {
    /// Whether the queue has room for everything that serving can complete. If not, the guest has
    /// to wait.
    fn has_room(&self) -> bool {
        self.records.capacity() >= RECORDS_AT_ONCE || self.records.is_closed()
    }
}

impl Device for Served {
    fn serve(&self) {
        if self.has_room() {
            self.hba.serve();
        }
    }

    fn wants_service(&self) -> bool {
        self.hba.wants_service() || !self.has_room()
    }

    fn slot(&self) -> u8 {
        self.slot
    }

    fn take_interrupts(&self) -> Vec<u16> {
        self.hba.take_interrupts()
    }

    fn serve_and_write_down(&self) -> Option<Vec<u8>> {
        let requests = match self.has_room() {
            true => self.hba.serve_and_write_down()?,
            false => Vec::new(),
        };
        // An HBA that has served nothing has an empty recording.
        if requests.is_empty() { Some(Vec::new()) } else { postcard::to_stdvec(&requests).ok() }
    }

    fn carry_out(&self, served: &[u8]) -> bool {
        let requests: Vec<Request> = match served {
            [] => Vec::new(),
            served => match postcard::from_bytes(served) {
                Ok(requests) => requests,
                Err(_) => return false,
            },
        };
        let scratch = self.scratch.get_or_init(|| Scratch::new(self.memory).ok());
        scratch.as_ref().is_some_and(|scratch| self.hba.carry_out(&requests, scratch))
    }
}

/// The same SAN without its faults, for the machine that becomes a template. That machine never
/// scans for disks, so the contents of the array do not matter.
///
/// # Errors
/// As [`San::start`].
pub(crate) fn throw_away(
    setup: &Setup,
    time: TimeMode,
    dir: &Path,
) -> Result<(Vec<HbaSocket>, San), SanError> {
    let mut bare = setup.clone();
    bare.faults.clear();
    let (san, wire) = San::start(&bare, 0, &Pace::new(time), dir)?;
    drop(wire);
    Ok((san.sockets(), san))
}
