//! Restores the memory of saved guests.

use std::{
    fs::File,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{LabError, Result, ram::Ram};

/// The memory of a template, on which checkpoints are based. The file is kept open, so it remains readable
/// even if it is removed.
#[derive(Debug)]
pub(crate) struct TemplateMemory {
    file: File,
    path: PathBuf,
}

/// Distinguishes a file from a later one of the same name, by inode and mtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TemplateMemoryId {
    inode: u64,
    modified: (i64, i64),
}

impl TemplateMemory {
    /// Opens the file.
    ///
    /// # Errors
    /// `Memory` when it cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<Arc<TemplateMemory>> {
        let file = File::open(path).map_err(LabError::memory(path))?;
        Ok(Arc::new(TemplateMemory { file, path: path.to_owned() }))
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Inode and mtime of the open file.
    pub(crate) fn id(&self) -> Result<TemplateMemoryId> {
        let meta = self.file.metadata().map_err(LabError::file("cannot read", &self.path))?;
        Ok(TemplateMemoryId { inode: meta.ino(), modified: (meta.mtime(), meta.mtime_nsec()) })
    }
}

/// A saved memory: a template's, or pages based on a template's memory or on zeros.
#[derive(Debug, Clone)]
pub(crate) struct SavedMemory {
    pub(super) template: Option<Arc<TemplateMemory>>,
    pub(super) pages: Option<PathBuf>,
}

impl SavedMemory {
    /// The template's memory, if this memory is based on one.
    pub(crate) fn template(&self) -> Option<Arc<TemplateMemory>> {
        self.template.clone()
    }

    /// The memory of a template itself.
    pub(crate) fn of(template: Arc<TemplateMemory>) -> SavedMemory {
        SavedMemory { template: Some(template), pages: None }
    }

    /// Restores the memory into `ram`, which must be fresh.
    pub(crate) fn load_into(&self, ram: &Ram) -> Result<()> {
        if let Some(template) = &self.template {
            ram.load(&template.file).map_err(LabError::memory(&template.path))?;
        }
        match &self.pages {
            Some(path) => ram.load_pages(path).map_err(LabError::memory(path)),
            None => Ok(()),
        }
    }
}
