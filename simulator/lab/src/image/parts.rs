//! The parts of an image, when they are named one by one.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::{ImageStore, LabError, Result, UserKernel, UserRootFs};

/// Kernel, userland and initramfs of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The kernel with its modules.
    pub kernel: KernelSource,
    /// The programs and libraries, as a root file system.
    pub userland: UserlandSource,
    /// A user's initramfs, which is unpacked before the agent's.
    pub initrd: Option<PathBuf>,
}

impl Parts {
    /// The other images that parts are taken from.
    pub(crate) fn images(&self) -> impl Iterator<Item = &str> {
        let kernel = match &self.kernel {
            KernelSource::Image(name) => Some(name.as_str()),
            KernelSource::User(_) => None,
        };
        let userland = match &self.userland {
            UserlandSource::Image(name) => Some(name.as_str()),
            UserlandSource::User(_) => None,
        };
        kernel.into_iter().chain(userland)
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kernel {
            KernelSource::Image(name) => write!(f, "the kernel of {name}")?,
            KernelSource::User(own) => write!(f, "{}", own.path().display())?,
        }
        match &self.userland {
            UserlandSource::Image(name) => write!(f, " over the userland of {name}")?,
            UserlandSource::User(own) => write!(f, " over {}", own.path().display())?,
        }
        match &self.initrd {
            Some(path) => write!(f, ", behind {}", path.display()),
            None => Ok(()),
        }
    }
}

/// Origin of a kernel and its modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KernelSource {
    /// The kernel of the image with this name.
    Image(String),
    /// A kernel that the user built, or gave as packages.
    User(UserKernel),
}

/// Origin of a guest's userland.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserlandSource {
    /// The userland of the image with this name.
    Image(String),
    /// A root file system from the user.
    User(UserRootFs),
}

impl UserlandSource {
    /// Interprets a name that the user gave. The name of an image always means the image, even if a file
    /// has the same name: the meaning of a command must not depend on the current directory. `./NAME` is a
    /// path.
    ///
    /// # Errors
    /// `BadParts` when it is neither, `File` when the cache cannot be read.
    pub fn of(name: &Path, store: &ImageStore) -> Result<UserlandSource> {
        let plain = name.to_str().filter(|name| !name.contains('/'));
        let known: Vec<String> = store.list()?.into_iter().map(|image| image.name).collect();
        if let Some(name) = plain.filter(|name| known.iter().any(|image| image == name)) {
            return Ok(UserlandSource::Image(name.to_owned()));
        }
        if name.exists() {
            return Ok(UserlandSource::User(UserRootFs::of(name)));
        }
        Err(LabError::BadParts {
            why: format!(
                "there is no userland {}: it must be a directory, a tar archive, a container image (OCI layout), or an \
                 image ({})",
                name.display(),
                known.join(", ")
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_userland_is_an_image_unless_it_is_a_path() {
        let dir = tempfile::tempdir().unwrap();
        let store = ImageStore::at(dir.path().join("cache")).unwrap();
        let of = |name: &Path| UserlandSource::of(name, &store);
        assert_eq!(of(Path::new("trixie")).unwrap(), UserlandSource::Image("trixie".into()));
        let own = dir.path().join("trixie");
        fs::create_dir(&own).unwrap();
        assert_eq!(of(&own).unwrap(), UserlandSource::User(UserRootFs::Dir(own.clone())));
        let tar = own.join("x.tar");
        fs::write(&tar, "").unwrap();
        assert_eq!(of(&tar).unwrap(), UserlandSource::User(UserRootFs::Tar(tar)));
        let why = of(Path::new("slackware")).unwrap_err().to_string();
        assert!(why.contains("slackware") && why.contains("bookworm"), "{why}");
    }
}
