//! Directories that are created at most once, completely or not at all.
//!
//! A directory `x` of the cache is built as `x.part` and then renamed. It has a lock file `x.lock`; a
//! process that builds or removes the directory holds a flock on it. The kernel releases the lock when its
//! process ends for any reason, so a `.part` that exists when the lock is taken is a leftover.

mod holders;
mod seal;

use std::{
    collections::HashMap,
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use holders::{Holder, holders, in_words};
pub(crate) use seal::{Damage, Seal};

use crate::{LabError, Progress, Result};

/// How often to retry a lock that is taken.
const RETRY: Duration = Duration::from_millis(100);

/// How long to wait for a lock. Building an image over a slow line takes minutes.
const PATIENCE: Duration = Duration::from_secs(1800);

/// How long to wait for a lock whose holder is stopped. It may be continued at once.
const STOPPED_PATIENCE: Duration = Duration::from_secs(10);

/// A file that was not used for this long is regarded as not in use.
pub(crate) const UNUSED_FOR: Duration = Duration::from_secs(3600);

/// The lock of one cache directory.
#[derive(Debug)]
pub(crate) struct Lock {
    dir: PathBuf,
    /// Holds the flock, which is released when the file is closed.
    _file: File,
}

impl Lock {
    /// Takes the lock of a directory, which need not exist. If it is taken, reports that and waits. `what`
    /// reads like "the image bookworm".
    ///
    /// # Errors
    /// `Busy` when the holder is stopped, or keeps the lock for too long.
    pub(crate) async fn take(dir: &Path, what: &str, progress: &dyn Progress) -> Result<Lock> {
        let file = beside(dir, "lock");
        let (began, mut told, mut stopped) = (Instant::now(), false, None::<Instant>);
        loop {
            if let Some(lock) = Lock::try_take(dir)? {
                return Ok(lock);
            }
            let who = holders(&file);
            if !told {
                let who = in_words(&who);
                progress
                    .stage(&format!("waiting for another sansim that is busy with {what}{who}"));
                told = true;
            }
            stopped = match who.iter().any(|holder: &Holder| holder.stopped) {
                true => stopped.or(Some(Instant::now())),
                false => None,
            };
            let in_vain = stopped.is_some_and(|since| since.elapsed() > STOPPED_PATIENCE);
            if in_vain || began.elapsed() > PATIENCE {
                return Err(LabError::Busy { what: what.to_owned(), who: in_words(&who) });
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// The error for a lock that is taken.
    pub(crate) fn busy(dir: &Path, what: &str) -> LabError {
        LabError::Busy { what: what.to_owned(), who: in_words(&holders(&beside(dir, "lock"))) }
    }

    /// Takes the lock if it is free.
    pub(crate) fn try_take(dir: &Path) -> Result<Option<Lock>> {
        let path = beside(dir, "lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(LabError::file("cannot create", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { dir: dir.to_owned(), _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(LabError::file("cannot lock", path)(e)),
        }
    }

    /// Creates an empty directory to build the contents in, and removes a leftover.
    pub(crate) fn begin(&self) -> Result<Unfinished<'_>> {
        let path = beside(&self.dir, "part");
        remove_dir(&path)?;
        fs::create_dir(&path).map_err(LabError::file("cannot create", &path))?;
        Ok(Unfinished { lock: self, path })
    }

    /// Removes the directory if it exists.
    pub(crate) fn remove(&self) -> Result<()> {
        // Renamed first, so that no other process sees a half removed directory.
        let path = beside(&self.dir, "part");
        remove_dir(&path)?;
        match fs::rename(&self.dir, &path) {
            Ok(()) => remove_dir(&path),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(LabError::file("cannot remove", &self.dir)(e)),
        }
    }
}

/// Marks a directory as in use by this process, until it ends.
pub(crate) fn keep_in_use(dir: &Path) {
    let mut used = in_use();
    if used.contains_key(dir) {
        return;
    }
    let path = beside(dir, "use");
    let open = || -> io::Result<File> {
        let file = File::options().create(true).truncate(false).write(true).open(&path)?;
        match file.try_lock_shared() {
            // Somebody is removing it, who must have seen that it is in use.
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(file),
            Err(TryLockError::Error(error)) => Err(error),
        }
    };
    match open() {
        Ok(file) => {
            used.insert(dir.to_owned(), file);
        }
        // A cache that cannot be written cannot be removed either.
        Err(error) => tracing::debug!("{} cannot be marked as in use: {error}", dir.display()),
    }
}

/// Makes sure that no other process uses a directory. `what` reads like "the image bookworm".
///
/// # Errors
/// `Busy` with those who do.
pub(crate) fn not_in_use(dir: &Path, what: &str) -> Result<File> {
    in_use().remove(dir);
    let path = beside(dir, "use");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(LabError::file("cannot create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let who = in_words(&holders(&path));
            Err(LabError::Busy { what: what.to_owned(), who })
        }
        Err(TryLockError::Error(error)) => Err(LabError::file("cannot lock", path)(error)),
    }
}

/// The directories in use by this process, each with its lock.
fn in_use() -> MutexGuard<'static, HashMap<PathBuf, File>> {
    static USED: LazyLock<Mutex<HashMap<PathBuf, File>>> = LazyLock::new(Mutex::default);
    USED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A directory under construction. Dropping it removes it, unless it was finished.
#[derive(Debug)]
pub(crate) struct Unfinished<'a> {
    lock: &'a Lock,
    path: PathBuf,
}

impl Unfinished<'_> {
    /// Where to build the contents.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Renames it to its final name, in place of an earlier directory.
    pub(crate) fn finish(self) -> Result<()> {
        sync(&self.path).map_err(LabError::file("cannot write", &self.path))?;
        remove_dir(&self.lock.dir)?;
        fs::rename(&self.path, &self.lock.dir)
            .map_err(LabError::file("cannot create", &self.lock.dir))
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Updates the time of last use (the mtime). [`prune`] removes the least recently used directories first.
pub(crate) fn used(path: &Path) {
    // On failure the directory is only pruned earlier than necessary.
    let _ = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
}

/// Removes a directory, unless another process has its lock.
pub(crate) fn remove(dir: &Path) -> Result<()> {
    Lock::try_take(dir)?.map_or(Ok(()), |lock| lock.remove())
}

/// Like [`remove`], but only logs an error.
pub(crate) fn throw_away(dir: &Path) {
    if let Err(error) = remove(dir) {
        tracing::warn!("{error}");
    }
}

/// Removes the least recently used directories, so that at most `most` remain, with at most `most_bytes` in
/// total according to `size`.
pub(crate) fn prune(
    dirs: impl IntoIterator<Item = PathBuf>,
    most: usize,
    most_bytes: u64,
    size: impl Fn(&Path) -> u64,
) {
    let mut bytes = 0;
    for (newer, dir) in by_use(dirs).into_iter().rev().enumerate() {
        bytes += size(&dir);
        if newer >= most || bytes > most_bytes {
            throw_away(&dir);
        }
    }
}

/// The directory that was not used for longest.
pub(crate) fn least_recently_used(dirs: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    by_use(dirs).into_iter().next()
}

/// Those directories that exist, the least recently [`used`] first.
fn by_use(dirs: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let used = |dir: &Path| fs::metadata(dir).and_then(|meta| meta.modified()).ok();
    let mut all: Vec<(SystemTime, PathBuf)> =
        dirs.into_iter().filter_map(|dir| Some((used(&dir)?, dir))).collect();
    all.sort();
    all.into_iter().map(|(_, dir)| dir).collect()
}

/// The files and directories that can be removed safely: all except the `newest`, if they were not
/// [`used`] for [`UNUSED_FOR`].
pub(crate) fn unused(paths: impl IntoIterator<Item = PathBuf>, newest: usize) -> Vec<PathBuf> {
    let when = |path: PathBuf| Some((fs::metadata(&path).ok()?.modified().ok()?, path));
    let mut all: Vec<(SystemTime, PathBuf)> = paths.into_iter().filter_map(when).collect();
    all.sort();
    let old = |used: &SystemTime| used.elapsed().is_ok_and(|age| age > UNUSED_FOR);
    let unused = all.into_iter().rev().skip(newest).filter(|(used, _)| old(used));
    unused.map(|(_, path)| path).collect()
}

/// The paths in a directory; empty if it cannot be read.
pub(crate) fn inside(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Writes a file completely or not at all, and replaces an earlier file.
///
/// # Errors
/// `File` when it cannot be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let failed = |e| LabError::file("cannot write", path)(e);
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
    io::Write::write_all(&mut file, bytes).map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// `dir` with `.lock` or `.part` appended to its name.
fn beside(dir: &Path, suffix: &str) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    dir.with_file_name(name)
}

fn remove_dir(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(LabError::file("cannot remove", path)(e))
        }
        _ => Ok(()),
    }
}

/// Syncs the files, so that a host crash after the rename does not leave empty files.
fn sync(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(dir)?.sync_all()
}

/// Disk space of all files below a directory, in bytes; holes do not count. 0 if it does not exist.
pub(crate) fn size_of(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size_of(&entry.path()),
        Ok(_) => size_of_file(&entry.path()),
        Err(_) => 0,
    });
    sizes.sum()
}

/// Disk space of a file, in bytes; holes do not count. 0 if it does not exist.
pub(crate) fn size_of_file(path: &Path) -> u64 {
    // `st_blocks` of stat(2) counts units of 512 bytes.
    fs::symlink_metadata(path).map_or(0, |meta| meta.blocks() * 512)
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, atomic::AtomicUsize, atomic::Ordering};

    use super::*;
    use crate::Quiet;

    #[derive(Default)]
    struct Said(Mutex<Vec<String>>);

    impl Progress for Said {
        fn stage(&self, text: &str) {
            self.0.lock().unwrap().push(text.to_owned());
        }
    }

    /// Like the builders of this crate, with a slow step.
    async fn build(dir: &Path, steps: &AtomicUsize, progress: &dyn Progress) -> Result<String> {
        let lock = Lock::take(dir, "the image x", progress).await?;
        if !dir.exists() {
            let part = lock.begin()?;
            steps.fetch_add(1, Ordering::SeqCst);
            fs::write(part.path().join("a"), "half").unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert!(!dir.exists(), "visible before it is finished");
            fs::write(part.path().join("a"), "whole").unwrap();
            part.finish()?;
        }
        Ok(fs::read_to_string(dir.join("a")).unwrap())
    }

    #[tokio::test]
    async fn two_builds_at_once_do_the_work_once_and_the_second_says_that_it_waits() {
        let tmp = tempfile::tempdir().unwrap();
        let (dir, steps) = (tmp.path().join("x"), AtomicUsize::new(0));
        let said = [Said::default(), Said::default()];
        let (first, second) =
            tokio::join!(build(&dir, &steps, &said[0]), build(&dir, &steps, &said[1]));
        assert_eq!((first.unwrap().as_str(), second.unwrap().as_str()), ("whole", "whole"));
        assert_eq!(steps.load(Ordering::SeqCst), 1);
        assert_eq!(said[0].0.lock().unwrap().len(), 0);
        let waiting = "waiting for another sansim that is busy with the image x";
        assert_eq!(*said[1].0.lock().unwrap(), [waiting]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_of_a_stopped_process_is_not_waited_for_for_ever() {
        use rustix::process::{Pid, Signal, kill_process};
        let tmp = tempfile::tempdir().unwrap();
        let (dir, said) = (tmp.path().join("x"), Said::default());
        let mut holder = std::process::Command::new("flock")
            .arg("-F")
            .arg(beside(&dir, "lock"))
            .args(["sleep", "600"])
            .spawn()
            .unwrap();
        while holders(&beside(&dir, "lock")).is_empty() {
            std::thread::yield_now();
        }
        kill_process(Pid::from_child(&holder), Signal::STOP).unwrap();
        let error = Lock::take(&dir, "the image x", &said).await.unwrap_err().to_string();
        let pid = holder.id();
        assert!(error.contains(&format!("process {pid}, stopped: sleep 600")), "{error}");
        assert!(said.0.lock().unwrap()[0].contains(&format!("process {pid}")));
        holder.kill().unwrap();
        holder.wait().unwrap();
        Lock::take(&dir, "the image x", &said).await.unwrap();
    }

    #[test]
    fn a_directory_in_use_by_another_process_names_it() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("x");
        keep_in_use(&dir);
        drop(not_in_use(&dir, "the image x").unwrap());
        let mut user = std::process::Command::new("flock")
            .args(["-s", "-F"])
            .arg(beside(&dir, "use"))
            .args(["sleep", "600"])
            .spawn()
            .unwrap();
        // flock becomes sleep.
        let line = format!("/proc/{}/cmdline", user.id());
        while fs::read(&line).unwrap() != b"sleep\x00600\x00" {
            std::thread::yield_now();
        }
        let error = not_in_use(&dir, "the image x").unwrap_err().to_string();
        let expected = format!(
            "the image x is in use by another sansim (process {}: sleep 600): try again when that has ended",
            user.id()
        );
        assert_eq!(error, expected);
        user.kill().unwrap();
        user.wait().unwrap();
        not_in_use(&dir, "the image x").unwrap();
    }

    #[tokio::test]
    async fn an_abandoned_build_leaves_nothing() {
        let tmp = tempfile::tempdir().unwrap();
        let (dir, steps) = (tmp.path().join("x"), AtomicUsize::new(0));
        let build_once = build(&dir, &steps, &Quiet);
        assert!(tokio::time::timeout(Duration::from_millis(50), build_once).await.is_err());
        assert!(!dir.exists() && !tmp.path().join("x.part").exists());
        assert_eq!(build(&dir, &steps, &Quiet).await.unwrap(), "whole");
    }

    #[tokio::test]
    async fn what_a_killed_build_left_is_swept_by_the_next() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("x");
        fs::create_dir_all(tmp.path().join("x.part/deep")).unwrap();
        fs::write(tmp.path().join("x.part/old"), "").unwrap();
        let lock = Lock::take(&dir, "x", &Quiet).await.unwrap();
        let part = lock.begin().unwrap();
        assert_eq!(fs::read_dir(part.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_held_lock_is_seen_and_removal_is_complete() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("x");
        build(&dir, &AtomicUsize::new(0), &Quiet).await.unwrap();
        assert!(size_of(&dir) > 0);
        let lock = Lock::try_take(&dir).unwrap().unwrap();
        assert!(Lock::try_take(&dir).unwrap().is_none());
        lock.remove().unwrap();
        lock.remove().unwrap();
        let left: Vec<_> =
            fs::read_dir(tmp.path()).unwrap().flatten().map(|e| e.file_name()).collect();
        assert_eq!(left, ["x.lock"]);
    }
}
