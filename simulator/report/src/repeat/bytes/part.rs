//! Finds the first byte in which two files differ.

use super::events::{EventsFile, Unreadable, line_ends};

/// The first difference between two files. All positions count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The first byte that differs.
    pub(super) byte: u64,
    /// The line of that byte.
    pub(super) line: u64,
    /// The position of the first byte of that line.
    pub(super) line_start: u64,
    /// Which of the files ends there.
    pub(super) ends: Ends,
}

/// Which of two files ends at the first difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// Both files continue.
    Neither,
    /// The first file.
    First,
    /// The other file.
    Other,
}

/// The first difference between two files; `None` if they are identical. Reads both from their current
/// position, in pieces.
///
/// # Errors
/// When one of them cannot be read.
pub(super) fn part(
    first: &mut EventsFile,
    other: &mut EventsFile,
) -> Result<Option<Place>, Unreadable> {
    let mut place = Place { byte: 0, line: 0, line_start: 0, ends: Ends::Neither };
    loop {
        let (was, is) = (first.next()?, other.next()?);
        let ends = match (was.is_empty(), is.is_empty()) {
            (true, true) => return Ok(None),
            (true, false) => Ends::First,
            (false, true) => Ends::Other,
            (false, false) => Ends::Neither,
        };
        let length = was.len().min(is.len());
        let same = same_bytes(&was[..length], &is[..length]);
        place.pass(&was[..same]);
        if same < length || ends != Ends::Neither {
            return Ok(Some(Place { ends, ..place }));
        }
        first.pass(same);
        other.pass(same);
    }
}

/// Length of the common prefix.
fn same_bytes(was: &[u8], is: &[u8]) -> usize {
    // Fast path: nearly always all bytes are equal, and slices compare quickly.
    if was == is {
        return was.len();
    }
    was.iter().zip(is).take_while(|(was, is)| was == is).count()
}

impl Place {
    /// Advances past these bytes.
    fn pass(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.iter().rposition(|&byte| byte == b'\n') {
            self.line_start = self.byte + last as u64 + 1;
        }
        self.line += line_ends(bytes);
        self.byte += bytes.len() as u64;
    }
}
