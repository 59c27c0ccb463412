//! The first byte at which two files part.

use super::events::{EventsFile, Unreadable, line_ends};

/// Where two files part. Everything is counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The first byte that differs.
    pub(super) byte: u64,
    /// The line that it is in.
    pub(super) line: u64,
    /// The byte at which that line begins.
    pub(super) line_start: u64,
    /// Which of the files has no such byte.
    pub(super) ends: Ends,
}

/// Which of two files ends where they part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// Both go on, each in its way.
    Neither,
    /// The first one.
    First,
    /// The other one.
    Other,
}

/// Where two files part; none if they are the same. Both are read from where they are, a piece at a
/// time.
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

/// How many bytes are the same from the beginning on.
fn same_bytes(was: &[u8], is: &[u8]) -> usize {
    // Nearly always all are, and that is found out many at a time.
    if was == is {
        return was.len();
    }
    was.iter().zip(is).take_while(|(was, is)| was == is).count()
}

impl Place {
    /// Goes on by these bytes.
    fn pass(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.iter().rposition(|&byte| byte == b'\n') {
            self.line_start = self.byte + last as u64 + 1;
        }
        self.line += line_ends(bytes);
        self.byte += bytes.len() as u64;
    }
}
