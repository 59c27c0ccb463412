//! `sansim up`: a live lab.

use std::path::PathBuf;

use clap::Args;
use sansim_language::Scenario;
use sansim_live::{Options, Place, Play, Served, base, handle};
use sansim_run::{RunError, RunSpec};
use sansim_suite::Lab;
use tokio_util::sync::CancellationToken as Cancel;

use crate::{
    INTERRUPTED, LAB, PASS, USAGE,
    args::{AccelArg, RunArgs, TimeArg},
    check::load_one,
    own::OwnArgs,
    run::{is_usage, prepare, specs},
    show, stop,
};

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// A scenario file, an array model (see `sansim model list`), or a family of arrays: rdac, emc, hp_sw, alua.
    ///
    /// Of a scenario, the lab has the guest, the array, the HBAs, the fault rules and the workload. Its steps are
    /// done only with --play, and its expectations are not decided. A model gets multipathd, two LUNs, and some
    /// I/O.
    #[arg(value_name = "FILE|MODEL", default_value = sansim_live::FIRST)]
    what: String,
    /// The name of the lab, for `sansim ctl --lab NAME` [default: the name of the file or model].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Do the scenario's steps at their times.
    #[arg(long)]
    play: bool,
    /// Port for the page on 127.0.0.1 [default: any free one].
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
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
    set: Vec<String>,
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
    out: PathBuf,
}

impl UpArgs {
    /// The same as options of `sansim run`.
    fn as_run(&self) -> RunArgs {
        RunArgs {
            paths: vec![PathBuf::from(&self.what)],
            image: self.image.iter().cloned().collect(),
            own: self.own.clone(),
            seed: self.seed,
            set: self.set.clone(),
            accel: self.accel,
            time: Some(self.time),
            cold: self.cold,
            out: self.out.clone(),
            ..RunArgs::plain()
        }
    }
}

pub(crate) async fn up(args: UpArgs) -> u8 {
    let cancel = stop::on_signals();
    let Some((file, scenario)) = scenario(&args) else { return USAGE };
    let play = if args.play { Play::Steps } else { Play::Nothing };
    let name = args.name.clone().unwrap_or_else(|| name_of(&scenario.name));
    start(&args, file, scenario, &Options { name, play }, &cancel).await
}

/// The scenario to start; mistakes are printed.
fn scenario(args: &UpArgs) -> Option<(PathBuf, Scenario)> {
    let file = PathBuf::from(&args.what);
    if file.is_file() {
        return load_one(&file, &args.set).map(|scenario| (file, scenario));
    }
    match base(&args.what, &args.set) {
        Some(Ok(scenario)) => Some((file, scenario)),
        Some(Err(diagnostics)) => {
            show::diagnostics(&diagnostics);
            None
        }
        None => {
            let what = &args.what;
            show::error(&format!(
                "{what} is neither a scenario file nor an array model; see `sansim model list`"
            ));
            None
        }
    }
}
