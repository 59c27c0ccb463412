//! A line of `events.ndjson`, and the event that it contains.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Bytes of a line or value to show before and after the byte that differs.
const BEFORE: usize = 40;
const BEHIND: usize = 80;

/// A line of events that differs from another run's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// The event; absent if the line is truncated or damaged.
    #[serde(flatten)]
    pub subject: Option<Subject>,
    /// The line; for a long one only the part around the byte that differs, with `…` for the rest.
    pub text: String,
}

/// Identifies an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Seconds of scenario time.
    pub t: f64,
    /// The kind of event: `command`, `log`, ….
    pub kind: String,
    /// The command, if the event is one.
    #[serde(flatten)]
    pub command: Option<CommandSubject>,
}

/// Identifies a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Fields")]
pub struct CommandSubject {
    /// Order of arrival at the array, from 0.
    pub seq: u64,
    /// The nexus on which it arrived: `hba0:A0`.
    pub nexus: String,
    /// The LUN's number.
    pub lun: u16,
    /// The operation's name.
    pub op: String,
}

/// The fields of a `command` event that identify the command.
#[derive(Deserialize)]
struct Fields {
    seq: u64,
    hba: u8,
    port: String,
    lun: u16,
    op: String,
}

impl From<Fields> for CommandSubject {
    fn from(Fields { seq, hba, port, lun, op }: Fields) -> Self {
        CommandSubject { seq, nexus: format!("hba{hba}:{port}"), lun, op }
    }
}

impl Told {
    /// Parses `line`; `at` is the position in it, from 0, of the byte that differs.
    pub(super) fn new(line: &[u8], at: usize) -> Self {
        Told { subject: serde_json::from_slice(line).ok(), text: cut(line, at) }
    }
}

impl Subject {
    /// Whether both are the same kind of event and the same command, at any time.
    pub(super) fn is_that_of(&self, other: &Subject) -> bool {
        (&self.kind, &self.command) == (&other.kind, &other.command)
    }
}

/// For instance `t = 3.200000 s, command 17 hba0:A0 LUN 0 READ(10)`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t = {:.6} s, {}", self.t, self.kind)?;
        match &self.command {
            Some(CommandSubject { seq, nexus, lun, op }) => {
                write!(f, " {seq} {nexus} LUN {lun} {op}")
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Some(subject) => write!(f, "{subject}: {}", self.text),
            None => write!(f, "no event: {}", self.text),
        }
    }
}

/// The part of a text around its byte `at`, with `…` for the rest.
pub(super) fn cut(text: &[u8], at: usize) -> String {
    let mut from = at.min(text.len()).saturating_sub(BEFORE);
    let mut to = text.len().min(from + BEFORE + BEHIND);
    // Do not cut within a UTF-8 character.
    while from > 0 && is_inner(text[from]) {
        from -= 1;
    }
    while to < text.len() && is_inner(text[to]) {
        to += 1;
    }
    let shown = String::from_utf8_lossy(&text[from..to]);
    let before = if from > 0 { "…" } else { "" };
    let behind = if to < text.len() { "…" } else { "" };
    format!("{before}{shown}{behind}")
}

/// Whether a byte continues a UTF-8 character.
fn is_inner(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_around_the_byte_that_is_meant_and_not_within_a_character() {
        assert_eq!(cut(b"short", 3), "short");
        let long = "ä".repeat(300);
        let shown = cut(long.as_bytes(), 301);
        assert!(shown.starts_with("…ä") && shown.ends_with("ä…"), "{shown}");
        assert_eq!(shown.chars().filter(|c| *c == 'ä').count(), (BEFORE + BEHIND) / 2 + 1);
        assert!(cut(long.as_bytes(), 0).starts_with('ä'));
        assert!(cut(long.as_bytes(), 600).ends_with('ä'));
    }

    #[test]
    fn a_line_that_is_no_event_is_shown_as_it_is() {
        assert_eq!(Told::new(b"{\"t\":1.0,\"kind\"", 3).subject, None);
        assert_eq!(Told::new(b"[1]", 0).to_string(), "no event: [1]");
        assert_eq!(Told::new(b"", 0).to_string(), "no event: ");
    }
}
