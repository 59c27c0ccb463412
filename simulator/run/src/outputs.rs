//! What the programs of a run printed, read back from its directory.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use serde::Deserialize;

use crate::directory::EVENTS;

/// The longest event that is read, in bytes. Output is cut before it comes to that much.
const LONGEST: u64 = 4 << 20;

/// A program that a step of a run has run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Output {
    /// When it ended, in seconds of story time.
    pub t: f64,
    /// The name of the step.
    pub name: String,
    /// The exit code; `None` if the program was killed.
    pub code: Option<i32>,
    /// What killed the program; `None` if it exited.
    pub killed_by: Option<String>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// The programs of the run in this directory, in the order in which they ended.
///
/// # Errors
/// If the run's events cannot be read.
pub fn outputs(run: &Path) -> io::Result<Vec<Output>> {
    let mut events = BufReader::new(File::open(run.join(EVENTS))?);
    let mut outputs = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut rest = io::Read::take(&mut events, LONGEST);
        if rest.read_until(b'\n', &mut line)? == 0 {
            return Ok(outputs);
        }
        if line.starts_with(b"{\"t\":") && is_ran(&line) {
            outputs.extend(serde_json::from_slice::<Output>(&line));
        }
    }
}

/// Whether a line is an event of kind `ran`. Commands come in thousands, and are not parsed.
fn is_ran(line: &[u8]) -> bool {
    const KIND: &[u8] = b"\"kind\":\"ran\"";
    line.windows(KIND.len()).take(64).any(|window| window == KIND)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn programs_are_found_among_other_events_and_damaged_lines() {
        let dir = tempfile::tempdir().unwrap();
        let events = "{\"t\":1.0,\"kind\":\"log\",\"text\":\"\\\"kind\\\":\\\"ran\\\"\"}\n\
                      {\"t\":2.5,\"kind\":\"ran\",\"name\":\"a\",\"code\":0,\"stdout\":\"x\\n\",\"stderr\":\"\"}\n\
                      {\"t\":3.0,\"kind\":\"ran\",\"name\":\n\
                      {\"t\":4.0,\"kind\":\"ran\",\"name\":\"b\",\"code\":null,\"killed_by\":\"SIGSEGV\",\
                      \"stdout\":\"\",\"stderr\":\"y\"}\n";
        fs::write(dir.path().join(EVENTS), events).unwrap();
        let found = outputs(dir.path()).unwrap();
        let shown: Vec<_> =
            found.iter().map(|it| (it.t, &*it.name, it.code, it.killed_by.as_deref())).collect();
        assert_eq!(shown, [(2.5, "a", Some(0), None), (4.0, "b", None, Some("SIGSEGV"))]);
        assert_eq!((&*found[0].stdout, &*found[1].stderr), ("x\n", "y"));
        assert!(outputs(&dir.path().join("nothing")).is_err());
    }
}
