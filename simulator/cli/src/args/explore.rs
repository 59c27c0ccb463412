//! The command line of `sansim explore`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sansim_explore::Guidance;
use sansim_language::value::TimeSpan;

use super::{AccelArg, RunArgs, TimeArg, host_timeout};

#[derive(Debug, Args)]
pub(crate) struct ExploreArgs {
    /// Scenario files, or directories to search for *.toml files, with their subdirectories.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub(crate) paths: Vec<PathBuf>,
    /// Explore for this long, for instance 30m. A story that is being made short is finished.
    #[arg(long = "for", value_name = "DURATION", default_value = "10m", conflicts_with = "runs", value_parser = host_timeout)]
    pub(crate) time: TimeSpan,
    /// Tell this many stories, instead of exploring for a time. The runs that make a finding short are not counted.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) runs: Option<u64>,
    /// Number of stories at the same time; sansim tells fewer if the host lacks memory.
    #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// What all schedules come from. With the same seed, an exploration goes on where the last one with this memory has
    /// ended.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Explore on this guest image instead of the scenario's. With several, a story that does not end alike on all of them
    /// is a finding.
    #[arg(long, value_name = "NAME")]
    pub(crate) image: Vec<String>,
    /// Override a value of the scenario, for instance guest.multipath.pg_init_retries=3. Repeat the option for more
    /// values.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// The directory of what is remembered: findings with their pages, and schedules to go on with. Several explorations
    /// can share it.
    #[arg(long, value_name = "DIR", default_value = "sansim-explored")]
    pub(crate) memory: PathBuf,
    /// Also write each story to this directory, as a scenario file for `sansim run`.
    #[arg(long, value_name = "DIR")]
    pub(crate) stories: Option<PathBuf>,
    /// What is done with the basic blocks of dm-multipath and the handlers that stories execute.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = CoverageArg::Guide)]
    pub(crate) coverage: CoverageArg,
    /// How long a story may take of the host's time, for instance 90s.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = host_timeout)]
    pub(crate) host_timeout: TimeSpan,
    /// Print progress, findings and the result as lines of JSON on standard output, and nothing else there.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is done with the kernel's blocks. docs/coverage.md says what a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CoverageArg {
    /// A schedule that reaches new blocks is kept, to be changed a little and told again.
    Guide,
    /// They are counted only: to see what guidance is good for.
    Count,
    /// They are not looked at. A story is told a little quicker.
    Off,
}

impl CoverageArg {
    /// What the search does with blocks, if it sees them.
    pub(crate) fn guidance(self) -> Guidance {
        match self {
            CoverageArg::Guide => Guidance::Guide,
            CoverageArg::Count | CoverageArg::Off => Guidance::Count,
        }
    }
}

impl ExploreArgs {
    /// The same as options of `sansim run`, with its runs in this directory.
    pub(crate) fn as_run(&self, out: PathBuf) -> RunArgs {
        RunArgs {
            host_timeout: self.host_timeout,
            image: self.image.clone(),
            set: self.set.clone(),
            accel: AccelArg::Tcg,
            time: Some(TimeArg::Skip),
            jobs: self.jobs,
            ..RunArgs::of(self.paths.clone(), out)
        }
    }
}
