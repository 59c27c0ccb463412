//! `sansim bundle` and `sansim trace`: a run for others, and for other programs.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sansim_report::{past::Past, trace};
use sansim_run::{
    CAPTURE,
    bundle::{BundleError, pack},
};

use crate::{
    LAB, PASS, USAGE,
    args::{BundleArgs, TraceArgs},
    show,
};

/// Writes the bundle; returns the exit code.
pub(crate) fn bundle(args: &BundleArgs) -> u8 {
    let file = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.sansim.tar.gz", name(&args.run))));
    match pack(&args.run, &file) {
        Ok(parts) => {
            outln!("{}: {}", file.display(), parts.join(", "));
            if !parts.iter().any(|part| part == CAPTURE) {
                let run = args.run.display();
                outln!(
                    "it has no {CAPTURE}: `sansim replay {run} --capture` adds one to a run in exact time, for \
                     another bundle"
                );
            }
            outln!("repeat it with `sansim replay {}`", file.display());
            PASS
        }
        Err(BundleError::File { path, source })
            if source.kind() == io::ErrorKind::AlreadyExists =>
        {
            show::error(&format!("{} exists: --out writes to another file", path.display()));
            USAGE
        }
        Err(error @ BundleError::File { .. }) => {
            show::error(&error.to_string());
            LAB
        }
        Err(error) => {
            show::error(&error.to_string());
            USAGE
        }
    }
}

/// The name of a run's directory; `latest` is a link.
fn name(run: &Path) -> String {
    let real = run.canonicalize().unwrap_or_else(|_| run.to_owned());
    real.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Writes the trace; returns the exit code.
pub(crate) fn trace(args: &TraceArgs) -> u8 {
    let past = match Past::read(&args.run) {
        Ok(past) => past,
        Err(error) => {
            show::error(&error.to_string());
            return USAGE;
        }
    };
    let text = trace::trace(&past);
    let file = args.out.clone().unwrap_or_else(|| args.run.join("trace.json"));
    if file == Path::new("-") {
        out!("{text}");
        return PASS;
    }
    match fs::write(&file, text) {
        Ok(()) => {
            outln!("{}: open it in https://ui.perfetto.dev", file.display());
            PASS
        }
        Err(error) => {
            show::error(&format!("cannot write {}: {error}", file.display()));
            LAB
        }
    }
}
