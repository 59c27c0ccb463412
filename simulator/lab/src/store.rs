//! The cache directory and the images in it.

use std::path::{Path, PathBuf};

use crate::{Image, ImageInfo, Progress, Result};

/// The cache directory: images, templates, and what was found out about this machine.
#[derive(Debug, Clone)]
pub struct ImageStore {
    dir: PathBuf,
}

impl ImageStore {
    /// The user's store: `$SANSIM_CACHE`, else `sansim` in the XDG cache directory. It is created when missing.
    pub fn open() -> Result<ImageStore> {
        todo!()
    }

    /// A store in a directory of the caller's choice, created when missing.
    pub fn at(dir: impl Into<PathBuf>) -> Result<ImageStore> {
        Ok(ImageStore { dir: dir.into() })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Every image that is known, built or not, by name.
    pub fn list(&self) -> Result<Vec<ImageInfo>> {
        todo!()
    }

    /// Builds an image if it is missing or older than the agent, else returns the cached one. Waits when
    /// another process is building it.
    pub async fn build(&self, name: &str, progress: &dyn Progress) -> Result<Image> {
        let _ = (name, progress);
        todo!()
    }

    /// Removes a built image from the cache. One that was added is forgotten.
    pub fn remove(&self, name: &str) -> Result<()> {
        let _ = name;
        todo!()
    }

    /// Adds an image of the caller's own kernel over the userland of `bookworm`. `kernel` is a bzImage or
    /// an ELF `vmlinux`; `modules` the directory that holds its modules (`lib/modules/RELEASE`, or
    /// a directory above it that has just one). An image of that name that was added before is replaced.
    pub async fn add(
        &self,
        name: &str,
        kernel: &Path,
        modules: &Path,
        progress: &dyn Progress,
    ) -> Result<Image> {
        let _ = (name, kernel, modules, progress);
        todo!()
    }
}
