//! A running guest.

use std::path::PathBuf;

use sansim_protocol::Event;
use tokio::sync::mpsc;

use crate::{Accel, AgentLink, Image, Result, Template};

/// A vhost-user-scsi backend that listens already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HbaSocket {
    /// Its Unix socket.
    pub path: PathBuf,
    /// How many request queues the device has.
    pub request_queues: u16,
}

/// What a machine is made of.
#[derive(Debug, Clone)]
pub struct MachineConfig {
    /// The guest.
    pub image: Image,
    /// How its code is executed.
    pub accel: Accel,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// Processors.
    pub cpus: u8,
    /// Its HBAs, at most 15; the n-th is found at [`hba_address`]`(n)`.
    pub hbas: Vec<HbaSocket>,
    /// For sockets; ours alone, and short (a socket's path has 107 bytes at most).
    pub work_dir: PathBuf,
    /// The file that receives the serial console.
    pub console: PathBuf,
}

/// How a machine came up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boot {
    /// By booting the kernel.
    Cold,
    /// From a template.
    Template,
}

impl std::fmt::Display for Boot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Boot::Cold => "cold",
            Boot::Template => "template",
        })
    }
}

/// How a machine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitReason {
    /// The guest powered itself off.
    PowerOff,
    /// The guest's kernel panicked, or the guest rebooted (which ends the machine, too).
    PanicOrReboot,
    /// This program ended it.
    Stopped,
    /// QEMU was killed by a signal of another's.
    Signal(i32),
    /// QEMU gave up by itself.
    Failed {
        /// Its exit code.
        code: i32,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
}

impl std::fmt::Display for ExitReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ExitReason::PowerOff => f.write_str("it powered itself off"),
            ExitReason::PanicOrReboot => f.write_str("its kernel panicked or rebooted"),
            ExitReason::Stopped => f.write_str("it was stopped by this program"),
            ExitReason::Signal(signal) => write!(f, "QEMU was killed by signal {signal}"),
            ExitReason::Failed { code, stderr } => {
                write!(f, "QEMU ended with exit code {code}: {}", stderr.trim())
            }
        }
    }
}

/// The PCI address of the n-th HBA (from 0) as the guest sees it, for instance `0000:00:10.0`.
pub fn hba_address(index: usize) -> String {
    format!("0000:00:{:02x}.0", 0x10 + index)
}

/// A running guest. Dropping it kills QEMU.
#[derive(Debug)]
pub struct Machine {
    _private: (),
}

impl Machine {
    /// Boots a guest. Returns when its agent is ready and its HBAs are there, with no disk scanned yet.
    pub async fn cold(config: MachineConfig) -> Result<Machine> {
        let _ = config;
        todo!()
    }

    /// Starts a guest from a template made for such a machine. Returns when its agent has answered; the
    /// base modules are loaded already.
    ///
    /// # Errors
    /// `BadTemplate` when the template does not restore; it has been thrown away then.
    pub async fn restore(config: MachineConfig, template: &Template) -> Result<Machine> {
        let _ = (config, template);
        todo!()
    }

    /// The agent of this guest.
    pub fn agent(&self) -> AgentLink {
        todo!()
    }

    /// What the agent reports of its own accord, oldest first; the first caller gets it, later ones
    /// `None`. It ends when the guest does. When 65536 events wait, further ones are dropped and counted
    /// in a [`Happening::Lost`](sansim_protocol::Happening).
    pub fn events(&mut self) -> Option<mpsc::Receiver<Event>> {
        todo!()
    }

    /// Waits for the end of the guest.
    pub async fn exited(&self) -> ExitReason {
        todo!()
    }

    /// The last lines of the serial console.
    pub fn console_tail(&self, lines: usize) -> String {
        let _ = lines;
        todo!()
    }

    /// Ends the guest at once, and waits until QEMU is gone.
    pub async fn kill(self) {
        todo!()
    }

    /// The version of QEMU, for instance `7.2.22`.
    pub fn qemu_version(&self) -> &str {
        todo!()
    }

    /// What QEMU occupies of the host's memory (resident), in bytes.
    pub fn memory_usage(&self) -> Option<u64> {
        todo!()
    }
}
