//! What an image is, once it is built.

use std::path::PathBuf;

use crate::is_own_module;

/// A built guest image: a kernel, an initramfs with the agent, and a userland.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its name, for instance `bookworm`.
    pub name: String,
    /// The kernel's release, as `uname -r` says it.
    pub release: String,
    /// The kernel as an uncompressed ELF file (`vmlinux`) that QEMU starts at its PVH entry.
    pub kernel: PathBuf,
    /// The initramfs: the agent and the modules.
    pub initramfs: PathBuf,
    /// The userland, a squashfs.
    pub userland: PathBuf,
    /// Names exactly this content: hex digits, different for another kernel, agent or userland.
    pub key: String,
    /// Why the modules of ours are not in it; `None` if they are. A guest loads them only if it is
    /// asked to.
    pub left_out: Option<String>,
}

impl Image {
    /// Why a module cannot be loaded in this image, if it is one of ours and was left out. `module`
    /// is its name or the alias by which the kernel asks for it.
    pub fn lacks(&self, module: &str) -> Option<&str> {
        self.left_out.as_deref().filter(|_| is_own_module(module))
    }
}

/// A line of the list of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageInfo {
    /// Its name.
    pub name: String,
    /// What it is made of, for instance `Debian bookworm`, in one line.
    pub description: String,
    /// The kernel's release; `None` when the image has not been built yet.
    pub release: Option<String>,
    /// What it occupies in the cache, in bytes; 0 when it has not been built yet.
    pub bytes: u64,
}
