//! Parts of an image that the user has made: which, what they are, and what reports call them.

use std::path::{Path, PathBuf};

use clap::Args;
use sansim_lab::{ImageStore, KernelSource, LabError, Parts, UserKernel, UserlandSource};

/// Options that put a part in the place of an image's.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OwnArgs {
    /// A kernel in the place of the image's: a Debian package (given several times: packages that make
    /// a kernel together), a build tree after `make bzImage modules`, or a bzImage or vmlinux with
    /// --modules.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) kernel: Vec<PathBuf>,
    /// The modules of a bzImage or vmlinux: their lib/modules/RELEASE directory. They may be packed
    /// with gzip, xz or zstd.
    #[arg(long, value_name = "DIR", requires = "kernel")]
    pub(crate) modules: Option<PathBuf>,
    /// Tools in the place of the image's: the directory of a root file system, a tar archive of one
    /// (plain or packed with gzip, xz or zstd), or another image's name. A directory that is called
    /// as an image is ./NAME.
    #[arg(long, value_name = "DIR|TAR|NAME")]
    pub(crate) userland: Option<PathBuf>,
    /// An initramfs whose files, firmware and modules the guest has, too; the agent stays its first
    /// process. A cpio archive, plain or packed with gzip, xz or zstd.
    #[arg(long, value_name = "FILE")]
    pub(crate) initrd: Option<PathBuf>,
}

impl OwnArgs {
    /// The command line that says the same.
    pub(crate) fn words(&self) -> Vec<String> {
        let kernels = self.kernel.iter().map(|path| ("--kernel", path));
        let modules = self.modules.iter().map(|path| ("--modules", path));
        let userland = self.userland.iter().map(|path| ("--userland", path));
        let initrd = self.initrd.iter().map(|path| ("--initrd", path));
        let all = kernels.chain(modules).chain(userland).chain(initrd);
        all.flat_map(|(option, path)| [option.to_owned(), path.display().to_string()]).collect()
    }

    /// What it means; `None` if every part is the image's.
    ///
    /// # Errors
    /// When it means nothing.
    pub(crate) fn resolve(&self, store: &ImageStore) -> Result<Option<Own>, LabError> {
        let kernel = match &self.kernel[..] {
            [] => None,
            paths => Some(UserKernel::of(paths, self.modules.as_deref())?),
        };
        let userland = |name: &PathBuf| UserlandSource::of(name, store);
        let userland = self.userland.as_ref().map(userland).transpose()?;
        let initrd = self.initrd.clone();
        let own = Own { kernel, userland, initrd };
        Ok(Some(own).filter(|own| *own != Own::default()))
    }
}

/// The parts that are not the image's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Own {
    kernel: Option<UserKernel>,
    userland: Option<UserlandSource>,
    initrd: Option<PathBuf>,
}

impl Own {
    /// All parts, the others being those of an image.
    pub(crate) fn over(&self, image: &str) -> Parts {
        let of_image = || image.to_owned();
        let kernel = self.kernel.clone().map(KernelSource::User);
        Parts {
            kernel: kernel.unwrap_or_else(|| KernelSource::Image(of_image())),
            userland: self.userland.clone().unwrap_or_else(|| UserlandSource::Image(of_image())),
            initrd: self.initrd.clone(),
        }
    }
}

/// What reports call an image that is put together: `own-kernel+bookworm`.
pub(crate) fn label(parts: &Parts) -> String {
    let kernel = match &parts.kernel {
        KernelSource::Image(name) => name,
        KernelSource::User(_) => "own-kernel",
    };
    let userland = match &parts.userland {
        UserlandSource::Image(name) => name,
        UserlandSource::User(_) => "own-userland",
    };
    let initrd = parts.initrd.as_deref().map(|_: &Path| "own-initrd");
    let mut words = vec![kernel, userland];
    words.dedup();
    words.extend(initrd);
    words.join("+")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(userland: Option<&str>) -> OwnArgs {
        OwnArgs {
            kernel: vec!["a.deb".into(), "b.deb".into()],
            userland: userland.map(PathBuf::from),
            ..OwnArgs::default()
        }
    }

    #[test]
    fn what_is_not_named_is_the_images_and_reports_say_so() {
        let dir = tempfile::tempdir().unwrap();
        let store = ImageStore::at(dir.path()).unwrap();
        assert_eq!(OwnArgs::default().resolve(&store).unwrap(), None);
        let own = args(None).resolve(&store).unwrap().unwrap();
        assert_eq!(label(&own.over("bookworm")), "own-kernel+bookworm");
        let tools = OwnArgs { kernel: Vec::new(), ..args(Some("trixie")) };
        let tools = tools.resolve(&store).unwrap().unwrap();
        assert_eq!(label(&tools.over("bookworm")), "bookworm+trixie");
        assert_eq!(label(&tools.over("trixie")), "trixie");
        let initrd = OwnArgs { initrd: Some("i".into()), ..OwnArgs::default() };
        let initrd = initrd.resolve(&store).unwrap().unwrap();
        assert_eq!(label(&initrd.over("sid")), "sid+own-initrd");
    }

    #[test]
    fn the_command_can_be_repeated() {
        let words = ["--kernel", "a.deb", "--kernel", "b.deb", "--userland", "./trixie"];
        assert_eq!(args(Some("./trixie")).words(), words);
    }
}
