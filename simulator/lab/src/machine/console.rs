//! The output of the serial console.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::host::programs::tail;

/// The most that a guest can write to its console, in bytes. QEMU drops what comes after it, as a serial line
/// without a listener would.
pub(crate) const CONSOLE: u64 = 64 << 20;

/// Most bytes that are read from the end of the file.
const WINDOW: u64 = 64 << 10;
/// Lines shown with an error.
const SHOWN: usize = 20;
/// First words of a kernel panic (kernel/panic.c).
const PANIC: &str = "Kernel panic - not syncing";

/// The file to which QEMU writes the console output.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    path: PathBuf,
}

impl Console {
    pub(crate) fn new(path: &Path) -> Console {
        Console { path: path.to_owned() }
    }

    /// Size of the output so far, in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.path.metadata().map_or(0, |meta| meta.len())
    }

    /// Says at the end of the file that it was cut there, if the guest has written more than
    /// [`CONSOLE`] bytes. QEMU must have ended.
    pub(crate) fn say_where_it_was_cut(&self) {
        if self.len() < CONSOLE {
            return;
        }
        let note = format!("\n[sansim: the console is cut here, after {} MiB]\n", CONSOLE >> 20);
        let written = File::options().append(true).open(&self.path);
        let written = written.and_then(|mut file| file.write_all(note.as_bytes()));
        if let Err(error) = written {
            tracing::warn!("the end of the console cannot be written: {error}");
        }
    }

    /// The last lines, without carriage returns and with invalid UTF-8 replaced; empty if there is no
    /// output.
    pub(crate) fn tail(&self, lines: usize) -> String {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(&self.path)?;
            let len = file.metadata()?.len();
            file.seek(SeekFrom::Start(len.saturating_sub(WINDOW)))?;
            let mut bytes = Vec::new();
            file.take(WINDOW).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().unwrap_or_default();
        tail(&String::from_utf8_lossy(&bytes).replace('\r', ""), lines)
    }

    /// The last lines for an error message, or a note that there are none. They include the reason for a
    /// panic, even if registers and a stack trace follow it.
    pub(crate) fn excerpt(&self) -> String {
        let all = self.tail(usize::MAX);
        if all.trim().is_empty() {
            return "(nothing was printed)".into();
        }
        let end = tail(&all, SHOWN);
        match all.lines().rfind(|line| line.contains(PANIC)) {
            Some(reason) if !end.contains(reason) => format!("{reason}\n[...]\n{end}"),
            _ => end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_lines_whatever_the_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("console");
        let console = Console::new(&path);
        assert_eq!((console.len(), console.tail(3).as_str()), (0, ""));
        assert_eq!(console.excerpt(), "(nothing was printed)");
        let mut bytes = vec![b'x'; 100_000];
        bytes.extend_from_slice(b"\r\none\r\ntwo \xff\r\nthree\r\n");
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(console.tail(2), "two \u{fffd}\nthree");
        assert!(console.tail(100).len() as u64 <= WINDOW);
        let trace = "trace\n".repeat(SHOWN);
        std::fs::write(&path, format!("up\n[1] {PANIC}: why\n{trace}end\n")).unwrap();
        let excerpt = console.excerpt();
        assert!(
            excerpt.starts_with("[1] Kernel panic - not syncing: why\n[...]\ntrace"),
            "{excerpt}"
        );
        assert_eq!(excerpt.lines().count(), SHOWN + 2);
    }
}
