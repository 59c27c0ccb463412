//! Where the memory of a saved guest is read from.

use std::{
    fs::File,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::ram::Ram;
use crate::{LabError, Result};

/// What fails when a saved memory cannot be read.
pub(super) const LOADING: &str = "cannot restore the memory from";

/// The memory of a template, which others are told from. It is open, and so there as long as it is wanted.
#[derive(Debug)]
pub(crate) struct Base {
    file: File,
    path: PathBuf,
}

/// Tells one file from another that came later by the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BaseId {
    inode: u64,
    modified: (i64, i64),
}

impl Base {
    /// Opens it.
    ///
    /// # Errors
    /// `File` when that cannot be.
    pub(crate) fn open(path: &Path) -> Result<Arc<Base>> {
        let file = File::open(path).map_err(LabError::file(LOADING, path))?;
        Ok(Arc::new(Base { file, path: path.to_owned() }))
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Which it is.
    pub(crate) fn id(&self) -> Result<BaseId> {
        let meta = self.file.metadata().map_err(LabError::file("cannot read", &self.path))?;
        Ok(BaseId { inode: meta.ino(), modified: (meta.mtime(), meta.mtime_nsec()) })
    }
}

/// A saved memory: that of a template, or pages that differ from it, or from none.
#[derive(Debug, Clone)]
pub(crate) struct SavedMemory {
    pub(super) base: Option<Arc<Base>>,
    pub(super) pages: Option<PathBuf>,
}

impl SavedMemory {
    /// That of a template.
    pub(crate) fn of(base: Arc<Base>) -> SavedMemory {
        SavedMemory { base: Some(base), pages: None }
    }

    /// Fills fresh memory.
    pub(super) fn load_into(&self, ram: &Ram) -> Result<()> {
        if let Some(base) = &self.base {
            ram.load(&base.file).map_err(LabError::file(LOADING, &base.path))?;
        }
        match &self.pages {
            Some(path) => ram.load_pages(path).map_err(LabError::file(LOADING, path)),
            None => Ok(()),
        }
    }
}
