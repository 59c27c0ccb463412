//! What is common to a distributor's packages: a kernel among their files, and the names of those that are missing.

use std::{fs::File, io::Read, path::Path};

use super::FoundKernel;
use crate::{
    LabError, Result,
    image::{archive::Archive, modules::ModuleSource},
};

/// Most bytes that all packages of a kernel may unpack to.
pub(super) const LARGEST: u64 = 4 << 30;
/// The list of built-in modules.
const BUILTIN: &str = "modules.builtin";

/// The packages to give, by the kernel's release.
pub(super) struct Distributor {
    /// Those with the modules.
    pub(super) modules: fn(&str) -> String,
    /// That with the kernel.
    pub(super) kernel: fn(&str) -> String,
    /// That with the list of built-in modules.
    pub(super) lists: fn(&str) -> String,
}

/// Whether a file is a package, by its name's ending or by the magic at its beginning.
pub(super) fn is_one(path: &Path, ending: &str, magic: &[u8]) -> bool {
    let mut head = vec![0; magic.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    path.extension().is_some_and(|end| end == ending) || (read.is_ok() && head == magic)
}

/// Finds the kernel among the unpacked files of packages. `path` is one of the packages, for messages; `none` says
/// what is missing if there is no kernel at all.
///
/// # Errors
/// `BadKernel` when a package is missing, with its name.
pub(super) fn find(
    scratch: &Path,
    path: &Path,
    names: &Distributor,
    none: impl FnOnce() -> String,
) -> Result<FoundKernel> {
    let archive = Archive::open(scratch).map_err(LabError::file("cannot read", scratch))?;
    let bad = |why| LabError::BadKernel { path: path.to_owned(), why };
    let lacks = |what: &str, packages: String| {
        bad(format!("the packages hold {what}: give {packages}, too"))
    };
    let release = match (archive.release(), archive.releases_of_kernels().first()) {
        (Ok(release), _) => release,
        (Err(why), _) if archive.has_modules() => return Err(bad(why)),
        (Err(_), Some(release)) => return Err(lacks("no modules", (names.modules)(release))),
        (Err(_), None) => return Err(bad(none())),
    };
    let unreadable = |e| LabError::file("cannot read", scratch)(e);
    let Some((_, kernel)) = archive.kernel(&release).map_err(unreadable)? else {
        return Err(lacks("modules, but no kernel", (names.kernel)(&release)));
    };
    let modules = archive.modules(&release);
    if modules.read(BUILTIN).is_err() {
        return Err(lacks(&format!("no {BUILTIN}"), (names.lists)(&release)));
    }
    let config = archive.config(&release).map_err(unreadable)?;
    let path = path.to_owned();
    Ok(FoundKernel { path, kernel, release, config, modules: Box::new(modules), headers: None })
}
