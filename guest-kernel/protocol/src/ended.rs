//! How a program of the guest ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The signals of x86-64 with their numbers (signal(7)), without `SIG`.
pub const SIGNALS: [(&str, i32); 31] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("PWR", 30),
    ("SYS", 31),
];

/// A signal, by its number. Written as `SIGSEGV`; one that has no name as `signal 34`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signal(pub i32);

impl Signal {
    /// The signal with this name, with or without `SIG`.
    pub fn named(name: &str) -> Option<Signal> {
        let name = name.strip_prefix("SIG").unwrap_or(name);
        SIGNALS.iter().find(|(known, _)| *known == name).map(|(_, number)| Signal(*number))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SIGNALS.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => write!(f, "SIG{name}"),
            None => write!(f, "signal {}", self.0),
        }
    }
}

/// How a program ended. Written as `exit code 1`, `killed by SIGSEGV`, `killed at its time limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It exited with this code.
    Code(i32),
    /// This signal killed it.
    Signal(Signal),
    /// It did not end within its time limit, and was killed.
    TimeLimit,
}

impl Ended {
    /// The exit code; `None` if the program was killed.
    pub fn code(self) -> Option<i32> {
        match self {
            Ended::Code(code) => Some(code),
            Ended::Signal(_) | Ended::TimeLimit => None,
        }
    }

    /// What killed the program, `SIGSEGV` or `time limit`; `None` if it exited.
    pub fn killed_by(self) -> Option<String> {
        match self {
            Ended::Code(_) => None,
            Ended::Signal(signal) => Some(signal.to_string()),
            Ended::TimeLimit => Some("time limit".to_owned()),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Code(code) => write!(f, "exit code {code}"),
            Ended::Signal(signal) => write!(f, "killed by {signal}"),
            Ended::TimeLimit => f.write_str("killed at its time limit"),
        }
    }
}

/// The end of a program, with what it printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramEnd {
    /// How the program ended.
    pub ended: Ended,
    /// When it was started: the guest's `CLOCK_MONOTONIC`, in nanoseconds.
    pub began_ns: u64,
    /// When it ended, by the same clock.
    pub ended_ns: u64,
    /// Standard output, at most 64 KiB. Invalid UTF-8 is replaced by U+FFFD.
    pub stdout: String,
    /// Standard error, under the same rules.
    pub stderr: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decode, encode};

    #[test]
    fn signals_are_found_by_name_and_written_by_name() {
        for (index, (name, number)) in SIGNALS.iter().enumerate() {
            assert_eq!(*number, index as i32 + 1);
            assert_eq!(Signal::named(name), Some(Signal(*number)));
            assert_eq!(Signal(*number).to_string(), format!("SIG{name}"));
        }
        assert_eq!(Signal::named("SIGSEGV"), Some(Signal(11)));
        assert_eq!((Signal::named("SEG"), Signal::named("")), (None, None));
        assert_eq!(Signal(34).to_string(), "signal 34");
    }

    #[test]
    fn each_end_is_one_of_its_own_on_the_wire() {
        for ended in [Ended::Code(0), Ended::Code(255), Ended::Signal(Signal(9)), Ended::TimeLimit]
        {
            assert_eq!(decode::<Ended>(encode(&ended).trim_ascii_end()).unwrap(), ended);
            assert_eq!(ended.code().is_none(), ended.killed_by().is_some());
        }
    }
}
