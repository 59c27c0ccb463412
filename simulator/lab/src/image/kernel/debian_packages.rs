//! A kernel in Debian packages.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::{ChildStdout, Command, Stdio},
};

use super::{
    FoundKernel,
    packages::{self, Distributor, LARGEST, find},
};
use crate::{LabError, Result, host::programs, image::modules::Headers};

/// Magic of an ar(1) archive, which a package is.
const MAGIC: &[u8] = b"!<arch>\n";

/// What the packages of a kernel are called.
const DEBIAN: Distributor = Distributor {
    modules: |release| format!("linux-modules-{release}"),
    kernel: |release| format!("linux-image-{release} (since 6.19: linux-binary-{release})"),
    lists: |release| format!("linux-base-{release}"),
};

/// Whether a file is a Debian package, by content or by name.
pub(crate) fn is_package(path: &Path) -> bool {
    packages::is_one(path, "deb", MAGIC)
}

/// Opens the kernel in these packages. They are unpacked to the file `scratch`.
///
/// # Errors
/// `BadPackage` for a file that is damaged or not a package. `BadKernel` when a package is missing, with
/// its name.
pub(crate) fn open(packages: &[PathBuf], scratch: &Path) -> Result<FoundKernel> {
    let mut out = File::create(scratch).map_err(LabError::file("cannot create", scratch))?;
    let mut room = LARGEST;
    for package in packages {
        room -= unpack(package, &mut out, room)?;
    }
    drop(out);
    let found = find(scratch, &packages[0], &DEBIAN, || no_kernel(packages))?;
    let headers: Vec<PathBuf> = packages.iter().filter(|p| has_headers(p)).cloned().collect();
    let headers = (!headers.is_empty()).then_some(Headers::Packages(headers));
    Ok(FoundKernel { headers, ..found })
}

/// Whether a package is one of those with the headers: `linux-headers-…`, `linux-kbuild-…`.
fn has_headers(package: &Path) -> bool {
    let name = field(package, "Package");
    ["linux-headers-", "linux-kbuild-"].iter().any(|start| name.starts_with(start))
}

/// A field of a package's control file; empty if it has none.
fn field(package: &Path, name: &str) -> String {
    let Ok(program) = programs::find("dpkg-deb") else { return String::new() };
    let asked = Command::new(program).arg("-f").arg(package).arg(name).output();
    let text = asked.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).trim().to_owned()
}

/// The message for packages without a kernel. A package that they depend on may contain it.
fn no_kernel(packages: &[PathBuf]) -> String {
    let depends: BTreeSet<String> = packages.iter().flat_map(|p| kernels_it_needs(p)).collect();
    if depends.is_empty() {
        return "there is no kernel in it: linux-image-… is the package to give".to_owned();
    }
    let names: Vec<String> = depends.into_iter().collect();
    format!("there is no kernel in it: give the packages that it needs ({})", names.join(", "))
}

/// The kernel packages that a package depends on.
fn kernels_it_needs(package: &Path) -> Vec<String> {
    field(package, "Depends")
        .split([',', '|'])
        .filter_map(|one| one.split_whitespace().next())
        .filter(|name| name.starts_with("linux-") && name.contains(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

/// Appends a package's files to the archive. Returns their size in bytes.
fn unpack(package: &Path, out: &mut File, room: u64) -> Result<u64> {
    let mut size = 0;
    read(package, |tar| {
        size = copy(tar, out, room)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(size)
}

/// Reads the files of a package, as a tar archive, until the reader breaks.
///
/// # Errors
/// `BadPackage` for a file that is damaged or not a package; what the reader fails by.
pub(crate) fn read(
    package: &Path,
    reader: impl FnOnce(&mut BufReader<ChildStdout>) -> io::Result<ControlFlow<()>>,
) -> Result<()> {
    // dpkg-deb would report a missing file in the user's language.
    fs::metadata(package).map_err(LabError::file("cannot read", package))?;
    let program = programs::find("dpkg-deb")?;
    let mut child = Command::new(&program)
        .arg("--fsys-tarfile")
        .arg(package)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(LabError::file("cannot run", &program))?;
    let (done, is_over) = match child.stdout.take() {
        Some(stdout) => {
            let mut stdout = BufReader::with_capacity(1 << 16, stdout);
            (reader(&mut stdout), stdout.fill_buf().is_ok_and(<[u8]>::is_empty))
        }
        None => (Err(io::ErrorKind::BrokenPipe.into()), false),
    };
    let output = child.wait_with_output().map_err(LabError::file("cannot wait for", &program))?;
    let said = match &done {
        Ok(ControlFlow::Break(())) => return Ok(()),
        // Otherwise it was told to end.
        _ if is_over && !output.status.success() => {
            Some(programs::tail(&String::from_utf8_lossy(&output.stderr), 3))
        }
        _ => None,
    };
    match said {
        Some(said) => {
            let why = said.replace("dpkg-deb: error: ", "");
            Err(LabError::BadPackage { path: package.to_owned(), why })
        }
        None => done.map(|_| ()).map_err(LabError::file("cannot unpack", package)),
    }
}

fn copy(from: impl Read, to: &mut impl Write, room: u64) -> io::Result<u64> {
    let size = io::copy(&mut from.take(room + 1), to)?;
    match size > room {
        true => Err(io::Error::other(format!("there is more than {} GiB in it", LARGEST >> 30))),
        false => Ok(size),
    }
}

#[cfg(test)]
mod tests;
