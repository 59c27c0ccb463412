//! Checkpoints of the moment at which stories start.
//!
//! Loading modules, discovery and building maps take half of a short story's time, and are the same for
//! every story with the same guest and array. So the first of these stories saves its guest when all that
//! is done, and the others start from there. Saving the guest makes no difference to a story: every story
//! waits for a [`LULL`] before it starts.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use sansim_marks::Marks;
use sansim_time::Time;
use serde::{Deserialize, Serialize};

use super::{Checkpoint, Moment, Template, TemplateMemoryId};
use crate::{
    Keeper, LabError, Machine, Result,
    cache::{self, Lock, size_of},
    exact::Recording,
};

/// Guest time during which nothing is done to the guest before a story starts. In exact time the guest can
/// be stopped and saved during it.
pub const LULL: Duration = Duration::from_millis(200);

/// Limits for all checkpoints in a store: their number, and their total size in bytes.
const KEPT: usize = 512;
const KEPT_BYTES: u64 = 4 << 30;
/// Name of the directory with checkpoints in a template.
const STARTS: &str = "starts";
/// File name of the lab's part of a checkpoint.
const STORY: &str = "story";

/// The checkpoints of one template.
#[derive(Debug, Clone)]
pub struct Starts {
    template: Template,
}

/// Permission to make a checkpoint. While it exists, no other process makes the same one.
#[derive(Debug)]
pub struct StartToSave {
    template: Template,
    lock: Lock,
}

/// The lab's part of a checkpoint.
#[derive(Debug, Serialize, Deserialize)]
struct StartRecord {
    template: TemplateMemoryId,
    /// BLAKE3 hash of QEMU's device state.
    state: [u8; blake3::OUT_LEN],
    moment: Moment,
    recording: Recording,
    marks: Marks,
}

impl Starts {
    /// The checkpoints of this template.
    pub fn of(template: &Template) -> Starts {
        Starts { template: template.clone() }
    }

    /// Finds the checkpoint from which stories with this `in_common` start. `in_common` must contain
    /// everything that influences the checkpoint, apart from the template and this program. A damaged
    /// checkpoint is removed.
    pub fn find(&self, in_common: &str) -> Option<Checkpoint> {
        let dir = self.place(in_common);
        if !dir.is_dir() {
            return None;
        }
        match self.read(&dir) {
            Ok(checkpoint) => {
                cache::used(&dir);
                Some(checkpoint)
            }
            Err(error) => {
                tracing::warn!("a checkpoint cannot be used and is made again: {error}");
                cache::throw_away(&dir);
                None
            }
        }
    }

    fn read(&self, dir: &Path) -> Result<Checkpoint> {
        let path = dir.join(STORY);
        let bytes = fs::read(&path).map_err(LabError::file("cannot read", &path))?;
        let damaged =
            || LabError::file("cannot read", &path)(std::io::ErrorKind::InvalidData.into());
        let (hash, bytes) = bytes.split_first_chunk().ok_or_else(damaged)?;
        if blake3::hash(bytes) != *hash {
            return Err(damaged());
        }
        let story: StartRecord = postcard::from_bytes(bytes).map_err(|_| damaged())?;
        let template = self.template.memory()?;
        let unchanged = template.id()? == story.template;
        let StartRecord { moment, recording, marks, .. } = story;
        let dir = dir.to_owned();
        let checkpoint = Checkpoint::new(dir, Some(template), moment, recording);
        let checkpoint = Checkpoint { marks, ..checkpoint };
        if !unchanged || hash_of(&checkpoint.state())? != story.state {
            return Err(damaged());
        }
        Ok(checkpoint)
    }

    /// Permission to make the checkpoint; `None` if it exists, or another process is making it.
    ///
    /// # Errors
    /// `File` when the cache cannot be used.
    pub fn to_save(&self, in_common: &str) -> Result<Option<StartToSave>> {
        let starts = self.dir();
        fs::create_dir_all(&starts).map_err(LabError::file("cannot create", &starts))?;
        let dir = self.place(in_common);
        let lock = Lock::try_take(&dir)?.filter(|_| !dir.exists());
        Ok(lock.map(|lock| StartToSave { template: self.template.clone(), lock }))
    }

    fn dir(&self) -> PathBuf {
        self.template.path().join(STARTS)
    }

    fn place(&self, in_common: &str) -> PathBuf {
        let mut hash = blake3::Hasher::new();
        hash.update(format!("{:?} {LULL:?} ", this_program()).as_bytes());
        hash.update(in_common.as_bytes());
        self.dir().join(&hash.finalize().to_hex()[..16])
    }
}

impl StartToSave {
    /// Saves a guest at the moment at which stories start, before guest time reaches `until`. The story
    /// then continues as if it had not been saved. It must have been [recorded](Keeper::write_down).
    /// Returns whether the guest could be stopped in time.
    ///
    /// # Errors
    /// `GuestGone` and the like, after which the story cannot continue; `File`, `DiskFull`, `Unsaveable`,
    /// which do not affect the story.
    pub async fn save(self, machine: &Machine, keeper: &mut Keeper, until: Time) -> Result<bool> {
        let saved = self.save_while(machine, keeper, until).await;
        keeper.forget();
        saved
    }

    async fn save_while(self, machine: &Machine, keeper: &mut Keeper, until: Time) -> Result<bool> {
        keeper.have_asked_at(Some(until));
        let mut hold = machine.hold().await;
        keeper.drive(hold.stopped()).await??;
        if keeper.now().is_none_or(|now| now >= until) {
            return Ok(false);
        }
        let part = self.lock.begin()?;
        let checkpoint = hold.save(part.path().to_owned()).await?;
        let template = checkpoint.template()?.ok_or(LabError::Unsaveable)?;
        let state = hash_of(&checkpoint.state())?;
        let Checkpoint { moment, recording, .. } = checkpoint;
        let marks = machine.marks()?.unwrap_or_default();
        let story = StartRecord { template, state, moment, recording, marks };
        let bytes = postcard::to_stdvec(&story).map_err(|_| LabError::Unsaveable)?;
        let path = part.path().join(STORY);
        fs::write(&path, [blake3::hash(&bytes).as_bytes(), bytes.as_slice()].concat())
            .map_err(LabError::file("cannot write", path))?;
        part.finish()?;
        if let Some(templates) = self.template.store() {
            prune(templates);
        }
        Ok(true)
    }
}

impl Checkpoint {
    /// Removes the checkpoint's directory, when the checkpoint is unusable.
    pub fn discard(&self) {
        cache::throw_away(&self.dir);
    }
}

/// Identifies this program's binary: another build may contain another array.
fn this_program() -> Option<(u64, u64, i64, i64)> {
    let meta = fs::metadata("/proc/self/exe").ok()?;
    Some((meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()))
}

fn hash_of(path: &Path) -> Result<[u8; blake3::OUT_LEN]> {
    let bytes = fs::read(path).map_err(LabError::file("cannot read", path))?;
    Ok(*blake3::hash(&bytes).as_bytes())
}

/// Removes the least recently used checkpoints of all templates when there are too many.
fn prune(templates: &Path) {
    let each = |dirs: Vec<PathBuf>| dirs.into_iter().flat_map(|dir| cache::inside(&dir));
    let starts = each(cache::inside(templates)).flat_map(|it| cache::inside(&it.join(STARTS)));
    let whole = starts.filter(|dir| dir.join(STORY).is_file() && dir.extension().is_none());
    cache::prune(whole, KEPT, KEPT_BYTES, size_of);
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn those_not_used_for_longest_are_pruned_whatever_their_templates() {
        let store = tempfile::tempdir().unwrap();
        let place =
            |n: usize| store.path().join(format!("image{}/t{}/{STARTS}/{n:04}", n % 2, n % 3));
        for n in 0..KEPT + 2 {
            fs::create_dir_all(place(n)).unwrap();
            fs::write(place(n).join(STORY), "story").unwrap();
            let used = SystemTime::UNIX_EPOCH + Duration::from_secs(n as u64);
            fs::File::open(place(n)).unwrap().set_modified(used).unwrap();
        }
        prune(store.path());
        let left: Vec<usize> = (0..KEPT + 2).filter(|n| place(*n).exists()).collect();
        assert_eq!(left, (2..KEPT + 2).collect::<Vec<_>>());
    }
}
