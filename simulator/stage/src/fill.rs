//! Puts the names of the guest's devices into the words of an act.

use sansim_array::Lun;

use crate::{Paths, Piece, Placeholder, Setup, pieces};

/// Where the names go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// `/dev/sda`, `/dev/mapper/lun0`.
    Path,
    /// `sda`, `lun0`.
    Name,
}

/// Replaces the placeholders of a word. A LUN that is not named is `main`.
///
/// # Errors
/// When the guest has no such disk.
pub(super) fn fill(word: &str, form: Form, paths: &Paths, main: Lun) -> Result<String, String> {
    let mut filled = String::new();
    for piece in pieces(word)? {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Device(Placeholder::Map { lun }) => {
                if let Form::Path = form {
                    filled.push_str("/dev/mapper/");
                }
                filled.push_str(&Setup::map_name(lun.unwrap_or(main)));
            }
            Piece::Device(Placeholder::Disk { path, lun }) => {
                let lun = lun.unwrap_or(main);
                let disk = paths
                    .of(lun)
                    .into_iter()
                    .find(|nexus| path.matches(*nexus))
                    .and_then(|nexus| paths.disk(nexus, lun))
                    .ok_or_else(|| format!("the guest has no disk for {path}, LUN {lun}"))?;
                if let Form::Path = form {
                    filled.push_str("/dev/");
                }
                filled.push_str(&disk.name);
            }
        }
    }
    Ok(filled)
}
