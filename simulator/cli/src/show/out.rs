//! What goes to standard output and standard error: never raw control characters of a file or a guest, and
//! never a panic because nobody reads.

use std::{
    fmt,
    io::{self, Write},
    sync::Mutex,
};

use sansim_stage::visible;

/// The first failure to write to standard output, apart from a reader that has gone.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints to standard output, as `print!` does.
macro_rules! out {
    ($($arg:tt)*) => { $crate::show::out::to_stdout(format_args!($($arg)*)) };
}

/// Prints a line to standard output, as `println!` does.
macro_rules! outln {
    ($($arg:tt)*) => { $crate::show::out::to_stdout(format_args!("{}\n", format_args!($($arg)*))) };
}

/// Prints to standard error, as `eprint!` does.
macro_rules! err {
    ($($arg:tt)*) => { $crate::show::out::to_stderr(format_args!($($arg)*)) };
}

/// Prints a line to standard error, as `eprintln!` does.
macro_rules! errln {
    ($($arg:tt)*) => { $crate::show::out::to_stderr(format_args!("{}\n", format_args!($($arg)*))) };
}

pub(crate) fn to_stdout(text: fmt::Arguments<'_>) {
    let text = shown(&text.to_string(), console::colors_enabled());
    let mut stdout = io::stdout().lock();
    noted(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
}

pub(crate) fn to_stderr(text: fmt::Arguments<'_>) {
    let text = shown(&text.to_string(), console::colors_enabled_stderr());
    // There is nobody else to tell.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Remembers that standard output could not be written, unless its reader has gone, as `head` does when it has
/// seen enough.
pub(crate) fn noted(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
        && let Ok(mut failed) = FAILED.lock()
    {
        failed.get_or_insert(error);
    }
}

/// Why standard output could not be written.
pub(crate) fn failure() -> Option<io::Error> {
    FAILED.lock().ok()?.take()
}

/// The text without control characters. Where this program prints colours, its sequences for them stay.
fn shown(text: &str, colours: bool) -> String {
    if !colours {
        return visible(text).into_owned();
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\x1b[") {
        let (before, sequence) = rest.split_at(at);
        shown.push_str(&visible(before));
        let body = &sequence[2..];
        let end = body.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(body.len());
        let length = match body[end..].starts_with('m') {
            true => end + 3,
            // None of ours: one character is enough to make it harmless.
            false => 1,
        };
        let (sequence, after) = sequence.split_at(length);
        match length {
            1 => shown.push_str(&visible(sequence)),
            _ => shown.push_str(sequence),
        }
        rest = after;
    }
    shown.push_str(&visible(rest));
    shown
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn colours_stay_where_there_are_colours_and_nothing_else_gets_through() {
        let text = "\x1b[1;31mred\x1b[0m \x1b[2J\x1b]0;title\x07\n";
        assert_eq!(shown(text, true), "\x1b[1;31mred\x1b[0m \\u001b[2J\\u001b]0;title\\u0007\n");
        assert_eq!(shown("\x1b[31mred", false), "\\u001b[31mred");
        for odd in ["\x1b[", "\x1b[1", "\x1b", "\x1b[\u{e9}"] {
            assert!(!shown(odd, true).contains('\x1b'), "{odd:?}");
        }
    }
}
