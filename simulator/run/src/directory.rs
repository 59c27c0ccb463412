//! The run directory: events, summary, report, resolved scenario and guest console.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use sansim_report::verdict::Summary;
use sansim_stage::event::{Event, What};

/// Name of the file with all events, one JSON object per line.
pub const EVENTS: &str = "events.ndjson";

/// The most that is written of a story's events, in bytes. What comes after it is counted and judged, but not
/// written.
const MOST_EVENTS: u64 = 256 << 20;

/// Why a run directory could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}{hint}", hint = hint(source))]
pub struct DirectoryError {
    /// The file or directory.
    pub path: PathBuf,
    /// The operating system's error.
    #[source]
    pub source: io::Error,
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            " (choose another place with --out DIR)"
        }
        io::ErrorKind::StorageFull => " (free some space, or choose another place with --out DIR)",
        _ => "",
    }
}

/// A run directory, open for writing.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    events: BufWriter<File>,
    /// The size of the events so far, in bytes.
    written: u64,
    /// The number of events left out.
    left_out: u64,
    /// The first failure to write an event; reported once, at the end.
    broken: Option<io::Error>,
}

impl RunDirectory {
    /// Creates the directory `<out>/<stamp>-<name>`, with a number appended if that exists.
    ///
    /// # Errors
    /// When the directory or its files cannot be created.
    pub fn create(out: &Path, stamp: &str, name: &str) -> Result<Self, DirectoryError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |source| DirectoryError { path, source }
        };
        fs::create_dir_all(out).map_err(fail(out))?;
        let path = make_unique(out, &format!("{stamp}-{name}")).map_err(fail(out))?;
        let events = path.join(EVENTS);
        let file = OpenOptions::new().create_new(true).write(true).open(&events);
        let events = BufWriter::new(file.map_err(fail(&events))?);
        Ok(RunDirectory { path, events, written: 0, left_out: 0, broken: None })
    }

    /// The directory's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file for the guest's serial console. The path is absolute: QEMU has another working directory.
    pub fn console(&self) -> PathBuf {
        std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone()).join("console.log")
    }

    /// Appends an event. The run continues if this fails: [`RunDirectory::finish`] returns the error.
    pub fn event(&mut self, event: &Event) {
        if self.broken.is_some() {
            return;
        }
        if self.written >= MOST_EVENTS && !matches!(event.what, What::Verdict { .. }) {
            self.left_out += 1;
            return;
        }
        self.broken = self.write(event).err();
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        if self.left_out > 0 {
            let (left_out, most) = (std::mem::take(&mut self.left_out), MOST_EVENTS >> 20);
            let line = format!(
                "{{\"t\":{},\"kind\":\"cut\",\"left_out\":{left_out},\"after_mib\":{most}}}\n",
                event.t
            );
            self.events.write_all(line.as_bytes())?;
        }
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.written += line.len() as u64;
        self.events.write_all(&line)?;
        // Commands come in thousands; all other events are flushed, so that they can be followed live.
        match event.what {
            What::Command(_) => Ok(()),
            _ => self.events.flush(),
        }
    }

    /// Writes a file in the directory.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn file(&self, name: &str, contents: &str) -> Result<(), DirectoryError> {
        let path = self.path.join(name);
        fs::write(&path, contents).map_err(|source| DirectoryError { path, source })
    }

    /// Writes the summary, flushes the events, and points `latest` at this run.
    ///
    /// # Errors
    /// When any part of the run, including earlier events, could not be written.
    pub fn finish(mut self, summary: &Summary) -> Result<PathBuf, DirectoryError> {
        let mut text = serde_json::to_string_pretty(summary).expect("a summary is plain data");
        text.push('\n');
        self.file("summary.json", &text)?;
        let flushed = match self.broken.take() {
            Some(error) => Err(error),
            None => self.events.flush(),
        };
        flushed.map_err(|source| DirectoryError { path: self.path.join(EVENTS), source })?;
        self.link_latest();
        Ok(self.path)
    }

    /// For convenience only: on a file system without symbolic links the run still succeeds.
    fn link_latest(&self) {
        let (Some(out), Some(name)) = (self.path.parent(), self.path.file_name()) else { return };
        let fresh = out.join(format!(".latest-{}", std::process::id()));
        let _ = fs::remove_file(&fresh);
        if symlink(name, &fresh).is_ok() && fs::rename(&fresh, out.join("latest")).is_err() {
            let _ = fs::remove_file(&fresh);
        }
    }
}

fn make_unique(out: &Path, name: &str) -> io::Result<PathBuf> {
    for number in 1..1000 {
        let path = match number {
            1 => out.join(name),
            _ => out.join(format!("{name}-{number}")),
        };
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            made => return made.map(|()| path),
        }
    }
    Err(io::Error::other("a thousand runs of this name exist already"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_of_one_name_do_not_share_a_directory() {
        let out = tempfile::tempdir().unwrap();
        let first = RunDirectory::create(out.path(), "now", "story").unwrap();
        let second = RunDirectory::create(out.path(), "now", "story").unwrap();
        assert_ne!(first.path(), second.path());
    }

    #[test]
    fn events_have_a_bound_and_the_file_says_where_it_was_cut() {
        let out = tempfile::tempdir().unwrap();
        let mut run = RunDirectory::create(out.path(), "now", "story").unwrap();
        let step = |t| {
            let (name, action) = ("s".to_owned(), String::new());
            Event { t, what: What::Step { name, action, error: None } }
        };
        run.event(&step(1.0));
        run.written = MOST_EVENTS;
        run.event(&step(2.0));
        run.event(&step(3.0));
        let verdict = What::Verdict { verdict: "pass".into(), reason: None };
        run.event(&Event { t: 4.0, what: verdict });
        let text = fs::read_to_string(run.path().join(EVENTS)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], r#"{"t":4,"kind":"cut","left_out":2,"after_mib":256}"#);
        assert!(lines[2].contains("pass"), "{text}");
    }

    #[test]
    fn a_place_that_cannot_be_written_says_what_to_do() {
        let out = tempfile::tempdir().unwrap();
        let file = out.path().join("file");
        fs::write(&file, "").unwrap();
        let error = RunDirectory::create(&file, "now", "story").unwrap_err();
        assert!(error.to_string().contains("cannot write"), "{error}");
        assert!(hint(&io::ErrorKind::StorageFull.into()).contains("--out"));
    }
}
