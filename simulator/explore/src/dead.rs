//! Stories that came to no end, since QEMU, the guest or sansim failed: they are kept to be looked at.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{
    behaviour::number,
    finding::story_text,
    render::{Base, Told},
    schedule::Schedule,
};

/// The list of all of them, and the directory of their scenarios.
const LIST: &str = "died.ndjson";
const SCENARIOS: &str = "died";

/// A story that came to no end.
pub(crate) struct Dead {
    file: String,
    schedule: String,
    why: String,
    /// The story, as a scenario file.
    scenario: String,
}

impl Dead {
    pub(crate) fn of(schedule: &Schedule, told: &Told, base: &Base, why: &str) -> Dead {
        Dead {
            file: base.file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            schedule: schedule.to_string(),
            why: why.to_owned(),
            scenario: story_text(schedule, told, base),
        }
    }

    /// Writes its scenario to the memory's directory, and a line about it to the list. Returns the scenario's path.
    pub(crate) fn keep(&self, dir: &Path) -> io::Result<PathBuf> {
        let Dead { file, schedule, why, scenario } = self;
        fs::create_dir_all(dir.join(SCENARIOS))?;
        let path = dir.join(SCENARIOS).join(format!("{:016x}.toml", number(schedule)));
        fs::write(&path, scenario)?;
        let line = serde_json::json!({
            "file": file, "schedule": schedule, "why": why, "scenario": path,
        });
        let mut list = OpenOptions::new().append(true).create(true).open(dir.join(LIST))?;
        list.write_all(format!("{line}\n").as_bytes())?;
        Ok(path)
    }
}
