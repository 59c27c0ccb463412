//! Placeholders for the guest's devices in the words of a step: `{map}`, `{disk:hba0:A0:lun1}`.

use sansim_array::Lun;

use crate::PathPattern;

/// A device of the guest that a step refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The multipath map of a LUN: `{map}`, `{map:lun1}`.
    Map {
        /// The LUN; `None` means the workload's.
        lun: Option<Lun>,
    },
    /// The disk of a path: `{disk:A0}`, `{disk:hba0:A0:lun1}`. Without an HBA, the first HBA that
    /// sees the port is used.
    Disk {
        /// The path of the disk.
        path: PathPattern,
        /// The LUN; `None` means the workload's.
        lun: Option<Lun>,
    },
}

/// A part of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'w> {
    /// Literal text.
    Text(&'w str),
    /// A device whose name is inserted.
    Device(Placeholder),
}

/// Parses the text between the braces.
///
/// # Errors
/// A sentence that states what is accepted.
pub fn placeholder(name: &str) -> Result<Placeholder, String> {
    let wrong = || {
        format!(
            "{{{name}}} names no device: write {{map}}, {{map:lun1}}, {{disk:A0}} or {{disk:hba0:A0:lun1}}; \
             {{{{{name}}} is text with a brace"
        )
    };
    let (kind, rest) = name.split_once(':').unwrap_or((name, ""));
    let is_lun = |part: &str| part.strip_prefix("lun").and_then(|n| n.parse().ok()).map(Lun);
    match (kind, rest) {
        ("map", "") if !name.contains(':') => Ok(Placeholder::Map { lun: None }),
        ("map", lun) => Ok(Placeholder::Map { lun: Some(is_lun(lun).ok_or_else(wrong)?) }),
        ("disk", path) => {
            let (path, lun) = match path.rsplit_once(':') {
                Some((path, last)) if last.starts_with("lun") => {
                    (path, Some(is_lun(last).ok_or_else(wrong)?))
                }
                _ => (path, None),
            };
            Ok(Placeholder::Disk { path: path.parse().map_err(|_| wrong())?, lun })
        }
        _ => Err(wrong()),
    }
}

/// Splits a word at its placeholders. Braces that do not contain a lower-case name are literal
/// text, so that `{}` and JSON can be written; `{{` is a brace before anything.
///
/// # Errors
/// The sentence of [`placeholder`] about the first name that is not valid.
pub fn pieces(word: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut text_start = 0;
    let mut at = 0;
    while let Some(open) = word[at..].find('{').map(|offset| at + offset) {
        if word[open..].starts_with("{{") {
            pieces.push(Piece::Text(&word[text_start..=open]));
            at = open + 2;
            text_start = at;
            continue;
        }
        let Some(close) = word[open..].find('}').map(|offset| open + offset) else { break };
        let name = &word[open + 1..close];
        at = open + 1;
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            continue;
        }
        if text_start < open {
            pieces.push(Piece::Text(&word[text_start..open]));
        }
        pieces.push(Piece::Device(placeholder(name)?));
        at = close + 1;
        text_start = at;
    }
    if text_start < word.len() {
        pieces.push(Piece::Text(&word[text_start..]));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use sansim_array::HbaId;

    use super::*;

    #[test]
    fn devices_are_named_by_path_and_lun() {
        let a0 = "A0".parse().unwrap();
        let path = |hba: Option<u8>| PathPattern { hba: hba.map(HbaId), port: a0 };
        let disk = |hba, lun: Option<u16>| Placeholder::Disk { path: path(hba), lun: lun.map(Lun) };
        assert_eq!(placeholder("map"), Ok(Placeholder::Map { lun: None }));
        assert_eq!(placeholder("map:lun3"), Ok(Placeholder::Map { lun: Some(Lun(3)) }));
        assert_eq!(placeholder("disk:A0"), Ok(disk(None, None)));
        assert_eq!(placeholder("disk:hba1:A0"), Ok(disk(Some(1), None)));
        assert_eq!(placeholder("disk:A0:lun2"), Ok(disk(None, Some(2))));
        assert_eq!(placeholder("disk:hba1:A0:lun2"), Ok(disk(Some(1), Some(2))));
        for wrong in ["", "disk", "disk:", "map:", "map:A0", "disk:lun1", "disk:Z9", "disk:A0:lunx"]
        {
            assert!(placeholder(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn words_are_split_at_placeholders_only() {
        let split = pieces("--if={map},{} {\"k\":1} {").unwrap();
        let map = Piece::Device(Placeholder::Map { lun: None });
        assert_eq!(split, [Piece::Text("--if="), map, Piece::Text(",{} {\"k\":1} {")]);
        assert!(pieces("a{dusk:A0}").is_err());
        let split = pieces("{{map} ${{a,b} {map}}").unwrap();
        let text = Piece::Text;
        let parts = [text("{"), text("map} ${"), text("a,b} "), map, text("}")];
        assert_eq!(split, parts);
        assert_eq!(pieces("").unwrap(), []);
    }
}
