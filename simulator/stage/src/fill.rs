//! Replaces the placeholders in an act with the names of the guest's devices.

use std::collections::BTreeMap;

use sansim_array::Lun;

use crate::{Paths, Piece, Placeholder, Setup, pieces};

/// The form of the device names.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// Device paths: `/dev/sda`, `/dev/mapper/lun0`.
    Path,
    /// Kernel and map names: `sda`, `lun0`.
    Name,
}

/// The names of the maps, by LUN.
#[derive(Debug, Clone, Default)]
pub(super) struct MapNames(pub(super) BTreeMap<Lun, String>);

impl MapNames {
    /// The name of a LUN's map; the usual one if it has none.
    pub(super) fn of(&self, lun: Lun) -> String {
        self.0.get(&lun).cloned().unwrap_or_else(|| Setup::map_name(lun))
    }
}

/// Replaces the placeholders in a word. `main` is the LUN of placeholders that do not name one.
///
/// # Errors
/// If the guest does not have such a disk.
pub(super) fn fill(
    word: &str,
    form: Form,
    paths: &Paths,
    maps: &MapNames,
    main: Lun,
) -> Result<String, String> {
    let mut filled = String::new();
    for piece in pieces(word)? {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Device(Placeholder::Map { lun }) => {
                if let Form::Path = form {
                    filled.push_str("/dev/mapper/");
                }
                filled.push_str(&maps.of(lun.unwrap_or(main)));
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
