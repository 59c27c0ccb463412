//! Marks the code of the guest's kernel modules that is executed, by a plugin of QEMU's.
//!
//! The plugin and the file that it fills are in the work directory. QEMU can only be killed, and the file is mapped
//! into its memory, so it can be read at any time, and QEMU need not be asked.

use std::{
    fs::{self, File},
    path::Path,
};

use sansim_marks::{Marks, PLUGIN as BYTES, log};

use super::{Machine, MachineConfig};
use crate::{LabError, Result};

/// The plugin, from QEMU's working directory. A path without a slash would be looked for elsewhere (dlopen(3)).
pub(super) const PLUGIN: &str = "./marks.so";

/// Puts the plugin and an empty file for its marks into the work directory, if the machine is to have them.
pub(super) fn lay_out(config: &MachineConfig) -> Result<()> {
    if !config.marks {
        return Ok(());
    }
    let plugin = config.work_dir.join(PLUGIN);
    fs::write(&plugin, BYTES).map_err(LabError::file("cannot write", &plugin))?;
    let path = config.work_dir.join(log::FILE);
    let file = File::create(&path).and_then(|file| file.set_len(log::FILE_BYTES));
    file.map_err(LabError::file("cannot create", path))
}

impl Machine {
    /// The code of the guest's kernel modules that was executed since its boot: that of its template and its checkpoint
    /// is included. `None` if the machine was not configured to mark it.
    ///
    /// # Errors
    /// `File` when the plugin's file cannot be read.
    pub fn marks(&self) -> Result<Option<Marks>> {
        let Some(earlier) = &self.earlier_marks else { return Ok(None) };
        let path = self.work_dir.join(log::FILE);
        let mut marks = read(&path)?;
        marks.join(earlier);
        Ok(Some(marks))
    }

    /// Adds what was executed before the guest was saved.
    pub(super) fn marked_before(&mut self, earlier: &Marks) {
        if let Some(marks) = &mut self.earlier_marks {
            marks.join(earlier);
        }
    }
}

fn read(path: &Path) -> Result<Marks> {
    let bytes = fs::read(path).map_err(LabError::file("cannot read", path))?;
    let invalid = |why| std::io::Error::new(std::io::ErrorKind::InvalidData, why);
    Marks::read(&bytes).map_err(|why| LabError::file("cannot read", path)(invalid(why)))
}
