//! The command lines of `sansim up` and `sansim tour`.

use std::path::PathBuf;

use clap::Args;

use super::{AccelArg, RunArgs, TimeArg};
use crate::own::OwnArgs;

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// A scenario file, an array model (see `sansim model list`), or a family of arrays: rdac, emc, hp_sw, alua.
    ///
    /// Of a scenario, the lab has the guest, the array, the HBAs, the fault rules and the workload. Its steps are
    /// done only with --play, and its expectations are not decided. A model gets multipathd, two LUNs, and some
    /// I/O.
    #[arg(value_name = "FILE|MODEL", default_value = sansim_live::FIRST)]
    pub(crate) what: String,
    /// Do the scenario's steps at their times.
    #[arg(long)]
    pub(crate) play: bool,
    #[command(flatten)]
    pub(crate) lab: LabArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TourArgs {
    /// A tour, or a scenario file of your own whose steps have captions. Without it, the tours are listed.
    #[arg(value_name = "NAME|FILE")]
    pub(crate) what: Option<String>,
    /// Go on by itself: each caption is shown as long as it takes to read it. The page can change this later.
    #[arg(long)]
    pub(crate) auto: bool,
    #[command(flatten)]
    pub(crate) lab: LabArgs,
}

/// How a live lab is started.
#[derive(Debug, Args)]
pub(crate) struct LabArgs {
    /// The name of the lab, for `sansim ctl --lab NAME` [default: the name of what is started].
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Port for the page on 127.0.0.1 [default: any free one].
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Guest image to run instead of the scenario's (see `sansim image list`).
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
    #[command(flatten)]
    own: OwnArgs,
    /// Seed for the workload and everything else that is random [default: the scenario's `seed`, or a new one].
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Override a value of the scenario, for instance guest.multipath.pg_init_retries=3. Repeat the option for
    /// more values.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// How QEMU runs the guest's code; auto uses KVM only after a test that it works.
    #[arg(long, value_enum, default_value_t = AccelArg::Auto, value_name = "ACCEL")]
    accel: AccelArg,
    /// What drives the guest's clock: the host (real), or the guest's instructions (skip). With `skip`, a second
    /// still takes a second, but idle time can be skipped (`sansim ctl time skip 60s`), and the guest can be
    /// stopped exactly; it needs TCG.
    #[arg(long, value_enum, default_value_t = TimeArg::Real, value_name = "CLOCK")]
    time: TimeArg,
    /// Boot the guest instead of restoring it from a template.
    #[arg(long)]
    cold: bool,
    /// Directory for the lab's directory; it is created if missing.
    #[arg(long, value_name = "DIR", default_value = "sansim-runs")]
    pub(crate) out: PathBuf,
}

impl LabArgs {
    /// The same as options of `sansim run` for this file.
    pub(crate) fn as_run(&self, file: PathBuf) -> RunArgs {
        RunArgs {
            image: self.image.iter().cloned().collect(),
            own: self.own.clone(),
            seed: self.seed,
            set: self.set.clone(),
            accel: self.accel,
            time: Some(self.time),
            cold: self.cold,
            ..RunArgs::of(vec![file], self.out.clone())
        }
    }
}
