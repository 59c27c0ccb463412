//! `sansim up`: a live lab.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use console::style;
use sansim_lab::{Templates, WorkDir};
use sansim_language::Scenario;
use sansim_live::{
    Live, Options, Play, Served, base,
    place::{About, Place},
};
use sansim_run::{RunError, RunSpec};
use tokio_util::sync::CancellationToken as Cancel;

use crate::{
    INTERRUPTED, LAB, PASS, USAGE,
    args::{AccelArg, RunArgs, TimeArg},
    check::{load, overrides},
    own::OwnArgs,
    run::{is_usage, prepare, specs, writable},
    show::{self, Announce},
    stop,
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
            repeat: 1,
            jobs: 1,
            junit: None,
            table: None,
            bisect: false,
            matrix: None,
            json: false,
            fail_fast: false,
            keep_going: false,
            timings: false,
            verbose: false,
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
    let set = overrides(&args.set)?;
    if file.is_file() {
        return load(&file, &set).map(|scenario| (file, scenario));
    }
    match base(&args.what, &set) {
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

/// The name of a lab, from that of its scenario: small letters, digits and hyphens.
fn name_of(scenario: &str) -> String {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let name = scenario.to_ascii_lowercase().replace(|c| !fits(c), "-");
    let name: String = name.trim_matches('-').chars().take(32).collect();
    if name.is_empty() { "lab".to_owned() } else { name }
}

/// Starts the lab, tells where it is, and runs it to its end.
async fn start(
    args: &UpArgs,
    file: PathBuf,
    scenario: Scenario,
    options: &Options,
    cancel: &Cancel,
) -> u8 {
    WorkDir::sweep();
    let run = args.as_run();
    if let Err(error) = writable(&args.out) {
        let out = args.out.display();
        show::error(&format!(
            "cannot write to {out}: {error} (choose another place with --out DIR)"
        ));
        return USAGE;
    }
    let place = match Place::claim(&options.name) {
        Ok(place) => place,
        Err(error) => {
            show::error(&error.to_string());
            return USAGE;
        }
    };
    let scenarios = vec![(file, scenario)];
    let prepared = tokio::select! {
        () = cancel.cancelled() => return INTERRUPTED,
        prepared = prepare(&run, &scenarios) => prepared,
    };
    let (lab, images) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            show::error(&error.to_string());
            return if is_usage(&error) { USAGE } else { LAB };
        }
    };
    let spec = specs(&run, scenarios, &images).swap_remove(0);
    match serve(&spec, options, args.port, &place, lab.templates(), cancel).await {
        Ok(()) => PASS,
        Err(error) => {
            show::error(&error);
            LAB
        }
    }
}

/// Runs the lab, and serves it meanwhile.
async fn serve(
    spec: &RunSpec,
    options: &Options,
    port: Option<u16>,
    place: &Place,
    templates: &Templates,
    cancel: &Cancel,
) -> Result<(), String> {
    let lab = Live::create(&spec.out, &spec.stamp, &spec.scenario, options)
        .map_err(|error| error.to_string())?;
    let served = Served::start(lab.handle(), &place.socket(), port);
    let served = served.map_err(|error| error.to_string())?;
    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let about = About {
        pid: std::process::id(),
        name: options.name.clone(),
        title: spec.scenario.title.clone(),
        address: served.address(),
        directory: lab.directory().to_owned(),
        started,
    };
    place.publish(&about).map_err(|error| error.to_string())?;
    println!("{}", welcome(&about));
    match lab.run(spec, templates, cancel, &Announce::new()).await {
        Ok(()) => Ok(()),
        Err(RunError::Interrupted) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Where the lab is, and what can be done with it.
fn welcome(about: &About) -> String {
    let lab = &about.name;
    format!(
        "{title}\n\n  page    {address}\n  shell   sansim ctl --lab {lab} shell\n  status  sansim ctl --lab {lab} \
         status\n  break   sansim ctl --lab {lab} fail controller A\n  end     Ctrl-C, or sansim down {lab}\n\nEvents \
         and the guest's console are in {directory}\n",
        title = style(&about.title).bold(),
        address = style(&about.address).underlined(),
        directory = about.directory.display(),
    )
}
