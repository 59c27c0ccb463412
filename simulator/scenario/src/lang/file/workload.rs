//! `[workload]`: the I/O that runs during the story.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Name;
use crate::lang::value::{At, Size, TimeSpan};

/// The I/O that runs during the story.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Workload {
    /// What to do. Default: "verify".
    pub pattern: Option<PatternName>,
    /// The LUN to do it on. Default: the first.
    pub lun: Option<At<u64>>,
    /// How many requests are in flight at most, 1 to 256. Default: 8.
    pub queue_depth: Option<At<u64>>,
    /// Size of a request, a multiple of "4KiB", at most "1MiB". Default: "4KiB".
    pub block: Option<Name<Size>>,
    /// The part of the LUN that is used, from its start. Default: "16MiB", or all of a smaller LUN.
    pub region: Option<Name<Size>>,
    /// Share of reads in percent. Default: 50.
    pub read_percent: Option<At<u64>>,
    /// Requests a second at most; 0 is no limit. Default: 100.
    pub rate: Option<At<u64>>,
    /// How many requests go out together when there is a rate, 1 to 256. Default: 4.
    pub burst: Option<At<u64>>,
    /// A gap without completions from this length is reported as a stall. Default: "500ms".
    pub stall: Option<Name<TimeSpan>>,
    /// When it starts. Default: "0s", with the story.
    pub start: Option<Name<TimeSpan>>,
}

/// What a workload does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PatternName {
    /// Reads and writes at random; every byte that is read back is checked.
    Verify,
    /// Reads at random.
    Read,
    /// Nothing. pg_init does not begin before the first I/O, so a step has to cause some.
    None,
}
