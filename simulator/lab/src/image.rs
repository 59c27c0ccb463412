//! Guest images: their contents, and how they are built.
//!
//! An image has two layers. The [`base`] is a kernel with its modules and a userland. It is built from a
//! distribution's packages, or from [`parts`] that may be the user's. The [`initramfs`] adds the agent and
//! the bundled modules; a new agent needs only a new initramfs.
//!
//! | file | contents |
//! |---|---|
//! | [`store`] | the cache of all images |
//! | [`distribution`] | the known images, and their packages |
//! | [`variant`](mod@variant) | known images with more packages or modules |
//! | [`named_by_content`] | images without a name, built for one run |
//! | [`kernel`] | `vmlinux`, from packages, a build tree or files |
//! | [`modules`] | the kernel modules that a guest may need, and the bundled ones (`bundled`) |
//! | [`userland`] | the squashfs, from packages or a root file system |
//! | [`archive`], [`decompress`] | reading packages, and decompression |
//! | [`contents`] | single files out of directories, packages and archives |

mod archive;
mod base;
mod contents;
mod decompress;
mod distribution;
mod initramfs;
mod kernel;
mod modules;
mod named_by_content;
mod parts;
mod store;
mod userland;
mod variant;

use std::{collections::BTreeSet, path::PathBuf};

pub use contents::{Search, search};
pub(crate) use initramfs::{AgentBinary, find_agent};
pub use kernel::UserKernel;
pub use modules::{is_bundled_module, is_usual_module};
pub use parts::{KernelSource, Parts, UserlandSource};
pub use store::ImageStore;
pub use userland::UserRootFs;
use userland::is_place_of_programs;
pub use variant::{plain_image, variant};

/// A built guest image: a kernel, an initramfs with the agent, and a userland.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Name of the image, for instance `bookworm`.
    pub name: String,
    /// The kernel's release, as in `uname -r`.
    pub release: String,
    /// The kernel as an uncompressed ELF file (`vmlinux`), which QEMU starts at its PVH entry.
    pub kernel: PathBuf,
    /// The initramfs, with the agent and the modules.
    pub initramfs: PathBuf,
    /// The userland, a squashfs.
    pub userland: PathBuf,
    /// Identifies the contents: a hash in hex digits over kernel, agent and userland.
    pub key: String,
    /// Why the bundled modules are missing; `None` if they are there. A guest loads them only on request.
    pub left_out: Option<String>,
    /// The programs in a user's userland; `None` for sansim's own userlands, which have all that are
    /// needed.
    pub programs: Option<BTreeSet<String>>,
    /// Whether the initramfs contains a user's initrd.
    pub has_initrd: bool,
}

impl Image {
    /// Why a bundled module is missing in this image; `None` if it is there, or is not a bundled one.
    /// `module` is its name, or the alias that the kernel requests.
    pub fn lacks(&self, module: &str) -> Option<&str> {
        self.left_out.as_deref().filter(|_| is_bundled_module(module))
    }

    /// The file of a module with its symbols, for gdb; `None` if the image has no such file.
    pub fn module_file(&self, module: &str) -> Option<PathBuf> {
        let mut waiting = vec![self.kernel.parent()?.to_owned()];
        while let Some(dir) = waiting.pop() {
            for entry in std::fs::read_dir(dir).ok()?.flatten() {
                let (path, name) = (entry.path(), entry.file_name());
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    waiting.push(path);
                } else if let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".ko"))
                    && stem.replace('-', "_") == module
                {
                    return Some(path);
                }
            }
        }
        None
    }

    /// Whether the userland is known to lack a program. `program` is a name or a path.
    pub fn lacks_program(&self, program: &str) -> bool {
        let Some(programs) = &self.programs else { return false };
        let name = match program.strip_prefix('/').and_then(|path| path.rsplit_once('/')) {
            None => program,
            Some((dir, name)) if is_place_of_programs(dir) => name,
            Some(_) => return false,
        };
        !programs.contains(name)
    }
}

/// An entry in the list of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageInfo {
    /// The name for `--image`.
    pub name: String,
    /// One line about its origin, for instance `Debian bookworm`.
    pub description: String,
    /// The kernel's release; `None` if the image is not built yet.
    pub release: Option<String>,
    /// Size in the cache, in bytes; 0 if the image is not built yet.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use crate::machine::sample;

    #[test]
    fn programs_are_missed_by_their_names_and_by_paths_that_are_known() {
        let mut image = sample(1).image;
        assert!(!image.lacks_program("multipathd"));
        image.programs = Some(["multipathd".to_owned()].into());
        for there in ["multipathd", "/sbin/multipathd", "/usr/sbin/multipathd", "/opt/x/y"] {
            assert!(!image.lacks_program(there), "{there}");
        }
        for missing in ["sg_turs", "/usr/bin/sg_turs", "/lib/systemd/systemd-udevd"] {
            assert!(image.lacks_program(missing), "{missing}");
        }
    }
}
