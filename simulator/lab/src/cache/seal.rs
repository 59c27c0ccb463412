//! Seals: the hashes of a cache directory's files, against bits that flip and files that are cut.
//!
//! Hashing everything whenever it is opened would take longer than the rest of a start. So a file is hashed
//! when its size, its inode or one of its times is another than when it was hashed last, and else once a
//! [`DAY`]. All else costs a few calls of stat(2).

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::write_atomically;
use crate::{
    LabError, Result,
    ram::{CHUNK, PAGE, next_data},
};

/// How long files that look unchanged are trusted.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What is wrong with sealed files, in words: `ram is not what was written`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Damage(pub(crate) String);

/// The seal of some files of a directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seal<'a> {
    dir: &'a Path,
    /// Names the seal's own files.
    name: &'a str,
}

/// The hashes, by the files' names.
type Hashes = BTreeMap<String, String>;

/// What files look like: inode, size, and times of modification and change.
type Looks = BTreeMap<String, (u64, u64, [i64; 4])>;

/// What the files looked like when they were hashed last.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Checked {
    /// Seconds since 1970.
    at: u64,
    files: Looks,
}

impl<'a> Seal<'a> {
    pub(crate) fn new(dir: &'a Path, name: &'a str) -> Seal<'a> {
        Seal { dir, name }
    }

    /// The file with the hashes.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join(format!("{}.seal", self.name))
    }

    fn checked(&self) -> PathBuf {
        self.dir.join(format!("{}.checked", self.name))
    }

    /// Hashes the files, which are complete.
    pub(crate) fn make<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<()> {
        let hash = |name: &str| {
            let path = self.dir.join(name);
            let hash = hash_of(&path).map_err(LabError::file("cannot read", path))?;
            Ok((name.to_owned(), hash))
        };
        let hashes = names.into_iter().map(hash).collect::<Result<Hashes>>()?;
        let text = serde_json::to_vec(&hashes).unwrap_or_default();
        let path = self.path();
        fs::write(&path, text).map_err(LabError::file("cannot write", path))
    }

    /// Whether there is a seal.
    pub(crate) fn exists(&self) -> bool {
        self.path().is_file()
    }

    /// Checks the files: by their looks if that is enough, else by their hashes.
    ///
    /// # Errors
    /// The damage.
    pub(crate) fn check(&self) -> Result<(), Damage> {
        let hashes = self.hashes()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let looks = self.looks(&hashes)?;
        let known = fs::read(self.checked()).ok();
        let known: Checked =
            known.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let young = (known.at..known.at.saturating_add(DAY.as_secs())).contains(&now);
        if young && known.files == looks {
            return Ok(());
        }
        self.compare(&hashes)?;
        let checked = Checked { at: now, files: looks };
        let text = serde_json::to_vec(&checked).unwrap_or_default();
        // In a cache that cannot be written, the files are hashed every time.
        if let Err(error) = write_atomically(&self.checked(), &text) {
            tracing::debug!("{error}");
        }
        Ok(())
    }

    /// Checks the files by their hashes.
    ///
    /// # Errors
    /// The damage.
    pub(crate) fn check_fully(&self) -> Result<(), Damage> {
        self.compare(&self.hashes()?)
    }

    fn hashes(&self) -> Result<Hashes, Damage> {
        let text = fs::read(self.path()).ok();
        let hashes = text.and_then(|text| serde_json::from_slice(&text).ok());
        hashes.ok_or_else(|| Damage(format!("{}.seal cannot be read", self.name)))
    }

    fn looks(&self, hashes: &Hashes) -> Result<Looks, Damage> {
        let look = |name: &String| {
            let meta = fs::metadata(self.dir.join(name));
            let meta = meta.map_err(|error| Damage(format!("{name}: {error}")))?;
            let times = [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()];
            Ok((name.clone(), (meta.ino(), meta.len(), times)))
        };
        hashes.keys().map(look).collect()
    }

    fn compare(&self, hashes: &Hashes) -> Result<(), Damage> {
        hashes.iter().try_for_each(|(name, hash)| match hash_of(&self.dir.join(name)) {
            Ok(found) if found == *hash => Ok(()),
            Ok(_) => Err(Damage(format!("{name} is not what was written"))),
            Err(error) => Err(Damage(format!("{name}: {error}"))),
        })
    }
}

/// The hash of a file's size and of its pages that are not zero, with their places: holes cost nothing, and a
/// copy without holes has the same.
fn hash_of(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut hash = blake3::Hasher::new();
    hash.update(&len.to_le_bytes());
    let (mut chunk, zeros) = (vec![0; CHUNK], [0; PAGE]);
    let mut at = 0;
    while let Some((start, end)) = next_data(&file, at, len)? {
        // Extents may begin anywhere; pages begin where they do in every copy.
        at = start - start % PAGE as u64;
        while at < end {
            let n = CHUNK.min(usize::try_from(len - at).unwrap_or(CHUNK));
            file.read_exact_at(&mut chunk[..n], at)?;
            let mut run = 0..0;
            for (index, page) in chunk[..n].chunks(PAGE).enumerate() {
                let here = index * PAGE;
                if page == &zeros[..page.len()] {
                    continue;
                }
                if run.end != here {
                    hash_run(&mut hash, at, &run, &chunk);
                    run = here..here;
                }
                run.end = here + page.len();
            }
            hash_run(&mut hash, at, &run, &chunk);
            at += n as u64;
        }
    }
    Ok(hash.finalize().to_hex().to_string())
}

/// Adds pages that follow each other. A chunk ends a run; but chunks, too, may begin elsewhere in a copy with
/// other holes: so every page is preceded by its place.
fn hash_run(hash: &mut blake3::Hasher, at: u64, run: &std::ops::Range<usize>, chunk: &[u8]) {
    for start in run.clone().step_by(PAGE) {
        hash.update(&(at + start as u64).to_le_bytes());
        hash.update(&chunk[start..run.end.min(start + PAGE)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["ram", "state"];

    /// A directory with two sealed files, one with holes.
    fn sealed() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let ram = File::create(dir.path().join("ram")).unwrap();
        ram.set_len(8 << 20).unwrap();
        ram.write_all_at(&[7; 5000], 3 << 20).unwrap();
        fs::write(dir.path().join("state"), "state").unwrap();
        Seal::new(dir.path(), "x").make(NAMES).unwrap();
        Seal::new(dir.path(), "x").check().unwrap();
        dir
    }

    fn damage(dir: &tempfile::TempDir) -> Option<String> {
        Seal::new(dir.path(), "x").check().err().map(|damage| damage.0)
    }

    #[test]
    fn each_kind_of_damage_is_found_and_named() {
        let ruin = |name: &'static str, ruin: fn(&File)| {
            let dir = sealed();
            ruin(&File::options().write(true).open(dir.path().join(name)).unwrap());
            damage(&dir).unwrap_or_default()
        };
        let flipped = ruin("ram", |ram| ram.write_all_at(&[6], (3 << 20) + 99).unwrap());
        assert_eq!(flipped, "ram is not what was written");
        let zeroed = ruin("ram", |ram| ram.write_all_at(&[0; 5000], 3 << 20).unwrap());
        assert_eq!(zeroed, "ram is not what was written");
        let moved = ruin("ram", |ram| ram.write_all_at(&[1], 0).unwrap());
        assert_eq!(moved, "ram is not what was written");
        assert_eq!(ruin("ram", |ram| ram.set_len(1).unwrap()), "ram is not what was written");
        assert_eq!(ruin("state", |it| it.set_len(0).unwrap()), "state is not what was written");
        let dir = sealed();
        fs::remove_file(dir.path().join("state")).unwrap();
        assert!(damage(&dir).unwrap().starts_with("state: "));
        let dir = sealed();
        fs::write(dir.path().join("x.seal"), "{").unwrap();
        assert_eq!(damage(&dir).unwrap(), "x.seal cannot be read");
    }

    #[test]
    fn a_file_whose_times_were_set_back_is_still_found() {
        let dir = sealed();
        let ram = File::options().write(true).open(dir.path().join("ram")).unwrap();
        let modified = ram.metadata().unwrap().modified().unwrap();
        ram.write_all_at(&[6], 3 << 20).unwrap();
        ram.set_modified(modified).unwrap();
        assert_eq!(damage(&dir).as_deref(), Some("ram is not what was written"));
    }

    #[test]
    fn what_looks_unchanged_is_hashed_once_a_day() {
        let dir = sealed();
        let seal = Seal::new(dir.path(), "x");
        // As if a bit had flipped on the disk: the seal is another, and the files look the same.
        let hashes = fs::read_to_string(seal.path()).unwrap();
        fs::write(seal.path(), hashes.replace(":\"", ":\"0")).unwrap();
        assert_eq!(damage(&dir), None);
        assert!(seal.check_fully().is_err());
        let text = fs::read(seal.checked()).unwrap();
        let mut checked: Checked = serde_json::from_slice(&text).unwrap();
        checked.at -= DAY.as_secs();
        fs::write(seal.checked(), serde_json::to_vec(&checked).unwrap()).unwrap();
        assert_eq!(damage(&dir).as_deref(), Some("ram is not what was written"));
    }

    #[test]
    fn a_copy_without_holes_is_the_same() {
        let dir = sealed();
        let bytes = fs::read(dir.path().join("ram")).unwrap();
        fs::write(dir.path().join("ram"), bytes).unwrap();
        assert_eq!(damage(&dir), None);
    }
}
