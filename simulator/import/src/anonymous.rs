//! Replaces what identifies somebody's machines, the same thing by the same thing everywhere.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::{Captures, Regex};

use crate::pattern::pattern;

/// World-wide names with and without prefix, other long numbers, serial numbers in designators, addresses.
static SECRETS: LazyLock<Regex> = pattern!(concat!(
    r"(?i)\b(?P<wwn>(0x|[3])?[2356][0-9a-f]{15}([0-9a-f]{16})?)\b",
    r"|(?P<colons>\b([0-9a-f]{2}:){5,7}[0-9a-f]{2}\b)",
    r"|(?P<address>\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b)",
    r"|(?P<iqn>\b(iqn|nqn)\.\d{4}-\d{2}[^\s,;]*)",
    r"|(?P<mail>[\w.+-]+@[\w-]+\.[\w.]+)",
    r"|(?P<long>\b(0x)?[0-9a-f]{16,}\b)",
));

/// The names that were replaced, and by what.
#[derive(Debug)]
pub(crate) struct Names {
    keep: bool,
    replaced: BTreeMap<String, String>,
    /// How many things of a kind were replaced.
    counts: BTreeMap<String, usize>,
}

impl Names {
    pub(crate) fn new(keep: bool) -> Self {
        Names { keep, replaced: BTreeMap::new(), counts: BTreeMap::new() }
    }

    /// Whether names stay as they are.
    pub(crate) fn keeps(&self) -> bool {
        self.keep
    }

    /// What stands for a map's WWID, of the same form: `3`, the NAA type and the company are kept.
    pub(crate) fn wwid(&mut self, wwid: &str) -> String {
        let digits = wwid.strip_prefix("0x").unwrap_or(wwid);
        if !digits.bytes().all(|it| it.is_ascii_hexdigit()) {
            // Of other designators (t10., eui.) nothing says what is in them.
            return self.name(wwid, "wwid");
        }
        self.other(&wwid.to_ascii_lowercase(), "", |number, old| {
            let (prefix, hex) = match old {
                _ if old.len() == 33 || old.len() == 17 => old.split_at(1),
                _ => ("", old.strip_prefix("0x").unwrap_or(old)),
            };
            // NAA types 6 and 5 have the company in the six digits behind the type (SPC-4 7.8.6.6).
            let kept = hex.get(..7).unwrap_or_default();
            let digits = hex.len() - kept.len();
            format!("{prefix}{kept}{number:0digits$x}")
        })
    }

    /// What stands for a name: of a map, of a host.
    pub(crate) fn name(&mut self, name: &str, kind: &str) -> String {
        self.other(name, kind, |number, _| format!("{kind}{number}"))
    }

    fn other(&mut self, old: &str, kind: &str, make: impl FnOnce(usize, &str) -> String) -> String {
        if self.keep {
            return old.to_owned();
        }
        if let Some(new) = self.replaced.get(old) {
            return new.clone();
        }
        let count = self.counts.entry(kind.to_owned()).or_default();
        *count += 1;
        let new = make(*count, old);
        self.replaced.insert(old.to_owned(), new.clone());
        new
    }

    /// A text without what identifies anything.
    pub(crate) fn text(&mut self, text: &str) -> String {
        if self.keep {
            return text.to_owned();
        }
        let without = SECRETS.replace_all(text, |found: &Captures<'_>| {
            let it = &found[0];
            if found.name("wwn").is_some() {
                self.wwid(it)
            } else if found.name("address").is_some() {
                "192.0.2.1".to_owned()
            } else if found.name("colons").is_some() {
                "00:00:00:00:00:00:00:00".to_owned()
            } else if found.name("iqn").is_some() {
                "iqn.2000-01.example:target".to_owned()
            } else if found.name("mail").is_some() {
                "someone@example.com".to_owned()
            } else {
                "0".repeat(it.len().min(32))
            }
        });
        let mut text = without.into_owned();
        for (old, new) in &self.replaced {
            if old.len() >= 3 && text.contains(old.as_str()) {
                text = whole_word(&text, old, new);
            }
        }
        text
    }
}

/// Replaces a word where no letter, digit or `_` is beside it.
fn whole_word(text: &str, old: &str, new: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(old) {
        let (before, found) = rest.split_at(at);
        let after = &found[old.len()..];
        let last = before.chars().next_back().or(out.chars().next_back());
        let alone = !last.is_some_and(is_word) && !after.starts_with(is_word);
        out.push_str(before);
        out.push_str(if alone { new } else { old });
        rest = after;
    }
    out + rest
}

/// The bytes of a page with all text behind its head made unreadable: letters and digits that belong together
/// may be a serial number or a label. The first `head` bytes stay.
pub(crate) fn bytes(bytes: &[u8], head: usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let is_text = |byte: u8| byte.is_ascii_graphic();
    for at in head.min(out.len())..out.len() {
        let near = |step: usize| {
            let beside =
                |it: Option<usize>| it.and_then(|it| bytes.get(it)).is_some_and(|it| is_text(*it));
            beside(at.checked_sub(step).filter(|it| *it >= head)) || beside(at.checked_add(step))
        };
        // Side by side: ASCII; every second byte: UTF-16.
        if is_text(bytes[at]) && (near(1) || near(2)) {
            out[at] = match bytes[at] {
                b'0'..=b'9' => b'0',
                b'a'..=b'z' | b'A'..=b'Z' => b'X',
                other => other,
            };
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_replaced_by_the_same_and_keeps_its_form() {
        let mut names = Names::new(false);
        let wwid = "3600a0b80b9b2b74025fc721800000000";
        let other = names.wwid(wwid);
        assert_eq!((other.len(), &other[..8]), (33, "3600a0b8"));
        assert_eq!(names.wwid(wwid), other);
        assert_ne!(names.wwid("3600a0b80b9b2b74025fc721800010001"), other);
        assert_eq!(names.name("oracle_data", "map"), names.name("oracle_data", "map"));
        let text = names.text(&format!("{wwid}: oracle_data at 10.1.2.3, port 0x500a0b80b9b2b740"));
        assert!(text.starts_with(&other) && text.contains("map1 at 192.0.2.1"), "{text}");
        assert!(!text.contains("500a0b80b9b2b740"), "{text}");
        assert_eq!(names.text("oracle_data2"), "oracle_data2", "not a part of a word");
    }

    #[test]
    fn whoever_wants_to_keep_names_keeps_them() {
        let mut names = Names::new(true);
        let text = "3600a0b80b9b2b74025fc721800000000 10.1.2.3";
        assert_eq!(names.text(text), text);
    }

    #[test]
    fn texts_in_pages_are_made_unreadable_and_numbers_stay() {
        let page = b"\x00\xc8\x00\x10edid\x01\x02SN1234\x00\x00V\x00o\x00l\x07";
        assert_eq!(bytes(page, 8), b"\x00\xc8\x00\x10edid\x01\x02XX0000\x00\x00X\x00X\x00X\x07");
    }
}
