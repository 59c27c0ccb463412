//! What a line of `events.ndjson` tells of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Bytes of a line or of a value that are shown, before and behind the byte that is meant.
const BEFORE: usize = 40;
const BEHIND: usize = 80;

/// A line of events that is not as another run's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// What it tells of; none if it is no event, because it was cut short or damaged.
    #[serde(flatten)]
    pub subject: Option<Subject>,
    /// The line itself; of a long one what is around the byte that differs, with `…` for the rest.
    pub text: String,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Seconds of scenario time.
    pub t: f64,
    /// The kind of event: `command`, `log`, ….
    pub kind: String,
    /// Which command it is, if it is one.
    #[serde(flatten)]
    pub command: Option<CommandSubject>,
}

/// Which command an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Fields")]
pub struct CommandSubject {
    /// Order of arrival at the array, from 0.
    pub seq: u64,
    /// The path on which it came: `hba0:A0`.
    pub nexus: String,
    /// The LUN.
    pub lun: u16,
    /// The operation's name.
    pub op: String,
}

/// The fields of a `command` event that say which command it is.
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
    /// What `line` tells; `at` is the byte of it, from 0, that is meant.
    pub(super) fn new(line: &[u8], at: usize) -> Self {
        Told { subject: serde_json::from_slice(line).ok(), text: cut(line, at) }
    }
}

impl Subject {
    /// Whether the other is about the same, though perhaps at another time.
    pub(super) fn is_that_of(&self, other: &Subject) -> bool {
        (&self.kind, &self.command) == (&other.kind, &other.command)
    }
}

/// `t = 3.200 s, command 17 hba0:A0 LUN 0 READ(10)`.
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

/// A text around its byte `at`, with `…` for what is left out.
pub(super) fn cut(text: &[u8], at: usize) -> String {
    let mut from = at.min(text.len()).saturating_sub(BEFORE);
    let mut to = text.len().min(from + BEFORE + BEHIND);
    // Not within a character.
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

/// Whether a byte is within a character of UTF-8, but not its first one.
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
