//! Long-running programs of the userland: their output, line by line, and their exit.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::mpsc::Receiver;

use rustix::process::WaitStatus;
use sansim_protocol::{Ended, Happening};

use crate::children::how;
use crate::fail::Result;
use crate::outbox::Outbox;
use crate::thread;

/// Longest line that is reported, in bytes, with its newline.
const MAX_LINE: u64 = 4096;

/// Reports a child's output and its exit as [`Happening::Said`].
pub(crate) fn follow(
    name: &str,
    mut child: Child,
    ended: Receiver<WaitStatus>,
    outbox: &Outbox,
) -> Result<()> {
    say_lines(name, child.stdout.take(), outbox)?;
    say_lines(name, child.stderr.take(), outbox)?;
    let (program, outbox) = (name.to_owned(), outbox.clone());
    spawn(name, move || {
        let Ok(status) = ended.recv() else { return };
        let text = match how(status) {
            Ended::Code(code) => format!("has ended with exit code {code}"),
            killed => format!("was {killed}"),
        };
        outbox.event(Happening::Said { program, text });
    })
}

fn say_lines(
    name: &str,
    stream: Option<impl Read + Send + 'static>,
    outbox: &Outbox,
) -> Result<()> {
    let Some(stream) = stream else { return Ok(()) };
    let (program, outbox) = (name.to_owned(), outbox.clone());
    spawn(name, move || {
        lines(stream, |text| outbox.event(Happening::Said { program: program.clone(), text }));
    })
}

/// Reads a stream to its end, line by line. A line longer than [`MAX_LINE`] is split.
fn lines(stream: impl Read, mut take: impl FnMut(String)) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match stream.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end();
                if !text.is_empty() {
                    take(text.to_owned());
                }
            }
        }
    }
}

/// Starts a thread named after the program (the kernel keeps 15 bytes of a thread's name).
fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
    let name: String = name.chars().take(15).collect();
    thread::start(&name, run).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_passed_on_without_their_ends_and_within_bounds() {
        let mut seen = Vec::new();
        let long = "x".repeat(5000);
        lines(format!("one\r\n\n\u{fffd}two\n{long}").as_bytes(), |line| seen.push(line));
        assert_eq!(seen[..2], ["one", "\u{fffd}two"]);
        assert_eq!(seen[2..].iter().map(String::len).collect::<Vec<_>>(), [4096, 904]);
    }
}
