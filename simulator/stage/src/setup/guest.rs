//! The machine under test, resolved.

use std::{collections::BTreeMap, fmt, time::Duration};

use sansim_lab::{Services, UdevRules, is_usual_module};

use crate::TextMatch;

/// The machine under test.
#[derive(Debug, Clone, PartialEq)]
pub struct Guest {
    /// The name of the guest image.
    pub image: String,
    /// Distribution packages to add to the userland of the image.
    pub packages: Vec<String>,
    /// What builds and manages the multipath maps.
    pub manager: Manager,
    /// The rules of a udevd that runs without multipathd, if one does.
    pub udev: Option<UdevRules>,
    /// The memory in bytes, a multiple of 1 MiB.
    pub memory: u64,
    /// The number of processors.
    pub cpus: u8,
    /// Kernel modules to load in addition to those that every run needs.
    pub modules: Vec<String>,
    /// The device handler, without `scsi_dh_`; `None` means that the map has no device handler.
    pub handler: Option<String>,
    /// Whether the handler's module is loaded before the first scan. If not, the kernel loads it
    /// when the map is built.
    pub load_handler: bool,
    /// Module parameters to set after loading: `module.parameter` and its value.
    pub parameters: BTreeMap<String, String>,
    /// How the maps are built.
    pub multipath: Multipath,
    /// Kernel log lines that do not fail the run although they report a WARNING, BUG or the like.
    pub allow: Vec<TextMatch>,
}

impl Guest {
    /// The daemons in the guest.
    pub fn services(&self) -> Services {
        match &self.manager {
            Manager::Dmsetup => self.udev.map_or(Services::None, Services::Udev),
            Manager::Multipathd(multipathd) => Services::Multipathd(multipathd.udev),
        }
    }

    /// Whether it asks for modules that not every image has.
    pub fn has_unusual_modules(&self) -> bool {
        self.modules.iter().any(|module| !is_usual_module(module))
    }
}

/// What builds the multipath maps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manager {
    /// The lab loads the tables itself, and failed paths are not reinstated.
    Dmsetup,
    /// The guest's own multipathd.
    Multipathd(Multipathd),
}

/// The configuration of multipathd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multipathd {
    /// The text of /etc/multipath.conf, if the file exists.
    pub conf: Option<String>,
    /// Which udev rules the guest has.
    pub udev: UdevRules,
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Manager::Dmsetup => "dmsetup",
            Manager::Multipathd(_) => "multipathd",
        })
    }
}

/// The parameters in the table of a multipath map.
#[derive(Debug, Clone, PartialEq)]
pub struct Multipath {
    /// `pg_init_retries`, 1 to 50; `None` omits the feature, and the kernel's default is 0.
    pub pg_init_retries: Option<u8>,
    /// `pg_init_delay_msecs`, at most 60 s; `None` omits the feature, and the kernel's default is 2
    /// s.
    pub pg_init_delay: Option<Duration>,
    /// Whether the feature `queue_if_no_path` is set.
    pub queue_if_no_path: bool,
    /// Whether the feature `retain_attached_hw_handler` is set.
    pub retain_attached_hw_handler: bool,
    /// The feature `queue_mode`; `None` omits it, and the kernel takes requests (`mq`).
    pub queue_mode: Option<QueueMode>,
    /// The path selector of every path group.
    pub selector: Selector,
    /// How paths are grouped.
    pub path_groups: PathGroups,
    /// The arguments of the device handler.
    pub handler_args: Vec<String>,
}

impl Multipath {
    /// The feature arguments of the table line (mpath:parse_features).
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
        if let Some(mode) = self.queue_mode {
            words.extend(["queue_mode".to_owned(), mode.to_string()]);
        }
        words
    }
}

/// What a multipath map passes on to its paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueMode {
    /// `bio`: bios, as they come; each path's queue makes requests of them.
    Bio,
    /// `rq`: requests. Since Linux 5.0 the same as `mq`.
    Rq,
    /// `mq`: requests.
    Mq,
}

impl fmt::Display for QueueMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            QueueMode::Bio => "bio",
            QueueMode::Rq => "rq",
            QueueMode::Mq => "mq",
        })
    }
}

/// The path selectors of dm-multipath in distribution kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector {
    /// `service-time`: the path that is expected to complete the request first.
    ServiceTime,
    /// `queue-length`: the path with the least I/O in flight.
    QueueLength,
    /// `round-robin`: each path in turn.
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

/// How the paths of a map form path groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathGroups {
    /// First the paths to the preferred owner, then the others.
    ByOwner,
    /// All paths in one group.
    Multibus,
    /// One path per group.
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
