//! The SAN of a run: the array, and an HBA for each one of the scenario.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sansim_array::{Array, Clock, CommandRecord, ConfigError, Observer, StateChange};
use sansim_hba::{HbaConfig, HbaError, HbaServer};
use sansim_lab::HbaSocket;
use tokio::sync::mpsc;

use crate::lang::plan::Scenario;

/// Completed commands that may wait for the runner. A runner that cannot keep up slows the guest's
/// I/O down; nothing is dropped.
const RECORDS_WAITING: usize = 8192;

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
pub(super) struct San {
    /// The array.
    pub(super) array: Arc<Array>,
    servers: Vec<HbaServer>,
    sockets: Vec<HbaSocket>,
}

/// What the array reports to the runner.
pub(super) struct Wire {
    /// Completed commands.
    pub(super) commands: mpsc::Receiver<CommandRecord>,
    /// Changes of state; their number is bounded by what steps and commands do.
    pub(super) changes: mpsc::UnboundedReceiver<StateChange>,
}

struct Reporter {
    commands: mpsc::Sender<CommandRecord>,
    changes: mpsc::UnboundedSender<StateChange>,
}

impl Observer for Reporter {
    fn command(&self, record: &CommandRecord) {
        // Runs on an HBA's thread, never on the runner's. After the run nobody listens any more.
        let _ = self.commands.blocking_send(record.clone());
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
    pub(super) fn start(
        scenario: &Scenario,
        seed: u64,
        clock: Arc<dyn Clock>,
        dir: &Path,
    ) -> Result<(San, Wire), SanError> {
        let (commands, received) = mpsc::channel(RECORDS_WAITING);
        let (changes, changed) = mpsc::unbounded_channel();
        let reporter = Arc::new(Reporter { commands, changes });
        let array = Arc::new(Array::new(scenario.array_config(seed), reporter)?);
        let mut san = San { array, servers: Vec::new(), sockets: Vec::new() };
        for hba in &scenario.hbas {
            let path: PathBuf = dir.join(format!("{}.sock", hba.id));
            let config = HbaConfig {
                id: hba.id,
                targets: hba.targets.clone(),
                request_queues: hba.request_queues,
            };
            let array = Arc::clone(&san.array);
            san.servers.push(HbaServer::start(config, array, Arc::clone(&clock), &path)?);
            san.sockets.push(HbaSocket { path, request_queues: hba.request_queues });
        }
        Ok((san, Wire { commands: received, changes: changed }))
    }

    /// Where QEMU finds the HBAs.
    pub(super) fn sockets(&self) -> Vec<HbaSocket> {
        self.sockets.clone()
    }

    /// Ends the HBAs. The receivers of [`Wire`] must be gone, or an HBA may wait for them.
    pub(super) fn stop(self) {
        for server in self.servers {
            server.stop();
        }
    }
}

/// The same SAN without its faults, for the machine that becomes a template. That machine never
/// looks for disks, so what is behind the HBAs does not matter.
///
/// # Errors
/// As [`San::start`].
pub(super) fn throw_away(
    scenario: &Scenario,
    clock: Arc<dyn Clock>,
    dir: &Path,
) -> Result<(Vec<HbaSocket>, San), SanError> {
    let mut bare = scenario.clone();
    bare.faults.clear();
    let (san, wire) = San::start(&bare, 0, clock, dir)?;
    drop(wire);
    Ok((san.sockets(), san))
}
