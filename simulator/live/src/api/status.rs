//! The state of a lab, as `sansim ctl status --json` and `GET /api/status` give it.
//!
//! All times are seconds of story time: since the moment at which the guest had its maps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Did;

/// The state of a lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// What was started.
    pub lab: LabStatus,
    /// What is being done while the lab starts; null when it has started.
    pub starting: Option<String>,
    /// The clock.
    pub clock: Clock,
    /// The HBAs of the guest, by number.
    pub hbas: Vec<HbaStatus>,
    /// The links between the HBAs and the ports: one for each nexus.
    pub links: Vec<LinkStatus>,
    /// The arrays, if there are several.
    #[serde(default)]
    pub arrays: Vec<ArrayStatus>,
    /// Whether the witness is there; null with one array.
    #[serde(default)]
    pub witness: Option<bool>,
    /// The controllers of the arrays, with their ports.
    pub controllers: Vec<ControllerStatus>,
    /// The LUNs, with the multipath map of each.
    pub luns: Vec<LunStatus>,
    /// The fault rules, in the order in which they are tried.
    pub faults: Vec<FaultStatus>,
    /// Everything that is not as it was at the start because somebody or a fault changed it.
    pub broken: Vec<Broken>,
    /// The workloads, by LUN.
    pub workloads: Vec<WorkloadStatus>,
    /// The acts that wait for `go`.
    pub held: HeldStatus,
    /// The last acts, oldest first, at most 200.
    pub history: Vec<Did>,
    /// The guided tour, if there is one.
    pub tour: Option<TourStatus>,
    /// The capture, if one is being written.
    pub capture: Option<CaptureStatus>,
}

/// What was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabStatus {
    /// The name of the lab, for `--lab NAME`.
    pub name: String,
    /// The title of the scenario.
    pub title: String,
    /// The family of the array: `rdac`, `emc`, `hp_sw`, `alua`, `hw_handler`.
    pub family: String,
    /// The vendor and product in the array's INQUIRY data.
    pub identity: String,
    /// The name of the guest image.
    pub image: String,
    /// The release of the guest's kernel.
    pub kernel: String,
    /// The device handlers attached to the disks.
    pub handler: String,
    /// What manages the maps: `multipathd` or `dmsetup`.
    pub manager: String,
    /// The seed.
    pub seed: u64,
    /// `kvm` or `tcg`.
    pub accelerator: String,
    /// The version of sansim.
    pub version: String,
    /// The directory with the lab's events, console and summary.
    pub directory: String,
}

/// The clock of a lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// Story time in seconds.
    pub t: f64,
    /// `real` or `skip`.
    pub mode: String,
    /// Whether time passes.
    pub state: RunState,
}

/// Whether time passes in a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// The guest finds its disks; the story has not begun.
    Starting,
    /// A second takes a second.
    Running,
    /// The guest and the array stand still.
    Paused,
    /// Idle time is skipped.
    Skipping,
}

/// An HBA of the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HbaStatus {
    /// The number of the HBA.
    pub hba: u8,
    /// Its name: `hba0`.
    pub name: String,
}

/// The link between an HBA and a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkStatus {
    /// The nexus: `hba0:A0`.
    pub path: String,
    /// The number of the HBA.
    pub hba: u8,
    /// The port: `A0`.
    pub port: String,
    /// Whether commands get through. False if the link, the port's own link, the port or its
    /// controller is down.
    pub up: bool,
}

/// One of several arrays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArrayStatus {
    /// Its name.
    pub array: String,
    /// Its family.
    pub family: String,
    /// The vendor and product in its INQUIRY data.
    pub identity: String,
    /// Its controllers: `A`, `B`.
    pub controllers: Vec<String>,
    /// Whether it reaches neither another array nor the witness.
    pub isolated: bool,
}

/// A controller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ControllerStatus {
    /// The controller: `A`.
    pub controller: String,
    /// Its state in the language's words: `online`, `failed`, `booting`, ….
    pub state: String,
    /// Since when it is in this state.
    pub since: f64,
    /// Its ports, by number.
    pub ports: Vec<PortStatus>,
}

/// A target port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PortStatus {
    /// The port: `A0`.
    pub port: String,
    /// Whether the port is there (`unplug` and `plug`).
    pub present: bool,
    /// Whether its own link, which all HBAs share, is up.
    pub up: bool,
}

/// A LUN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LunStatus {
    /// The LUN number.
    pub lun: u16,
    /// The controller that owns the LUN.
    pub owner: String,
    /// The controller that is preferred.
    pub preferred: String,
    /// The size in bytes.
    pub bytes: u64,
    /// Whether writes are refused.
    pub read_only: bool,
    /// What the controllers disagree about during a split brain: `ownership` or `data`.
    pub split: Option<String>,
    /// The state of its replication between two arrays: `up`, `down`, `in resync, 25 % copied`; null if one
    /// array presents it.
    #[serde(default)]
    pub replication: Option<String>,
    /// The controllers of the arrays that serve it, if two present it.
    #[serde(default)]
    pub served_by: Option<Vec<String>>,
    /// An operation of the array that restricts the LUN, in the language's words.
    pub condition: Option<String>,
    /// The target port groups with their access states, by number. Arrays without ALUA have none.
    pub port_groups: Vec<PortGroupStatus>,
    /// The multipath map, if the guest has one.
    pub map: Option<MapStatus>,
}

/// A target port group, for a LUN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PortGroupStatus {
    /// The identifier of the group.
    pub group: u16,
    /// Its ports.
    pub ports: Vec<String>,
    /// Its access state: `active/optimized`, `active/non-optimized`, `standby`, `unavailable`,
    /// `lba-dependent`, `offline`, `transitioning`.
    pub state: String,
}

/// A multipath map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MapStatus {
    /// The name of the map: `lun0`.
    pub name: String,
    /// The rounds of pg_init since the last switch of path groups.
    pub rounds: u32,
    /// The path groups, in order of preference.
    pub groups: Vec<GroupStatus>,
}

/// A path group of a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupStatus {
    /// The number of the group, from 1.
    pub group: usize,
    /// `A` current, `E` enabled, `D` bypassed.
    pub state: String,
    /// The paths.
    pub paths: Vec<PathStatus>,
}

/// A path of a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PathStatus {
    /// The nexus: `hba0:A0`; the device number if the disk is unknown.
    pub path: String,
    /// The device number: `8:16`.
    pub dev: String,
    /// The kernel's name for the disk, `sdb`, if the disk is there.
    pub disk: Option<String>,
    /// `A` active, `F` failed.
    pub state: String,
    /// How often the path has failed since the table was loaded.
    pub fails: u32,
}

/// A fault rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaultStatus {
    /// The name of the rule.
    pub name: String,
    /// The rule on one line of TOML: `when = {…}, then = {…}`.
    pub toml: String,
    /// Whether it is tried.
    pub armed: bool,
    /// How many commands it has caught.
    pub fired: u64,
    /// Since when it is there or armed.
    pub since: f64,
    /// Whether it was added while the lab ran; such a rule can be removed.
    pub added: bool,
}

/// Something that is not as it was at the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Broken {
    /// The thing that it is about, as in the picture: `controller A`, `port A0`, `hba0:A0`,
    /// `lun 0`, `fault NAME`, `multipathd`.
    pub thing: String,
    /// What is broken: `controller A is failed`.
    pub what: String,
    /// Since when.
    pub since: f64,
    /// The act that undoes it, if there is one.
    pub undo: Option<Told>,
}

/// An act, as it is told to a lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// The command: `sansim ctl restore controller A`.
    pub ctl: String,
    /// The step on one line of TOML: `restore = "controller A"`.
    pub toml: String,
}

/// The I/O on a LUN's map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkloadStatus {
    /// The LUN.
    pub lun: u16,
    /// Whether it runs.
    pub running: bool,
    /// Its settings on one line of TOML: `rate = 200, queue_depth = 8`.
    pub toml: String,
    /// Completed reads.
    pub reads: u64,
    /// Completed writes.
    pub writes: u64,
    /// Failed requests.
    pub errors: u64,
    /// Blocks with wrong contents.
    pub corrupt: u64,
    /// Since when no request has completed, if I/O is stalled.
    pub stalled_since: Option<f64>,
}

/// The acts that wait for `go`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldStatus {
    /// Whether acts are held.
    pub on: bool,
    /// The acts that wait.
    pub acts: Vec<Told>,
}

/// The state of a guided tour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TourStatus {
    /// The caption to show.
    pub caption: String,
    /// The number of the caption, from 1.
    pub number: usize,
    /// The number of captions.
    pub of: usize,
    /// Whether the tour waits for `next`.
    pub waits: bool,
    /// Whether the tour goes on by itself.
    pub by_itself: bool,
    /// What comes next, on one line of TOML; `None` at the end.
    pub next: Option<String>,
}

/// The state of a capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureStatus {
    /// The file, in the lab's directory.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether the limit of its size has been reached.
    pub full: bool,
}
