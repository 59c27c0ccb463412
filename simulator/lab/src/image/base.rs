//! The first layer of an image: kernel, modules and userland, without the initramfs.

pub(crate) mod from_packages;
pub(crate) mod from_parts;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::modules::{ModuleSource, WANTED, collect, index_files, left_out};
use crate::{
    LabError, Progress, Result,
    cache::{Damage, Seal, inside, keep_in_use},
};

/// Increase this when the same packages are built into something else.
pub(crate) const FORMAT: u32 = 4;

/// Names of the files in a base.
pub(crate) const KERNEL: &str = "vmlinux";
pub(crate) const USERLAND: &str = "userland.squashfs";
pub(crate) const MODULES: &str = "modules";
/// The names of the kernel's modules that the image does not have, one a line.
pub(crate) const LEFT_OUT: &str = "modules.left-out";

#[derive(Debug, Clone)]
pub(crate) struct Base {
    pub(crate) dir: PathBuf,
    pub(crate) manifest: Manifest,
}

/// The manifest of a base, `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// [`FORMAT`] when the base was built.
    pub(crate) format: u32,
    /// Hash of the recipe. If the recipe has changed, the base is out of date.
    pub(crate) recipe: String,
    /// Hash of the contents.
    pub(crate) content: String,
    /// The kernel's release, as in `uname -r`.
    pub(crate) release: String,
    /// One line for the list of images.
    pub(crate) description: String,
}

impl Manifest {
    pub(crate) const FILE: &str = "manifest.json";

    /// Reads the manifest of a base; `None` if there is none, or it cannot be parsed.
    pub(crate) fn read(dir: &Path) -> Result<Option<Manifest>> {
        let path = dir.join(Manifest::FILE);
        match fs::read(&path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(LabError::file("cannot read", path)(e)),
        }
    }

    pub(crate) fn write(&self, dir: &Path) -> Result<()> {
        let path = dir.join(Manifest::FILE);
        let bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        fs::write(&path, bytes).map_err(LabError::file("cannot write", path))
    }
}

impl Base {
    /// Names the seal over the files that a guest is started with.
    const SEAL: &str = "base";
    /// And the one over the modules, which are read when an initramfs is made.
    const MODULES_SEAL: &str = "modules";

    /// Seals a base that is complete.
    pub(crate) fn seal(dir: &Path) -> Result<()> {
        let (initrd, programs) = (from_parts::INITRD, from_parts::PROGRAMS);
        let names = [KERNEL, USERLAND, LEFT_OUT, initrd, programs, Manifest::FILE];
        let there = names.into_iter().filter(|name| dir.join(name).is_file());
        let modules = modules(dir);
        Seal::new(dir, Self::MODULES_SEAL).make(modules.iter().map(String::as_str))?;
        Seal::new(dir, Self::SEAL).make(there)
    }

    /// Marks the base as used by this process, and checks its files.
    ///
    /// # Errors
    /// The damage.
    pub(crate) fn check(dir: &Path) -> Result<(), Damage> {
        keep_in_use(dir);
        Seal::new(dir, Self::SEAL).check()
    }

    /// A base with this manifest, unless it is damaged, which is said: then it is made again.
    fn if_sound(
        dir: &Path,
        manifest: Manifest,
        name: &str,
        progress: &dyn Progress,
    ) -> Option<Base> {
        match Base::check(dir) {
            Ok(()) => Some(Base { dir: dir.to_owned(), manifest }),
            Err(damage) => {
                progress.stage(&format!("the image {name} is damaged and is made again: {damage}"));
                None
            }
        }
    }

    /// Checks the modules.
    ///
    /// # Errors
    /// The damage.
    pub(crate) fn check_modules(dir: &Path) -> Result<(), Damage> {
        Seal::new(dir, Self::MODULES_SEAL).check()
    }
}

/// The files of the modules, relative to the base.
fn modules(dir: &Path) -> Vec<String> {
    let (mut found, mut waiting) = (Vec::new(), vec![dir.join(MODULES)]);
    while let Some(next) = waiting.pop() {
        for path in inside(&next) {
            if path.is_dir() {
                waiting.push(path);
            } else if let Ok(name) = path.strip_prefix(dir) {
                found.extend(name.to_str().map(str::to_owned));
            }
        }
    }
    found
}

/// Writes the kernel and its modules, those in `extra` included, and adds them to the hash.
pub(crate) fn write_kernel(
    into: &Path,
    elf: &[u8],
    source: &dyn ModuleSource,
    extra: &[String],
    hash: &mut blake3::Hasher,
) -> Result<()> {
    let write = |path: PathBuf, bytes: &[u8], hash: &mut blake3::Hasher| -> Result<()> {
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).map_err(LabError::file("cannot create", above))?;
        }
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
        fs::write(&path, bytes).map_err(LabError::file("cannot write", path))
    };
    write(into.join(KERNEL), elf, hash)?;
    let wanted: Vec<&str> =
        WANTED.iter().copied().chain(extra.iter().map(String::as_str)).collect();
    let modules = collect(source, &wanted).map_err(|why| LabError::BadModules { why })?;
    let left_out = left_out(source, &modules).map_err(|why| LabError::BadModules { why })?;
    let path = into.join(LEFT_OUT);
    fs::write(&path, left_out.join("\n")).map_err(LabError::file("cannot write", path))?;
    let dir = into.join(MODULES);
    for module in &modules {
        write(dir.join(&module.path), &module.elf, hash)?;
    }
    for (name, text) in index_files(&modules) {
        write(dir.join(name), text.as_bytes(), hash)?;
    }
    for name in ["modules.builtin", "modules.builtin.modinfo"] {
        // Without this file it is only harder to find out what is built in.
        if let Ok(bytes) = source.read(name) {
            write(dir.join(name), &bytes, hash)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_manifest_and_one_that_cannot_be_read_mean_no_base() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), None);
        let manifest = Manifest {
            format: FORMAT,
            recipe: "r".into(),
            content: "c".into(),
            release: "6.1".into(),
            description: "d".into(),
        };
        manifest.write(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), Some(manifest));
        fs::write(dir.path().join(Manifest::FILE), "{\"format\": 0}").unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), None);
    }
}
