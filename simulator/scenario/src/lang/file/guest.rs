//! `[guest]`: the machine under test.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Name;
use crate::lang::value::{At, Size, TimeSpan};

/// The machine under test.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Guest {
    /// The guest image. Default: "bookworm".
    pub image: Option<At<String>>,
    /// Who builds the multipath maps. Default: "dmsetup".
    pub manager: Option<At<ManagerName>>,
    /// Memory. Default: "256MiB".
    pub memory: Option<Name<Size>>,
    /// Processors. Default: 1.
    pub cpus: Option<At<u64>>,
    /// Kernel modules to load besides those a run needs anyway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<At<String>>,
    /// The device handler of the maps, without `scsi_dh_`, or "none". Default: the personality's.
    pub handler: Option<At<String>>,
    /// Whether the handler's module is loaded before the guest looks for its disks. With false it is
    /// loaded by the kernel itself when the map is built. Default: true.
    pub load_handler: Option<bool>,
    /// Module parameters to set once the modules are loaded, such as
    /// "scsi_dh_rdac.rdac_logging" = "15".
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, At<String>>,
    /// How the multipath maps are built.
    #[serde(default)]
    pub multipath: Multipath,
    /// How multipathd is set up. Only with `manager = "multipathd"`.
    pub multipathd: Option<At<Multipathd>>,
    /// Regular expressions for kernel log lines that may occur. Otherwise a kernel WARNING, BUG,
    /// hung task or panic fails the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<At<String>>,
}

/// Who builds the multipath maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ManagerName {
    /// The lab loads the tables itself; nobody reinstates paths.
    Dmsetup,
    /// The guest's own udevd and multipathd do, by multipath.conf; the maps are called `lun0`, `lun1`, …
    Multipathd,
}

/// How multipathd is set up.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { conf_file = \"multipath.conf\" }")]
pub struct Multipathd {
    /// The text of /etc/multipath.conf. Default: none, which leaves multipathd to its built-in tables.
    pub conf: Option<At<String>>,
    /// A file with that text instead, beside the scenario.
    pub conf_file: Option<At<String>>,
    /// Which udev rules the guest has. Default: "stock".
    pub udev: Option<UdevName>,
}

/// A set of udev rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UdevName {
    /// All that the distribution has.
    Stock,
    /// Those of them that concern disks and multipath maps.
    Lean,
}

/// How multipath maps are built.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Multipath {
    /// How many rounds of pg_init may follow the first one, 1 to 50. The kernel allows none unless
    /// this is given.
    pub pg_init_retries: Option<At<u64>>,
    /// The pause before a round that is to be delayed, at most "60s". The kernel waits 2 s unless
    /// this is given.
    pub pg_init_delay: Option<Name<TimeSpan>>,
    /// Whether I/O is queued rather than failed while no path is left. Default: false.
    pub queue_if_no_path: Option<bool>,
    /// Whether the handler that is attached stays, whichever the table names. Default: false.
    pub retain_attached_hw_handler: Option<bool>,
    /// The path selector. Default: "service-time".
    pub selector: Option<SelectorName>,
    /// How paths are grouped. Default: "by-owner".
    pub path_groups: Option<GroupsName>,
    /// Arguments of the device handler.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handler_args: Vec<At<String>>,
}

/// A path selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SelectorName {
    /// The path that would be done first.
    ServiceTime,
    /// The path with the least I/O in flight.
    QueueLength,
    /// One path after the other.
    RoundRobin,
}

/// How paths are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GroupsName {
    /// First the paths to the controller that is preferred as owner, then the others.
    ByOwner,
    /// All paths in one group.
    Multibus,
    /// One path a group.
    Failover,
}
