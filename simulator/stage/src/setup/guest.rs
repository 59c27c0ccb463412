//! The machine under test, resolved.

use std::{collections::BTreeMap, fmt, time::Duration};

use sansim_lab::{Services, UdevRules};

use crate::TextMatch;

/// The machine under test.
#[derive(Debug, Clone, PartialEq)]
pub struct Guest {
    /// Name of the guest image.
    pub image: String,
    /// Who builds and manages the multipath maps.
    pub manager: Manager,
    /// Memory in bytes, a multiple of 1 MiB.
    pub memory: u64,
    /// Processors.
    pub cpus: u8,
    /// Kernel modules to load besides those a run always needs.
    pub modules: Vec<String>,
    /// The device handler, without `scsi_dh_`; none means that the map has no hardware handler.
    pub handler: Option<String>,
    /// Whether the handler's module is loaded before the first scan. Otherwise the kernel loads it
    /// when the map is built.
    pub load_handler: bool,
    /// Module parameters to write after loading: `module.parameter` to its value.
    pub parameters: BTreeMap<String, String>,
    /// How the maps are built.
    pub multipath: Multipath,
    /// Kernel log lines that do not fail the run although they warn of a BUG or the like.
    pub allow: Vec<TextMatch>,
}

impl Guest {
    /// The kernel module of the handler, if there is a handler.
    pub fn handler_module(&self) -> Option<String> {
        self.handler.as_ref().map(|name| format!("scsi_dh_{name}"))
    }

    /// The modules without which the scenario cannot be run: the handler's, whoever loads it, and
    /// those that it names.
    pub fn wanted_modules(&self) -> impl Iterator<Item = String> {
        self.handler_module().into_iter().chain(self.modules.iter().cloned())
    }
}

/// Who builds the multipath maps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manager {
    /// The lab loads the tables itself and nobody reinstates paths.
    Dmsetup,
    /// The guest's own multipathd.
    Multipathd(Multipathd),
}

/// How multipathd is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multipathd {
    /// The text of /etc/multipath.conf, if there is to be one.
    pub conf: Option<String>,
    /// The guest's udev rules.
    pub udev: UdevRules,
}

impl Manager {
    /// The daemons that a guest needs for it.
    pub fn services(&self) -> Services {
        match self {
            Manager::Dmsetup => Services::None,
            Manager::Multipathd(multipathd) => Services::Multipathd(multipathd.udev),
        }
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Manager::Dmsetup => "dmsetup",
            Manager::Multipathd(_) => "multipathd",
        })
    }
}

/// What goes into the table of a multipath map.
#[derive(Debug, Clone, PartialEq)]
pub struct Multipath {
    /// `pg_init_retries`, 1 to 50; none leaves the word out, which means 0 to the kernel.
    pub pg_init_retries: Option<u8>,
    /// `pg_init_delay_msecs`, at most 60 s; none leaves the word out, which means 2 s.
    pub pg_init_delay: Option<Duration>,
    /// `queue_if_no_path`.
    pub queue_if_no_path: bool,
    /// `retain_attached_hw_handler`.
    pub retain_attached_hw_handler: bool,
    /// The path selector.
    pub selector: Selector,
    /// How paths are grouped.
    pub path_groups: PathGroups,
    /// Arguments of the hardware handler.
    pub handler_args: Vec<String>,
}

impl Multipath {
    /// The feature words of the table line (mpath:parse_features).
    pub fn features(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.queue_if_no_path {
            words.push("queue_if_no_path".to_owned());
        }
        if self.retain_attached_hw_handler {
            words.push("retain_attached_hw_handler".to_owned());
        }
        if let Some(retries) = self.pg_init_retries {
            words.extend(["pg_init_retries".to_owned(), retries.to_string()]);
        }
        if let Some(delay) = self.pg_init_delay {
            words.extend(["pg_init_delay_msecs".to_owned(), delay.as_millis().to_string()]);
        }
        words
    }
}

/// dm-multipath's path selectors that distribution kernels have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector {
    /// `service-time`.
    ServiceTime,
    /// `queue-length`.
    QueueLength,
    /// `round-robin`.
    RoundRobin,
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Selector::ServiceTime => "service-time",
            Selector::QueueLength => "queue-length",
            Selector::RoundRobin => "round-robin",
        })
    }
}

/// How paths become path groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathGroups {
    /// The paths to the controller that is preferred as owner, then the others.
    ByOwner,
    /// All paths in one group.
    Multibus,
    /// One path a group.
    Failover,
}

impl fmt::Display for PathGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PathGroups::ByOwner => "by-owner",
            PathGroups::Multibus => "multibus",
            PathGroups::Failover => "failover",
        })
    }
}
