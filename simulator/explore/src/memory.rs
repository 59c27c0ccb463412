//! What is remembered from one exploration to the next, in a directory: findings, schedules that are to be
//! tried first, and those that showed something new. Several explorations can share it: each takes the
//! directory's lock to read, add what it has, and write.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::{Stop, cause, growth::Growth, guide::Guidance, judge::Breach, schedule::Schedule};

/// The number of the files' form. Another form is another memory.
const FORM: u32 = 2;
/// The files.
const FILE: &str = "memory.json";
const LOCK: &str = "lock";
/// The most schedules that are kept of each scenario because they showed something new.
const KEPT: usize = 400;

/// What is remembered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    form: u32,
    /// The version of sansim.
    sansim: String,
    /// The next number of a schedule, for each seed.
    pub(crate) next: BTreeMap<u64, u64>,
    /// How many stories were told in all.
    pub(crate) stories: u64,
    /// What was found.
    pub(crate) findings: Vec<Finding>,
    /// Schedules that broke a law, and were not looked at to the end.
    pub(crate) pending: Vec<Pending>,
    /// Schedules that showed something new.
    pub(crate) kept: Vec<Kept>,
    /// The behaviours that were seen.
    pub(crate) behaviours: BTreeSet<u64>,
    /// The blocks of the kernel's that were executed, by number.
    pub(crate) blocks: BTreeSet<u64>,
    /// How it has grown.
    pub(crate) growth: Growth,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The name of its directory.
    pub name: String,
    /// The law's word.
    pub law: String,
    /// The story in a sentence.
    pub title: String,
    /// What was seen.
    pub seen: String,
    /// What its causes have in common.
    pub signatures: BTreeSet<String>,
    /// The minimised schedule.
    pub schedule: Schedule,
    /// The scenario that it is made of.
    pub file: String,
    /// The image on which it was found.
    pub image: String,
    /// The number of stories until it was found.
    pub after: u64,
    /// How many runs were needed to make it short.
    pub trials: u64,
    /// How many of ten runs of the file failed by the law.
    pub fails: u32,
    /// Whether all of those had the same events, byte for byte.
    pub same_bytes: bool,
    /// The number of lines of its steps and fault rules.
    pub lines: usize,
    /// How often it was met again.
    pub again: u64,
    /// The kernel's blocks that its story executes and the scenario that it is made of does not, in words.
    pub blocks: Vec<String>,
}

impl Finding {
    /// Whether it has one of these signatures.
    pub(crate) fn is_of(&self, signatures: &[&str]) -> bool {
        signatures.iter().any(|it| self.signatures.contains(*it))
    }
}

/// A schedule that broke a law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) file: String,
    pub(crate) schedule: Schedule,
    pub(crate) breach: Breach,
}

impl Pending {
    /// By which it is known again.
    pub(crate) fn signature(&self) -> String {
        cause::signature(&self.breach, &self.file)
    }
}

/// A schedule that showed something new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) file: String,
    pub(crate) schedule: Schedule,
    /// When something of interest happened, in milliseconds.
    pub(crate) times: Vec<u64>,
    /// Whether it reached blocks of the kernel's that no story had.
    pub(crate) reached: bool,
}

/// The directory.
#[derive(Debug)]
pub struct Memory {
    dir: PathBuf,
    state: State,
}

impl Memory {
    /// Opens or makes the directory.
    ///
    /// # Errors
    /// When it is another version's, or no such directory, or cannot be written.
    pub fn open(dir: &Path) -> Result<Memory, Stop> {
        let cannot =
            |error: io::Error| Stop::Memory(format!("cannot use {}: {error}", dir.display()));
        fs::create_dir_all(dir).map_err(cannot)?;
        let others = || fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
        if !dir.join(FILE).exists() && !dir.join(LOCK).exists() && others() {
            return Err(Stop::Memory(format!(
                "{} is not empty, and no memory of sansim explore: name another directory with --memory",
                dir.display()
            )));
        }
        let mut memory = Memory { dir: dir.to_owned(), state: State::default() };
        memory.update(|_| ())?;
        Ok(memory)
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What is remembered, as it was when it was last updated.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Reads what others have added, changes it, and writes it. If that fails, what was there stays.
    ///
    /// # Errors
    /// When the files cannot be read or written, or are another version's.
    pub(crate) fn update<R>(&mut self, change: impl FnOnce(&mut State) -> R) -> Result<R, Stop> {
        let dir = self.dir.clone();
        let cannot =
            |error: io::Error| Stop::Disk(format!("cannot write to {}: {error}", dir.display()));
        let lock = File::create(self.dir.join(LOCK)).map_err(cannot)?;
        flock(&lock, FlockOperation::LockExclusive).map_err(|error| cannot(error.into()))?;
        let mut state = self.read()?;
        let result = change(&mut state);
        let text = serde_json::to_vec(&state).map_err(|error| cannot(error.into()))?;
        // A file that is replaced as a whole is never half a memory.
        let mut file = tempfile::NamedTempFile::new_in(&self.dir).map_err(cannot)?;
        file.write_all(&text).map_err(cannot)?;
        file.persist(self.dir.join(FILE)).map_err(|error| cannot(error.error))?;
        self.state = state;
        Ok(result)
    }

    fn read(&self) -> Result<State, Stop> {
        let path = self.dir.join(FILE);
        let own = env!("CARGO_PKG_VERSION");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(State { form: FORM, sansim: own.to_owned(), ..State::default() });
            }
            Err(error) => {
                return Err(Stop::Memory(format!("cannot read {}: {error}", path.display())));
            }
        };
        let another = |what: String| {
            Stop::Memory(format!(
                "{} {what}: name another directory with --memory, or remove this one",
                self.dir.display()
            ))
        };
        // The version is read first: the rest may have another form.
        let made: Made = serde_json::from_slice(&bytes)
            .map_err(|error| another(format!("has no memory that can be read ({error})")))?;
        if (made.form, &*made.sansim) != (FORM, own) {
            let Made { form, sansim } = made;
            return Err(another(format!(
                "was made by sansim {sansim} (form {form}); this is sansim {own} (form {FORM})"
            )));
        }
        serde_json::from_slice(&bytes)
            .map_err(|error| another(format!("has a memory that is damaged ({error})")))
    }
}

/// Who made a memory.
#[derive(Deserialize)]
struct Made {
    form: u32,
    sansim: String,
}

impl State {
    /// Takes the next `count` numbers of schedules with this seed; returns the first.
    pub(crate) fn take_numbers(&mut self, seed: u64, count: u64) -> u64 {
        let next = self.next.entry(seed).or_default();
        let first = *next;
        *next += count;
        first
    }

    /// The finding with this signature.
    pub(crate) fn finding(&self, signature: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.is_of(&[signature]))
    }

    /// Notes that a finding was met again.
    pub(crate) fn met_again(&mut self, signature: &str) {
        let known = self.findings.iter_mut().find(|it| it.is_of(&[signature]));
        if let Some(finding) = known {
            finding.again += 1;
        }
    }

    /// Adds the behaviours of a story, and the blocks that it has executed. Returns how many of both are new. The
    /// schedule is kept if there is a new behaviour, or one of the blocks is new and they are to guide.
    pub(crate) fn learn(
        &mut self,
        behaviours: &BTreeSet<u64>,
        blocks: &BTreeSet<u64>,
        guidance: Guidance,
        kept: impl FnOnce() -> Kept,
    ) -> usize {
        let before = (self.behaviours.len(), self.blocks.len());
        self.behaviours.extend(behaviours);
        self.blocks.extend(blocks);
        let reached = self.blocks.len() > before.1 && guidance == Guidance::Guide;
        let new = self.behaviours.len() + self.blocks.len() - before.0 - before.1;
        if reached || self.behaviours.len() > before.0 {
            let kept = Kept { reached, ..kept() };
            let same = self.kept.iter().filter(|it| it.file == kept.file).count();
            if same >= KEPT
                && let Some(oldest) = self.kept.iter().position(|it| it.file == kept.file)
            {
                self.kept.remove(oldest);
            }
            self.kept.push(kept);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_share_a_memory() {
        let dir = tempfile::tempdir().unwrap();
        let mut one = Memory::open(dir.path()).unwrap();
        let mut other = Memory::open(dir.path()).unwrap();
        assert_eq!(one.update(|state| state.take_numbers(7, 16)).unwrap(), 0);
        assert_eq!(other.update(|state| state.take_numbers(7, 16)).unwrap(), 16);
        assert_eq!(one.update(|state| state.take_numbers(7, 1)).unwrap(), 32);
        let none = BTreeSet::new();
        let learn = |memory: &mut Memory, behaviours: [u64; 2]| {
            let learn = |state: &mut State| {
                state.learn(&behaviours.into(), &none, Guidance::Guide, || kept(1))
            };
            memory.update(learn).unwrap()
        };
        assert_eq!(learn(&mut one, [1, 2]), 2);
        assert_eq!(learn(&mut other, [2, 3]), 1);
        assert_eq!(Memory::open(dir.path()).unwrap().state().kept.len(), 2);
    }

    fn kept(seed: u64) -> Kept {
        let schedule = Schedule::of(seed);
        Kept { file: "a".into(), schedule, times: Vec::new(), reached: false }
    }

    #[test]
    fn a_schedule_that_reaches_new_blocks_is_kept_if_they_are_to_guide() {
        let learnt = |guidance| {
            let mut state = State::default();
            let behaviours = BTreeSet::from([1]);
            state.learn(&behaviours, &BTreeSet::from([10]), guidance, || kept(1));
            state.learn(&behaviours, &BTreeSet::from([10, 11]), guidance, || kept(2));
            state.learn(&behaviours, &BTreeSet::from([11]), guidance, || kept(3));
            assert_eq!(state.blocks.len(), 2);
            let kept = state.kept.iter().map(|it| (it.schedule.seed, it.reached));
            kept.collect::<Vec<_>>()
        };
        assert_eq!(learnt(Guidance::Guide), [(1, true), (2, true)]);
        assert_eq!(learnt(Guidance::Count), [(1, false)]);
    }

    #[test]
    fn another_versions_memory_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        drop(Memory::open(dir.path()).unwrap());
        let file = dir.path().join(FILE);
        let theirs = r#"{"form":1,"sansim":"0.0.9","what":"else"}"#;
        fs::write(&file, theirs).unwrap();
        let error = Memory::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("made by sansim 0.0.9") && error.contains("--memory"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), theirs);
        fs::write(&file, "{").unwrap();
        assert!(Memory::open(dir.path()).is_err());
    }

    #[test]
    fn a_directory_of_something_else_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.tex"), "").unwrap();
        let error = Memory::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("not empty"), "{error}");
    }
}
