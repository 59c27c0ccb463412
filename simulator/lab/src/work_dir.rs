//! A private directory for sockets and other things that end with the program.

use std::path::{Path, PathBuf};

use crate::Result;

/// A directory of ours (mode 0700) below `$XDG_RUNTIME_DIR` or the directory for temporary files. Removed
/// on drop.
#[derive(Debug)]
pub struct WorkDir {
    path: PathBuf,
}

impl WorkDir {
    /// A new, empty one. Leftovers of programs that were killed are swept first.
    pub fn create() -> Result<WorkDir> {
        todo!()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the directories whose program is gone, and returns how many there were. Kills nothing.
    pub fn sweep() -> usize {
        todo!()
    }
}
