//! The capture of a run: its traffic for Wireshark, in its directory. Made of what the array reports anyway, so that
//! the story is the same with and without it.

use std::{
    fs::File,
    io::{self, BufWriter},
    path::PathBuf,
};

use sansim_array::{CommandRecord, Nexus, StateChange};
use sansim_capture::Capture;
use sansim_report::verdict::CaptureSummary;
use sansim_time::Time;

use crate::directory::DirectoryError;

/// Name of the file with the traffic.
pub const CAPTURE: &str = "capture.pcapng";

/// The most bytes of the file.
pub const MOST_CAPTURED: u64 = 512 << 20;

/// What is captured of each command, besides its CDB, status and sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// Nothing more.
    Headers,
    /// The first 4 KiB of its data.
    Data,
}

impl Traffic {
    /// The most bytes of a command's data.
    pub(crate) fn data_bytes(self) -> usize {
        match self {
            Traffic::Headers => 0,
            Traffic::Data => 4096,
        }
    }
}

/// The capture of a run, while it is written.
pub(crate) struct Capturing {
    path: PathBuf,
    /// `None` when it could not be written.
    file: Option<Capture<BufWriter<File>>>,
    /// The first failure; reported once, at the end.
    broken: Option<io::Error>,
}

impl Capturing {
    /// Begins the file in the run's directory.
    pub(crate) fn begin(
        directory: &std::path::Path,
        nexuses: impl IntoIterator<Item = Nexus>,
        story_begins: Time,
    ) -> Self {
        let path = directory.join(CAPTURE);
        let begun = File::create_new(&path).and_then(|file| {
            Capture::new(BufWriter::new(file), nexuses, story_begins, 0, MOST_CAPTURED)
        });
        match begun {
            Ok(capture) => Capturing { path, file: Some(capture), broken: None },
            Err(error) => Capturing { path, file: None, broken: Some(error) },
        }
    }

    /// Captures a completed command.
    pub(crate) fn command(&mut self, record: &CommandRecord) {
        self.write(|capture| capture.command(record));
    }

    /// Captures a task management function, if this is one.
    pub(crate) fn change(&mut self, change: &StateChange) {
        self.write(|capture| capture.change(change));
    }

    fn write(&mut self, write: impl FnOnce(&mut Capture<BufWriter<File>>) -> io::Result<()>) {
        if let Some(capture) = &mut self.file
            && let Err(error) = write(capture)
        {
            self.file = None;
            self.broken = Some(error);
        }
    }

    /// Completes the file.
    ///
    /// # Errors
    /// The first failure to write it.
    pub(crate) fn finish(self) -> Result<CaptureSummary, DirectoryError> {
        let Capturing { path, file, broken } = self;
        let written = match (file, broken) {
            (_, Some(error)) => Err(error),
            (None, None) => Err(io::Error::other("the capture was lost")),
            (Some(capture), None) => capture.finish(),
        };
        let (_, cut) = written.map_err(|source| DirectoryError { path: path.clone(), source })?;
        let bytes = path.metadata().map_or(0, |file| file.len());
        Ok(CaptureSummary { file: CAPTURE.to_owned(), bytes, cut })
    }
}
