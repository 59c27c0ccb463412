//! What an image is, once it is built.

use std::path::PathBuf;

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
