//! The duration of earlier runs, in a small file in the cache directory. It is only used to schedule suites
//! better, so no problem with it is an error.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sansim_lab::write_atomically;
use serde::{Deserialize, Serialize};

use sansim_run::RunSpec;

/// Number of runs remembered, the latest ones.
const KEPT: usize = 512;
/// Maximum length of a key in characters; titles may be longer.
const KEY: usize = 256;
/// Maximum size of the file in bytes; the rest is not read.
const LONGEST: u64 = 1 << 20;
/// The version of the file's format; a file with another version is ignored.
const VERSION: u32 = 1;

/// The costs of earlier runs.
#[derive(Debug)]
pub(super) struct Costs {
    path: PathBuf,
    table: Table,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Table {
    version: u32,
    runs: BTreeMap<String, Cost>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Cost {
    /// The host's time for the run, in seconds.
    wall_s: f64,
    /// When it was measured, in seconds since 1970.
    measured: u64,
}

impl Costs {
    /// Reads the file; empty if it is missing or invalid.
    pub(super) fn read(path: PathBuf) -> Self {
        let table = Table::read(&path);
        Costs { path, table }
    }

    /// The duration of the last such run.
    pub(super) fn of(&self, spec: &RunSpec) -> Option<Duration> {
        self.get(&key(spec))
    }

    fn get(&self, key: &str) -> Option<Duration> {
        Duration::try_from_secs_f64(self.table.runs.get(key)?.wall_s).ok()
    }

    /// Remembers the duration of a run.
    pub(super) fn remember(&mut self, spec: &RunSpec, wall_s: f64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.insert(key(spec), Cost { wall_s, measured: now.as_secs() });
    }

    fn insert(&mut self, key: String, cost: Cost) {
        // Read the file again: another sansim may have written it in the meantime.
        self.table = Table::read(&self.path);
        self.table.insert(key, cost);
        if let Ok(bytes) = serde_json::to_vec(&self.table) {
            // If this fails, only the next suite's schedule suffers.
            let _ = write_atomically(&self.path, &bytes);
        }
    }
}

impl Table {
    fn read(path: &Path) -> Table {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
        let table = read.ok().and_then(|_| serde_json::from_slice::<Table>(&bytes).ok());
        table.filter(|table| table.version == VERSION).unwrap_or_default()
    }

    fn insert(&mut self, key: String, cost: Cost) {
        self.version = VERSION;
        self.runs.insert(key, cost);
        while self.runs.len() > KEPT {
            let oldest = self.runs.iter().min_by_key(|(_, cost)| cost.measured);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            self.runs.remove(&oldest);
        }
    }
}

/// Identifies runs that take about the same time.
fn key(spec: &RunSpec) -> String {
    let file = spec.id.file.file_name().unwrap_or_default().to_string_lossy();
    let start = if spec.cold { "cold" } else { "template" };
    let (image, accel, time) = (&spec.id.image, spec.accel.accel, spec.time);
    let key = format!("{image} {accel} {time} {start} {file}: {}", spec.scenario.title);
    key.chars().take(KEY).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(wall_s: f64, measured: u64) -> Cost {
        Cost { wall_s, measured }
    }

    #[test]
    fn what_one_remembers_another_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("costs.json");
        let (mut one, mut two) = (Costs::read(path.clone()), Costs::read(path.clone()));
        one.insert("a".into(), cost(1.5, 1));
        two.insert("b".into(), cost(2.0, 2));
        one.insert("a".into(), cost(0.5, 3));
        let read = Costs::read(path);
        assert_eq!(read.get("a"), Some(Duration::from_millis(500)));
        assert_eq!(read.get("b"), Some(Duration::from_secs(2)));
        assert_eq!(read.get("c"), None);
    }

    #[test]
    fn what_is_not_ours_counts_as_nothing_and_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("costs.json");
        let foreign = r#"{"version":7,"runs":{"a":{"wall_s":1.0,"measured":1}}}"#;
        let negative = r#"{"version":1,"runs":{"a":{"wall_s":-1.0,"measured":1}}}"#;
        for content in ["", "{", "[]", "\u{0}\u{ff}", foreign, negative] {
            std::fs::write(&path, content).unwrap();
            let mut costs = Costs::read(path.clone());
            assert_eq!(costs.get("a"), None, "{content}");
            costs.insert("a".into(), cost(3.0, 1));
            assert_eq!(Costs::read(path.clone()).get("a"), Some(Duration::from_secs(3)));
        }
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut table = Table::default();
        for number in 0..KEPT as u64 + 3 {
            table.insert(format!("{number}"), cost(1.0, 1000 - number));
        }
        assert_eq!(table.runs.len(), KEPT);
        assert!(table.runs.contains_key("0"), "measured last");
        assert!(!table.runs.contains_key(&format!("{}", KEPT + 2)));
    }

    #[test]
    fn a_place_that_cannot_be_written_does_no_harm() {
        let mut costs = Costs::read("/nowhere/at/all/costs.json".into());
        costs.insert("a".into(), cost(1.0, 1));
        assert_eq!(costs.get("a"), Some(Duration::from_secs(1)));
    }
}
