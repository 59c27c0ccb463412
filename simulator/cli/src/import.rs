//! `sansim import`: makes a scenario of a report.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
};

use sansim_import::{Gathered, Imported, Options, Text, gather, scenario};

use crate::{
    LAB, PASS, USAGE,
    args::{ImportArgs, ImportCommand},
    show,
};

/// Writes the scenario, and tells what was read, and what was guessed.
pub(crate) fn import(command: &ImportCommand) -> u8 {
    let (log, report, args) = match command {
        ImportCommand::Sosreport(args) => (None, &args.report, &args.import),
        ImportCommand::Log(args) => (Some(&args.log), &args.report, &args.import),
    };
    match read(log, report, args) {
        Ok((imported, logs)) => {
            tell(&imported, &logs);
            write(&imported.toml, args)
        }
        Err(error) => {
            show::error(&error.to_string());
            USAGE
        }
    }
}

/// The scenario, and logs in the report that were not asked for.
fn read(
    log: Option<&PathBuf>,
    report: &[PathBuf],
    args: &ImportArgs,
) -> Result<(Imported, Vec<String>), sansim_import::ImportError> {
    let gathered = gather(report)?;
    let log = log.map(|log| gather(&[log])).transpose()?.map(one_text);
    let options = Options { keep_identity: args.keep_identity, luns: args.luns.into() };
    let imported = scenario(&gathered, log.as_ref(), &options)?;
    Ok((imported, if log.is_none() { gathered.logs } else { Vec::new() }))
}

/// Several texts of one log, such as those of a packed directory, are one log.
fn one_text(gathered: Gathered) -> Text {
    let name = gathered.texts.first().map(|text| text.name.clone()).unwrap_or_default();
    let text: Vec<String> = gathered.texts.into_iter().map(|text| text.text).collect();
    Text { name, text: text.join("\n") }
}

fn tell(imported: &Imported, logs: &[String]) {
    for (name, what) in &imported.read {
        errln!("read: {name} ({what})");
    }
    for (name, why) in &imported.unused {
        errln!("not used: {name}: {why}");
    }
    for guess in &imported.guesses {
        errln!("guess: {guess}");
    }
    if let Some(log) = logs.first() {
        errln!("the report has a log: `sansim import log {log} …` makes its failover a story");
    }
}

fn write(toml: &str, args: &ImportArgs) -> u8 {
    if args.out == Path::new("-") {
        out!("{toml}");
        return PASS;
    }
    let file = &args.out;
    match create(file, args.force).and_then(|mut to| to.write_all(toml.as_bytes())) {
        Ok(()) => {
            outln!("{}: run it with `sansim run {}`", file.display(), file.display());
            PASS
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = file.display();
            show::error(&format!(
                "{file} exists: --force replaces it, --out writes to another file"
            ));
            USAGE
        }
        Err(error) => {
            show::error(&format!("cannot write {}: {error}", file.display()));
            LAB
        }
    }
}

fn create(file: &Path, force: bool) -> io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    match force {
        true => options.write(true).create(true).truncate(true),
        false => options.write(true).create_new(true),
    };
    options.open(file)
}
