//! Guest images: what one is once it is built, and how it is built.
//!
//! An image has two layers. The [`base`] is a kernel with its modules and a userland, made of a
//! distribution's packages or put together of [`parts`], which may be the user's own. The
//! [`initramfs`] brings the agent and the modules of ours; another agent makes another one.
//!
//! | file | what it makes, or knows |
//! |---|---|
//! | [`store`] | the cache with all images |
//! | [`distribution`] | the images that are known by name, and the packages that they are made of |
//! | [`named_by_content`] | images without a name, put together for a run |
//! | [`kernel`] | `vmlinux`, from packages, a build tree or files |
//! | [`modules`] | the kernel's modules that a guest may need, and ours (`bundled`) |
//! | [`userland`] | the squashfs, from packages or a root file system |
//! | [`archive`], [`decompress`] | reading what packages hold, and what is compressed |

mod archive;
mod base;
mod decompress;
mod distribution;
mod initramfs;
mod kernel;
mod modules;
mod named_by_content;
mod parts;
mod store;
mod userland;

use std::{collections::BTreeSet, path::PathBuf};

pub(crate) use initramfs::{AgentBinary, find_agent};
pub use kernel::UserKernel;
pub use modules::is_bundled_module;
pub use parts::{KernelSource, Parts, UserlandSource};
pub use store::ImageStore;
pub use userland::UserRootFs;
use userland::is_place_of_programs;

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
    /// The programs of its userland; `None` if it is one of ours, which has all that is needed.
    pub programs: Option<BTreeSet<String>>,
    /// Whether the initramfs has an initrd of the user's own in it.
    pub has_initrd: bool,
}

impl Image {
    /// Why a module cannot be loaded in this image, if it is one of ours and was left out. `module`
    /// is its name or the alias by which the kernel asks for it.
    pub fn lacks(&self, module: &str) -> Option<&str> {
        self.left_out.as_deref().filter(|_| is_bundled_module(module))
    }

    /// The file of one of its kernel's modules, with symbols, if it is at hand.
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

    /// Whether a program is missing from its userland, as far as that is known. `program` is its name,
    /// or a path.
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

/// A line of the list of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageInfo {
    /// The name that `--image` takes.
    pub name: String,
    /// What it is made of, for instance `Debian bookworm`, in one line.
    pub description: String,
    /// The kernel's release; `None` when the image has not been built yet.
    pub release: Option<String>,
    /// What it occupies in the cache, in bytes; 0 when it has not been built yet.
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
