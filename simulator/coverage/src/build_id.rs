//! GNU build ids: by them a module and its debug information know each other.

use std::fmt;

use object::{Object, ReadRef};
use serde::{Deserialize, Serialize};

/// Most bytes of one. Linkers write 8, 16 or 20.
const LONGEST: usize = 64;

/// The id of a build of a module: the contents of its note `NT_GNU_BUILD_ID`, in lower-case hexadecimal digits.
///
/// A module, and the file with its debug information that was split off it, have the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct BuildId(String);

impl BuildId {
    /// The id of an ELF file; `None` if it is none, or has none.
    pub fn of(elf: &[u8]) -> Option<BuildId> {
        BuildId::of_file(&object::File::parse(elf).ok()?)
    }

    pub(crate) fn of_file<'d, R: ReadRef<'d>>(file: &object::File<'d, R>) -> Option<BuildId> {
        let bytes = file.build_id().ok()??;
        BuildId::try_from(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()).ok()
    }
}

impl TryFrom<String> for BuildId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<BuildId, &'static str> {
        let hexadecimal = |it: u8| matches!(it, b'0'..=b'9' | b'a'..=b'f');
        match (1..=2 * LONGEST).contains(&text.len()) && text.bytes().all(hexadecimal) {
            true => Ok(BuildId(text)),
            false => Err("a build id has lower-case hexadecimal digits"),
        }
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
