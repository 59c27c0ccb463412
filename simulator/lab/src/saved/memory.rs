//! Where the memory of a saved guest is read from.

use std::{
    fs::File,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{LabError, Result, ram::Ram};

/// The memory of a template, which others are told from. It is open, and so there as long as it is wanted.
#[derive(Debug)]
pub(crate) struct TemplateMemory {
    file: File,
    path: PathBuf,
}

/// Tells one file from another that came later by the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TemplateMemoryId {
    inode: u64,
    modified: (i64, i64),
}

impl TemplateMemory {
    /// Opens it.
    ///
    /// # Errors
    /// `File` when that cannot be.
    pub(crate) fn open(path: &Path) -> Result<Arc<TemplateMemory>> {
        let file = File::open(path).map_err(LabError::memory(path))?;
        Ok(Arc::new(TemplateMemory { file, path: path.to_owned() }))
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// What tells this file from any other in its place.
    pub(crate) fn id(&self) -> Result<TemplateMemoryId> {
        let meta = self.file.metadata().map_err(LabError::file("cannot read", &self.path))?;
        Ok(TemplateMemoryId { inode: meta.ino(), modified: (meta.mtime(), meta.mtime_nsec()) })
    }
}

/// A saved memory: that of a template, or pages that differ from it, or from none.
#[derive(Debug, Clone)]
pub(crate) struct SavedMemory {
    pub(super) template: Option<Arc<TemplateMemory>>,
    pub(super) pages: Option<PathBuf>,
}

impl SavedMemory {
    /// The memory of the template that has a part in it.
    pub(crate) fn template(&self) -> Option<Arc<TemplateMemory>> {
        self.template.clone()
    }

    /// That of a template.
    pub(crate) fn of(template: Arc<TemplateMemory>) -> SavedMemory {
        SavedMemory { template: Some(template), pages: None }
    }

    /// Fills memory that nobody has written to yet.
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
