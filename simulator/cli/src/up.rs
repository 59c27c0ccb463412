//! `sansim up`: a live lab.

use std::path::PathBuf;

use sansim_lab::{Templates, WorkDir};
use sansim_language::{Diagnostics, Scenario, Set};
use sansim_live::{Live, Options, Play, base, place::Place};
use sansim_run::{RunError, RunSpec};
use tokio_util::sync::CancellationToken as Cancel;

use crate::{
    LAB, PASS, USAGE,
    args::{LabArgs, UpArgs},
    check::{load, overrides},
    open::{Open, name_of},
    run::{ready, specs},
    show::{self, Announce},
    stop,
};

pub(crate) async fn up(args: UpArgs) -> u8 {
    let play = if args.play { Play::Steps } else { Play::Nothing };
    match scenario(&args.what, &args.lab.set, base, "an array model; see `sansim model list`") {
        Some((file, scenario)) => start(&args.lab, file, scenario, play).await,
        None => USAGE,
    }
}

/// The scenario to start: that of a file, or what `known` has by this name, which is called `kind`.
/// Mistakes are printed.
pub(crate) fn scenario(
    what: &str,
    set: &[String],
    known: impl Fn(&str, &[Set]) -> Option<Result<Scenario, Diagnostics>>,
    kind: &str,
) -> Option<(PathBuf, Scenario)> {
    let file = PathBuf::from(what);
    let set = overrides(set)?;
    if file.is_file() {
        return load(&file, &set).map(|scenario| (file, scenario));
    }
    match known(what, &set) {
        Some(Ok(scenario)) => Some((file, scenario)),
        Some(Err(diagnostics)) => {
            show::diagnostics(&diagnostics);
            None
        }
        None => {
            show::error(&format!("{what} is neither a scenario file nor {kind}"));
            None
        }
    }
}

/// Starts a lab, tells where it is, and runs it to its end.
pub(crate) async fn start(args: &LabArgs, file: PathBuf, scenario: Scenario, play: Play) -> u8 {
    let cancel = stop::on_signals();
    let name = args.name.clone().unwrap_or_else(|| name_of(&scenario.name));
    let options = Options { name, play };
    WorkDir::sweep();
    let place = match Place::claim(&options.name) {
        Ok(place) => place,
        Err(error) => {
            show::error(&error.to_string());
            return USAGE;
        }
    };
    let (run, scenarios) = (args.as_run(file.clone()), vec![(file, scenario)]);
    let (lab, images) = match ready(&run, &scenarios, &cancel).await {
        Ok(ready) => ready,
        Err(unready) => return unready.code,
    };
    let spec = specs(&run, scenarios, &images).swap_remove(0);
    match serve(&spec, &options, args.port, place, lab.templates(), &cancel).await {
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
    place: Place,
    templates: &Templates,
    cancel: &Cancel,
) -> Result<(), String> {
    let lab = Live::create(&spec.out, &spec.stamp, &spec.scenario, options);
    let lab = lab.map_err(|error| error.to_string())?;
    let open = Open::new(place, &lab, &spec.scenario.title, port)?;
    outln!("{}", open.welcome());
    match lab.run(spec, templates, cancel, &Announce::new()).await {
        Ok(()) | Err(RunError::Interrupted) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
