//! The directory of the run to repeat. Another version of sansim may have written it, or something else.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use clap::Parser;
use sansim_language as lang;
use sansim_language::Scenario;
use sansim_report::verdict::PartsSummary;
use sansim_run::directory::EVENTS;
use serde::Deserialize;

use crate::{
    args::{AccelArg, Cli, Command, ReplayArgs, RunArgs, TimeArg},
    show,
};

/// The longest `summary.json` that is read, in bytes.
const LONGEST: u64 = 16 << 20;

/// What a replay needs from `summary.json`.
#[derive(Debug, Deserialize)]
struct Was {
    scenario: String,
    verdict: String,
    reason: Option<String>,
    seed: u64,
    kernel: String,
    accelerator: String,
    time: String,
    exactness: Option<WasExact>,
    repeat: String,
    parts: Option<PartsSummary>,
}

#[derive(Debug, Deserialize)]
struct WasExact {
    exact: bool,
    why: Option<String>,
}

pub(super) struct Recorded {
    dir: PathBuf,
    was: Was,
    /// From `scenario.toml`: the scenario as resolved.
    pub(super) scenario: Scenario,
}

impl Recorded {
    /// Reads a run's directory.
    ///
    /// # Errors
    /// A sentence that names what is missing or invalid.
    pub(super) fn read(dir: &Path) -> Result<Recorded, String> {
        let shown = dir.display();
        if !dir.is_dir() {
            return Err(format!(
                "{shown} is not a directory: give that of a run, for instance sansim-runs/latest"
            ));
        }
        let was = summary(dir)?;
        let events = dir.join(EVENTS);
        if !events.is_file() {
            return Err(format!("{shown} is not the directory of a run: it has no {EVENTS}"));
        }
        let mut scenario = scenario(&dir.join("scenario.toml"))?;
        // The name of the original file, not `scenario`, the name of the copy in this directory.
        if let Some(stem) = Path::new(&was.scenario).file_stem() {
            scenario.name = stem.to_string_lossy().into_owned();
        }
        Ok(Recorded { dir: dir.to_owned(), was, scenario })
    }

    pub(super) fn events(&self) -> PathBuf {
        self.dir.join(EVENTS)
    }

    /// The original scenario file, which may no longer exist.
    pub(super) fn file(&self) -> PathBuf {
        PathBuf::from(&self.was.scenario)
    }

    /// Why the run cannot be repeated exactly; `None` if it can.
    pub(super) fn inexact(&self) -> Option<String> {
        let loose = |why: &str| Some(format!("the run was not in exact time: {why}"));
        match &self.was.exactness {
            None => loose("it is from a version of sansim without exact time"),
            Some(WasExact { exact: false, why }) => {
                loose(why.as_deref().unwrap_or("summary.json gives no reason"))
            }
            Some(_) if self.was.verdict == "error" => {
                let reason = self.was.reason.as_deref().and_then(|reason| reason.lines().next());
                Some(format!(
                    "the lab failed in that run: {}",
                    reason.unwrap_or("summary.json gives no reason")
                ))
            }
            Some(_) => None,
        }
    }

    /// The parts that the run depends on and that have changed, in words.
    pub(super) fn changes(&self, kernel: &str, now: &PartsSummary) -> Vec<String> {
        let mut changes = Vec::new();
        if self.was.kernel != kernel {
            changes.push(format!("the kernel: {kernel} instead of {}", self.was.kernel));
        }
        match &self.was.parts {
            Some(parts) => changes.extend(parts.differences(now)),
            None => changes
                .push("summary.json does not list the parts that the run depends on".to_owned()),
        }
        changes
    }

    /// The arguments from the `repeat` command in `summary.json`, with seed, accelerator and clock as recorded.
    ///
    /// # Errors
    /// When they cannot be parsed.
    pub(super) fn arguments(&self, replay: &ReplayArgs) -> Result<RunArgs, String> {
        let why = |why: &str| {
            let summary = self.dir.join("summary.json");
            format!("{} cannot be used: {why}", summary.display())
        };
        let words = shlex::split(&self.was.repeat).unwrap_or_default();
        let parsed = Cli::try_parse_from(words).ok().map(|cli| cli.command);
        let Some(Command::Run(args)) = parsed else {
            return Err(why("`repeat` is not a valid command in this version of sansim"));
        };
        let accel = match self.was.accelerator.as_str() {
            "kvm" => AccelArg::Kvm,
            "tcg" => AccelArg::Tcg,
            _ => return Err(why("`accelerator` is neither kvm nor tcg")),
        };
        let time = match self.was.time.as_str() {
            "real" => TimeArg::Real,
            "skip" => TimeArg::Skip,
            _ => return Err(why("`time` is neither real nor skip")),
        };
        Ok(RunArgs {
            seed: Some(self.was.seed),
            accel,
            time: Some(time),
            out: replay.out.clone(),
            repeat: 1,
            jobs: 1,
            bisect: false,
            capture: replay.capture,
            ..args
        })
    }
}

fn summary(dir: &Path) -> Result<Was, String> {
    let path = dir.join("summary.json");
    let shown = path.display();
    let mut text = String::new();
    let read = File::open(&path).and_then(|file| file.take(LONGEST).read_to_string(&mut text));
    read.map_err(|error| format!("cannot read {shown}: {error} (is it the directory of a run?)"))?;
    serde_json::from_str(&text)
        .map_err(|error| format!("{shown} is damaged, or not from sansim: {error}"))
}

fn scenario(path: &Path) -> Result<Scenario, String> {
    if !path.is_file() {
        return Err(format!("cannot read {}: it is not a file", path.display()));
    }
    lang::load(path, &[]).map_err(|diagnostics| {
        show::diagnostics(&diagnostics);
        format!("{} is damaged, or from another version of sansim", path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMARY: &str = r#"{"scenario":"a.toml","verdict":"pass","reason":null,"seed":7,
        "kernel":"6.1","accelerator":"tcg","time":"skip","exactness":{"exact":true},
        "repeat":"sansim run a.toml --seed 7","parts":null}"#;
    const STORY: &str = "title = \"a\"\n[array]\npersonality = \"rdac\"\nluns = [{ size = \"64MiB\", owner = \"A\" }]";

    fn run(summary: &str, scenario: &str) -> Result<Recorded, String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("summary.json", summary), ("scenario.toml", scenario), (EVENTS, "")] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        Recorded::read(dir.path())
    }

    #[test]
    fn a_run_is_read_and_called_as_its_scenario_was() {
        let recorded = run(SUMMARY, STORY).unwrap();
        assert_eq!((recorded.scenario.name.as_str(), recorded.inexact()), ("a", None));
        let now = PartsSummary::default();
        assert_eq!(recorded.changes("6.1", &now).len(), 1, "its parts are not known");
        assert_eq!(recorded.changes("6.2", &now)[0], "the kernel: 6.2 instead of 6.1");
        let parts = r#"{"sansim":"0","protocol":0,"qemu":"","image":""}"#;
        let recorded =
            run(&SUMMARY.replace("\"parts\":null", &format!("\"parts\":{parts}")), STORY).unwrap();
        assert_eq!(recorded.changes("6.1", &now), ["sansim:  instead of 0"]);
    }

    #[test]
    fn a_run_that_was_not_exact_says_why() {
        let loose = SUMMARY.replace("{\"exact\":true}", "{\"exact\":false,\"why\":\"KVM\"}");
        assert!(run(&loose, STORY).unwrap().inexact().unwrap().ends_with("KVM"));
        let old = SUMMARY.replace("{\"exact\":true}", "null");
        assert!(run(&old, STORY).unwrap().inexact().is_some());
        let failed = SUMMARY.replace("\"pass\"", "\"error\"");
        assert!(run(&failed, STORY).unwrap().inexact().unwrap().contains("the lab failed"));
    }

    #[test]
    fn whatever_is_in_a_directory_is_answered_with_a_sentence() {
        for summary in ["", "{", "[]", "{}", "\u{0}", "{\"seed\":-1}"] {
            let error = run(summary, STORY).err().unwrap();
            assert!(error.contains("summary.json is damaged, or not from sansim"), "{error}");
        }
        assert!(run(SUMMARY, "title = 1").err().unwrap().contains("scenario.toml"));
        let replay = || match Cli::try_parse_from(["sansim", "replay", "x"]).unwrap().command {
            Command::Replay(args) => args,
            other => panic!("{other:?}"),
        };
        for (from, to) in [("sansim run a.toml --seed 7", "rm -rf '"), ("tcg", "x"), ("skip", "x")]
        {
            let recorded = run(&SUMMARY.replace(from, to), STORY).unwrap();
            assert!(recorded.arguments(&replay()).is_err(), "{to}");
        }
        assert!(run(SUMMARY, STORY).unwrap().arguments(&replay()).is_ok());
        let nothing = Recorded::read(Path::new("/nowhere/at/all")).err().unwrap();
        assert!(nothing.contains("is not a directory"), "{nothing}");
    }
}
