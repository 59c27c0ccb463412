//! Reads a run's `events.ndjson` in pieces.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use blake3::{Hash, Hasher};

/// Bytes per read.
const PIECE: usize = 256 << 10;

/// Maximum bytes of a line that are examined. Only a line with the output of a guest's program can be longer.
const LONGEST_LINE: u64 = 1 << 20;

/// Why a run's events cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {source}")]
pub(super) struct Unreadable {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// An events file, read from its beginning.
pub(super) struct EventsFile {
    path: PathBuf,
    reader: BufReader<File>,
}

/// Size, length and digest of a file.
pub(super) struct Content {
    pub(super) bytes: u64,
    /// Number of lines, including an unfinished last one.
    pub(super) lines: u64,
    /// BLAKE3 of all bytes.
    pub(super) digest: Hash,
}

impl EventsFile {
    /// Opens a file.
    ///
    /// # Errors
    /// When it does not exist, or cannot be read.
    pub(super) fn open(path: &Path) -> Result<EventsFile, Unreadable> {
        let path = path.to_owned();
        match File::open(&path) {
            Ok(file) => Ok(EventsFile { path, reader: BufReader::with_capacity(PIECE, file) }),
            Err(source) => Err(Unreadable { path, source }),
        }
    }

    /// The next bytes in the buffer; empty at the end of the file. Call [`pass`](EventsFile::pass) to consume
    /// them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn next(&mut self) -> Result<&[u8], Unreadable> {
        let EventsFile { path, reader } = self;
        reader.fill_buf().map_err(|source| Unreadable { path: path.clone(), source })
    }

    /// Consumes bytes that [`next`](EventsFile::next) has returned.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.reader.consume(bytes);
    }

    /// Reads the rest of the file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn content(mut self) -> Result<Content, Unreadable> {
        let (mut hasher, mut bytes, mut lines, mut last) = (Hasher::new(), 0, 0, b'\n');
        loop {
            let piece = self.next()?;
            let Some(&end) = piece.last() else { break };
            hasher.update(piece);
            lines += line_ends(piece);
            last = end;
            let length = piece.len();
            bytes += length as u64;
            self.pass(length);
        }
        lines += u64::from(last != b'\n');
        Ok(Content { bytes, lines, digest: hasher.finalize() })
    }

    /// The line that begins at this byte, without its newline, and at most [`LONGEST_LINE`] bytes of it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn line_at(&mut self, start: u64) -> Result<Vec<u8>, Unreadable> {
        let EventsFile { path, reader } = self;
        let mut line = Vec::new();
        let read = reader
            .seek(SeekFrom::Start(start))
            .and_then(|_| reader.take(LONGEST_LINE).read_until(b'\n', &mut line));
        match read {
            Ok(_) => {
                line.pop_if(|byte| *byte == b'\n');
                Ok(line)
            }
            Err(source) => Err(Unreadable { path: path.clone(), source }),
        }
    }
}

/// Number of newlines in these bytes.
pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}
