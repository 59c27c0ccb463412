//! The capture of a lab: commands as Wireshark reads them, from when it is switched on.

use std::{
    fs::File,
    io::{self, BufWriter},
    path::PathBuf,
};

use sansim_array::{CommandRecord, Nexus, StateChange};
use sansim_capture::Capture;
use sansim_run::{CAPTURE, MOST_CAPTURED};
use sansim_time::Time;

use crate::api::{CaptureStatus, Refused, Why};

/// The capture of a lab.
pub(super) struct Capturing {
    nexuses: Vec<Nexus>,
    story_begins: Time,
    path: PathBuf,
    open: Option<Capture<BufWriter<File>>>,
    /// The number of the next command.
    next: u64,
}

impl Capturing {
    /// A capture that is off. `directory` is the lab's.
    pub(super) fn new(
        nexuses: Vec<Nexus>,
        story_begins: Time,
        directory: &std::path::Path,
    ) -> Self {
        Capturing { nexuses, story_begins, path: directory.join(CAPTURE), open: None, next: 0 }
    }

    /// Switches the capture on or off. Switched on again, it begins a new file in place of the old
    /// one. Gives the path of the file.
    pub(super) fn switch(&mut self, on: bool) -> Result<String, Refused> {
        let switched = match (on, self.open.take()) {
            (true, None) => self.begin().map(|capture| self.open = Some(capture)),
            (true, Some(capture)) => {
                self.open = Some(capture);
                Ok(())
            }
            (false, Some(capture)) => capture.finish().map(drop),
            (false, None) => Err(io::Error::other("the capture is off")),
        };
        let path = self.path.display();
        let refuse =
            |error| Refused::new(Why::Failed, format!("cannot capture to {path}: {error}"));
        switched.map(|()| path.to_string()).map_err(refuse)
    }

    fn begin(&self) -> io::Result<Capture<BufWriter<File>>> {
        let file = BufWriter::new(File::create(&self.path)?);
        let nexuses = self.nexuses.iter().copied();
        Capture::new(file, nexuses, self.story_begins, self.next, MOST_CAPTURED)
    }

    /// Captures a completed command.
    pub(super) fn command(&mut self, record: &CommandRecord) {
        self.next = self.next.max(record.seq + 1);
        self.write(|capture| capture.command(record));
    }

    /// Captures a task management function, if this is one.
    pub(super) fn change(&mut self, change: &StateChange) {
        self.write(|capture| capture.change(change));
    }

    /// A file that cannot be written ends the capture.
    fn write(&mut self, write: impl FnOnce(&mut Capture<BufWriter<File>>) -> io::Result<()>) {
        if let Some(capture) = &mut self.open
            && let Err(error) = write(capture)
        {
            tracing::error!("the capture ends: cannot write {}: {error}", self.path.display());
            self.open = None;
        }
    }

    /// The state of the capture; `None` while it is off.
    pub(super) fn status(&self) -> Option<CaptureStatus> {
        let capture = self.open.as_ref()?;
        let bytes = self.path.metadata().map_or(0, |file| file.len());
        Some(CaptureStatus { file: self.path.display().to_string(), bytes, full: capture.full() })
    }
}
