//! The user's own parts of an image: the options that name them, and the image's label in reports.

use std::path::{Path, PathBuf};

use clap::Args;
use sansim_lab::{ImageStore, KernelSource, LabError, Parts, UserKernel, UserlandSource};

/// Options that replace a part of an image.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OwnArgs {
    /// Use this kernel instead of the image's: a Debian or RPM package, a build tree after `make bzImage modules`,
    /// or a bzImage or vmlinux together with --modules. For a kernel in several packages, repeat the
    /// option.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) kernel: Vec<PathBuf>,
    /// The modules for a bzImage or vmlinux: a directory lib/modules/RELEASE, for instance
    /// /lib/modules/6.1.0-18-amd64. The modules may be compressed with gzip, xz or zstd.
    #[arg(long, value_name = "DIR", requires = "kernel")]
    pub(crate) modules: Option<PathBuf>,
    /// Use this userland instead of the image's: the directory of a root file system, a tar archive of one
    /// (plain, or compressed with gzip, xz or zstd), a container image (an OCI layout as a directory or tar
    /// archive: `podman save --format oci-archive`), or the name of another image, for instance trixie. For
    /// a directory with the name of an image, write ./NAME.
    #[arg(long, value_name = "DIR|TAR|NAME")]
    pub(crate) userland: Option<PathBuf>,
    /// Add the files, firmware and modules of this initramfs to the guest's: a cpio archive, plain or
    /// compressed with gzip, xz or zstd. sansim's agent remains the first process.
    #[arg(long, value_name = "FILE")]
    pub(crate) initrd: Option<PathBuf>,
    /// Add this package of the image's distribution to its userland, with what it depends on, for instance
    /// fio. The image with it is built once. Repeat the option for more packages.
    #[arg(long, value_name = "PACKAGE")]
    pub(crate) with: Vec<String>,
}

impl OwnArgs {
    /// These options as words of a command line, for the `repeat` command in summary.json.
    pub(crate) fn words(&self) -> Vec<String> {
        let kernels = self.kernel.iter().map(|path| ("--kernel", path));
        let modules = self.modules.iter().map(|path| ("--modules", path));
        let userland = self.userland.iter().map(|path| ("--userland", path));
        let initrd = self.initrd.iter().map(|path| ("--initrd", path));
        let all = kernels.chain(modules).chain(userland).chain(initrd);
        let paths = all.flat_map(|(option, path)| [option.to_owned(), path.display().to_string()]);
        paths.chain(self.with.iter().flat_map(|it| ["--with".to_owned(), it.clone()])).collect()
    }

    /// Identifies the parts; `None` if no option is given.
    ///
    /// # Errors
    /// When a kernel or userland is neither a usable path nor an image.
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

/// The parts that replace those of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Own {
    kernel: Option<UserKernel>,
    userland: Option<UserlandSource>,
    initrd: Option<PathBuf>,
}

impl Own {
    /// These parts, and for the rest those of `image`.
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

/// The label in reports of an image with the user's own parts: `own-kernel+bookworm`.
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
