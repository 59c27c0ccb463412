//! The run directory: events, summary, report, resolved scenario and guest console.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use sansim_report::verdict::Summary;
use sansim_stage::event::{Event, What};
use serde::Serialize;

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
    events: WholeLines,
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
        let events = WholeLines::new(file.map_err(fail(&events))?);
        Ok(RunDirectory { path, events, left_out: 0, broken: None })
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
        if self.events.size >= MOST_EVENTS && !matches!(event.what, What::Verdict { .. }) {
            self.left_out += 1;
            return;
        }
        self.broken = self.write(event).err();
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        if self.left_out > 0 {
            let left_out = std::mem::take(&mut self.left_out);
            let after_mib = MOST_EVENTS >> 20;
            self.events.line(&Cut { t: event.t, kind: "cut", left_out, after_mib })?;
        }
        self.events.line(event)?;
        // Commands come in thousands; all other events are flushed, so that they can be followed live.
        let at_once = !matches!(event.what, What::Command(_));
        match at_once || self.events.lines.len() >= WholeLines::MANY {
            true => self.events.flush(),
            false => Ok(()),
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

/// A file that is written by whole lines only, so that it ends at the end of one whatever happens to this
/// process.
#[derive(Debug)]
struct WholeLines {
    file: File,
    lines: Vec<u8>,
    /// The size of all lines so far, in bytes.
    size: u64,
}

/// The line that says how many events are left out before it.
#[derive(Serialize)]
struct Cut {
    t: f64,
    kind: &'static str,
    left_out: u64,
    after_mib: u64,
}

impl WholeLines {
    /// How many bytes are kept before they are written.
    const MANY: usize = 64 << 10;

    fn new(file: File) -> Self {
        WholeLines { file, lines: Vec::new(), size: 0 }
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let before = self.lines.len();
        let written = serde_json::to_writer(&mut self.lines, line);
        if let Err(error) = written {
            self.lines.truncate(before);
            return Err(error.into());
        }
        self.lines.push(b'\n');
        self.size += (self.lines.len() - before) as u64;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = self.file.write_all(&self.lines);
        self.lines.clear();
        written
    }
}

impl Drop for WholeLines {
    fn drop(&mut self) {
        // A run that ends with a summary has flushed before, and heard of the error.
        let _ = self.flush();
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
    fn events_are_written_by_whole_lines() {
        let out = tempfile::tempdir().unwrap();
        let mut run = RunDirectory::create(out.path(), "now", "story").unwrap();
        let path = run.path().join(EVENTS);
        let command = sansim_stage::event::CommandEvent {
            seq: 0,
            hba: 0,
            port: "A0".into(),
            controller: "A".into(),
            lun: 0,
            op: "READ(10)".into(),
            cdb: "28".repeat(10),
            status: "GOOD".into(),
            sense: None,
            response: "OK".into(),
            latency_s: 0.25,
            fault: None,
        };
        let event = Event { t: 1.5, what: What::Command(command) };
        for _ in 0..2000 {
            run.event(&event);
            let written = fs::read(&path).unwrap();
            assert!(written.last().is_none_or(|last| *last == b'\n'));
        }
        assert!(!fs::read(&path).unwrap().is_empty(), "not everything is kept");
        drop(run);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2000);
    }

    #[test]
    fn events_have_a_bound_and_the_file_says_where_it_was_cut() {
        let out = tempfile::tempdir().unwrap();
        let mut run = RunDirectory::create(out.path(), "now", "story").unwrap();
        let step = |t| {
            let (name, action) = ("s".to_owned(), String::new());
            Event { t, what: What::Step { name, action, took_s: None, error: None } }
        };
        run.event(&step(1.0));
        run.events.size = MOST_EVENTS;
        run.event(&step(2.0));
        run.event(&step(3.0));
        let verdict = What::Verdict { verdict: "pass".into(), reason: None };
        run.event(&Event { t: 4.0, what: verdict });
        let text = fs::read_to_string(run.path().join(EVENTS)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], r#"{"t":4.0,"kind":"cut","left_out":2,"after_mib":256}"#);
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
