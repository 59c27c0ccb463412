//! A user's kernel, in any of its forms.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use super::{FoundKernel, build_tree, debian_packages, rpm_packages};
use crate::{
    LabError, Result,
    image::modules::{WANTED, collect},
};

/// A user's kernel, with its modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserKernel {
    /// A bzImage or an ELF `vmlinux`, and the directory of its modules (`lib/modules/RELEASE`, or a
    /// directory above with only one release).
    Files {
        /// The bzImage, or `vmlinux`.
        kernel: PathBuf,
        /// The directory of the modules.
        modules: PathBuf,
    },
    /// Debian packages, which together contain kernel and modules.
    Packages(Vec<PathBuf>),
    /// RPM packages, which together contain kernel and modules.
    Rpms(Vec<PathBuf>),
    /// The directory in which `make bzImage modules` was run, or its `O=` directory.
    Tree(PathBuf),
}

impl UserKernel {
    /// Interprets the files and the directory of modules that a user names.
    ///
    /// # Errors
    /// `BadParts` when they are not a kernel.
    pub fn of(paths: &[PathBuf], modules: Option<&Path>) -> Result<UserKernel> {
        let bad = |why: String| Err(LabError::BadParts { why });
        let (debian, others): (Vec<&PathBuf>, Vec<&PathBuf>) =
            paths.iter().partition(|path| debian_packages::is_package(path));
        let other = others.iter().find(|path| !rpm_packages::is_package(path));
        let source = match (paths, other) {
            ([], _) => return bad("no kernel was named".into()),
            (_, None) if others.is_empty() => UserKernel::Packages(paths.to_owned()),
            (_, None) if debian.is_empty() => UserKernel::Rpms(paths.to_owned()),
            (_, None) => return bad("Debian packages and RPMs make no kernel together".into()),
            ([dir], _) if dir.is_dir() => UserKernel::Tree(dir.clone()),
            ([kernel], _) => match modules {
                Some(modules) => {
                    let (kernel, modules) = (kernel.clone(), modules.to_owned());
                    return Ok(UserKernel::Files { kernel, modules });
                }
                None => {
                    return bad(format!(
                        "a kernel needs its modules: name their lib/modules/RELEASE with --modules DIR, \
                         or give packages or a build tree instead of {}",
                        kernel.display()
                    ));
                }
            },
            (_, Some(other)) => {
                let other = other.display();
                return bad(format!("only packages make a kernel together, and {other} is none"));
            }
        };
        match modules {
            Some(_) => {
                bad("packages and build trees have their modules: leave --modules out".into())
            }
            None => Ok(source),
        }
    }

    /// The path for messages: of several packages, the first.
    pub fn path(&self) -> &Path {
        match self {
            UserKernel::Files { kernel, .. } => kernel,
            UserKernel::Packages(packages) | UserKernel::Rpms(packages) => {
                packages.first().map_or(Path::new(""), PathBuf::as_path)
            }
            UserKernel::Tree(dir) => dir,
        }
    }

    /// Reads the kernel. Packages are unpacked into the directory `scratch`.
    pub(crate) fn find(&self, scratch: &Path) -> Result<FoundKernel> {
        match self {
            UserKernel::Files { kernel, modules } => FoundKernel::of_files(kernel, modules),
            UserKernel::Packages(packages) => {
                debian_packages::open(packages, &scratch.join("packages.tar"))
            }
            UserKernel::Rpms(packages) => {
                rpm_packages::open(packages, &scratch.join("packages.tar"))
            }
            UserKernel::Tree(dir) => build_tree::open(dir),
        }
    }

    /// Adds everything that the guest could see of this kernel to the hash.
    pub(crate) fn hash(&self, hash: &mut blake3::Hasher) -> Result<()> {
        if let UserKernel::Packages(packages) | UserKernel::Rpms(packages) = self {
            for path in packages {
                let file = File::open(path).map_err(LabError::file("cannot read", path))?;
                hash.update_reader(file).map_err(LabError::file("cannot read", path))?;
            }
            return Ok(());
        }
        let found = self.find(Path::new(""))?;
        let modules =
            collect(&*found.modules, WANTED).map_err(|why| LabError::BadModules { why })?;
        for part in [found.release.as_bytes(), found.config.as_bytes(), &found.kernel] {
            hash.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        for module in modules {
            hash.update(module.path.as_bytes()).update(&module.elf);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_kernel_is_what_the_files_are() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let (image, tree) = (file("bzImage", "MZ"), dir.path().to_owned());
        let (deb, unnamed) = (file("a.deb", ""), file("b", "!<arch>\ndebian-binary"));
        let modules = Path::new("/m");
        let of = |paths: &[&PathBuf], modules| {
            UserKernel::of(&paths.iter().map(|p| (*p).clone()).collect::<Vec<_>>(), modules)
        };
        assert_eq!(of(&[&tree], None).unwrap(), UserKernel::Tree(tree.clone()));
        let packages = UserKernel::Packages(vec![deb.clone(), unnamed.clone()]);
        assert_eq!(of(&[&deb, &unnamed], None).unwrap(), packages);
        let (rpm, unnamed) = (file("a.rpm", ""), file("c", "\u{0}"));
        fs::write(&unnamed, [0xed, 0xab, 0xee, 0xdb, 3, 0]).unwrap();
        let rpms = UserKernel::Rpms(vec![rpm.clone(), unnamed.clone()]);
        assert_eq!(of(&[&rpm, &unnamed], None).unwrap(), rpms);
        let files = UserKernel::Files { kernel: image.clone(), modules: modules.to_owned() };
        assert_eq!(of(&[&image], Some(modules)).unwrap(), files);
        let cases = [
            (of(&[], None), "no kernel"),
            (of(&[&image], None), "--modules DIR"),
            (of(&[&deb, &image], None), "bzImage is none"),
            (of(&[&deb, &rpm], None), "no kernel together"),
            (of(&[&deb], Some(modules)), "leave --modules out"),
            (of(&[&tree], Some(modules)), "leave --modules out"),
        ];
        for (refused, part) in cases {
            let why = refused.unwrap_err().to_string();
            assert!(why.contains(part), "{why:?} does not say {part:?}");
        }
    }
}
