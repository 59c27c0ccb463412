//! The SAN of a run: the array, and an HBA for each one of the setup.

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

/// Completed commands that may wait for the runner. A runner that cannot keep up slows the guest's
/// I/O down; nothing is dropped. During discovery nobody takes them.
const RECORDS_WAITING: usize = 1 << 18;

/// Commands that an HBA completes at most when it serves: those of all queues, and those that were
/// parked.
const RECORDS_AT_ONCE: usize = 1 << 17;

/// Why there is no SAN.
#[derive(Debug, thiserror::Error)]
pub enum SanError {
    /// The array cannot be built as the scenario says.
    #[error("the array cannot be: {0}")]
    Array(#[from] ConfigError),
    /// An HBA could not be started.
    #[error("an HBA could not be started: {0}")]
    Hba(#[from] HbaError),
}

/// An array and the HBAs that see it.
pub struct San {
    /// The array.
    pub array: Arc<Array>,
    /// Its HBAs.
    pub hbas: Vec<Arc<HbaServer>>,
    sockets: Vec<HbaSocket>,
    records: mpsc::Sender<CommandRecord>,
    guest_memory: u64,
}

/// What the array reports to the runner.
pub struct Wire {
    /// Completed commands.
    pub commands: mpsc::Receiver<CommandRecord>,
    /// Changes of state; their number is bounded by what steps and commands do.
    pub changes: mpsc::UnboundedReceiver<StateChange>,
}

struct Reporter {
    commands: mpsc::Sender<CommandRecord>,
    changes: mpsc::UnboundedSender<StateChange>,
}

impl Observer for Reporter {
    fn command(&self, record: &CommandRecord) {
        // After the run nobody listens any more.
        let _ = match self.commands.try_send(record.clone()) {
            // On an HBA's thread. The runner's only serves while there is room.
            Err(TrySendError::Full(record)) => self.commands.blocking_send(record),
            sent => sent.map_err(|error| SendError(error.into_inner())),
        };
    }

    fn state(&self, change: &StateChange) {
        let _ = self.changes.send(change.clone());
    }
}

impl San {
    /// Builds the scenario's array and starts its HBAs, with their sockets in `dir`.
    ///
    /// # Errors
    /// When the array is impossible, or a socket cannot be made.
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

    /// The HBAs, as devices that serve when the guest stands still.
    pub fn devices(&self) -> Vec<Arc<dyn Device>> {
        let device = |(index, hba): (usize, &Arc<HbaServer>)| {
            let (hba, records, slot) = (Arc::clone(hba), self.records.clone(), hba_slot(index));
            let (memory, scratch) = (self.guest_memory, OnceLock::new());
            Arc::new(Served { hba, records, slot, memory, scratch }) as Arc<dyn Device>
        };
        self.hbas.iter().enumerate().map(device).collect()
    }

    /// Where QEMU finds the HBAs.
    pub fn sockets(&self) -> Vec<HbaSocket> {
        self.sockets.clone()
    }

    /// Ends the HBAs. The receivers of [`Wire`] must be gone, or an HBA may wait for them.
    pub fn stop(self) {
        drop(self);
    }
}

/// An HBA that serves when the guest stands still.
struct Served {
    hba: Arc<HbaServer>,
    records: mpsc::Sender<CommandRecord>,
    slot: u8,
    /// The guest's memory, in bytes, and what stands in for it while requests are carried out again.
    memory: u64,
    scratch: OnceLock<Option<Scratch>>,
}

impl Served {
    /// Whether the runner can take all that serving may bring. Else the guest has to wait.
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
        // Of one that has served nothing there is nothing.
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
/// looks for disks, so what is behind the HBAs does not matter.
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
