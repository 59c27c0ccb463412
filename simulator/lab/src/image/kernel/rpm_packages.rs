//! A kernel in RPM packages: Fedora's `kernel-core` with `kernel-modules…`, openSUSE's `kernel-default`, or what `make
//! binrpm-pkg` builds.

mod header;

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use rpm::{Package, PackageMetadata};

use super::{
    FoundKernel,
    packages::{self, Distributor, LARGEST, find},
};
use crate::{
    LabError, Result,
    image::{
        archive::{is_kernels, plain_name},
        decompress::plain,
    },
};

/// Magic of the lead, with which a package begins.
const MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
/// Most bytes of a package file.
const LARGEST_PACKAGE: u64 = 2 << 30;
/// Longest name of a file in a package.
const LONGEST_NAME: usize = 4096;
/// The type of a regular file in `st_mode`, and the mask of types.
const REGULAR: u32 = 0o100_000;
const TYPE: u32 = 0o170_000;
/// What Fedora's kernel packages call each other: `kernel-modules-core-uname-r = RELEASE`.
const OF_RELEASE: &str = "-uname-r";

/// What the packages of a kernel are called.
const RPM: Distributor = Distributor {
    modules: |release| {
        format!(
            "kernel-modules-core-{release} and kernel-modules-{release} (openSUSE: kernel-default)"
        )
    },
    kernel: |release| format!("kernel-core-{release} (openSUSE: kernel-default)"),
    lists: |release| format!("kernel-core-{release} (openSUSE: kernel-default)"),
};

/// Whether a file is an RPM package, by content or by name.
pub(crate) fn is_package(path: &Path) -> bool {
    packages::is_one(path, "rpm", &MAGIC)
}

/// Opens the kernel in these packages. Its files are unpacked to the file `scratch`.
///
/// # Errors
/// `BadPackage` for a file that is damaged or not a package. `BadKernel` when a package is missing, with
/// its name.
pub(crate) fn open(packages: &[PathBuf], scratch: &Path) -> Result<FoundKernel> {
    let out = File::create(scratch).map_err(LabError::file("cannot create", scratch))?;
    let mut out = tar::Builder::new(out);
    let mut room = LARGEST;
    let mut names = Names::default();
    for package in packages {
        let bad = |why| LabError::BadPackage { path: package.clone(), why };
        let bytes = read(package)?;
        let package = parse(&bytes).map_err(bad)?;
        names.see(&package.metadata);
        unpack(&package, &mut out, &mut room).map_err(bad)?;
    }
    out.finish().map_err(LabError::file("cannot write", scratch))?;
    let found = find(scratch, &packages[0], &RPM, || names.no_kernel())?;
    match names.missing().into_iter().next() {
        Some(name) => {
            let why = format!("the packages need {name}: give it, too");
            Err(LabError::BadKernel { path: packages[0].clone(), why })
        }
        None => Ok(found),
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let size = fs::metadata(path).map_err(LabError::file("cannot read", path))?.len();
    if size > LARGEST_PACKAGE {
        let why = format!("it has more than {} GiB", LARGEST_PACKAGE >> 30);
        return Err(LabError::BadPackage { path: path.to_owned(), why });
    }
    fs::read(path).map_err(LabError::file("cannot read", path))
}

/// Parses a package and compares its digests.
fn parse(bytes: &[u8]) -> std::result::Result<Package, String> {
    // The crate trusts the numbers in headers.
    header::check(bytes)?;
    let package = Package::parse(&mut &bytes[..]).map_err(|error| error.to_string())?;
    package.verify_digests().map_err(|error| format!("it is damaged: {error}"))?;
    match package.metadata.get_arch() {
        Ok("x86_64" | "noarch") => Ok(package),
        Ok(other) => Err(format!("it is for {other}; only x86-64 guests are possible")),
        Err(error) => Err(error.to_string()),
    }
}

/// Appends the kernel's files in a package to the archive.
fn unpack(
    package: &Package,
    out: &mut tar::Builder<impl Write>,
    room: &mut u64,
) -> std::result::Result<(), String> {
    let plain = plain(package.payload.as_slice()).map_err(|error| error.to_string())?;
    let mut plain = BufReader::new(plain.take(*room));
    let files = copy(&mut plain, out);
    *room = plain.get_ref().limit();
    match files {
        Err(_) if *room == 0 => Err(format!("there is more than {} GiB in it", LARGEST >> 30)),
        files => files.map_err(|error| format!("its files cannot be unpacked: {error}")),
    }
}

/// Copies the kernel's files of a cpio archive.
fn copy(mut from: impl Read, out: &mut tar::Builder<impl Write>) -> io::Result<()> {
    loop {
        let mut entry = cpio::NewcReader::new(from)?;
        if entry.entry().is_trailer() {
            return Ok(());
        }
        let (name, mode) = (plain_name(Path::new(entry.entry().name())), entry.entry().mode());
        let size = u64::from(entry.entry().file_size());
        let within = name.strip_prefix("usr/").unwrap_or(&name);
        if mode & TYPE == REGULAR && is_kernels(within) && name.len() < LONGEST_NAME {
            let mut header = tar::Header::new_gnu();
            header.set_size(size);
            header.set_mode(0o644);
            out.append_data(&mut header, within, entry.by_ref().take(size))?;
        }
        from = entry.finish()?;
    }
}

/// What packages are called, have and need, as far as it is about kernels.
#[derive(Debug, Default)]
struct Names {
    provided: BTreeSet<String>,
    /// Name and version.
    required: BTreeSet<(String, String)>,
}

impl Names {
    fn see(&mut self, metadata: &PackageMetadata) {
        let is_kernels = |name: &str| name.starts_with("kernel");
        let provides = metadata.get_provides().unwrap_or_default();
        self.provided.extend(metadata.get_name().map(str::to_owned));
        self.provided.extend(provides.into_iter().map(|it| it.name.to_string()));
        let requires = metadata.get_requires().unwrap_or_default().into_iter();
        let requires = requires.map(|it| (it.name.to_string(), it.version.to_string()));
        self.required.extend(requires.filter(|(name, _)| is_kernels(name)));
    }

    /// The packages of the same kernel that are needed and not there.
    fn missing(&self) -> Vec<String> {
        let of_release = self.required.iter().filter_map(|(name, version)| {
            let plain = name.strip_suffix(OF_RELEASE)?;
            let there = self.provided.contains(name) || self.provided.contains(plain);
            (!there).then(|| format!("{plain}-{version}"))
        });
        of_release.collect()
    }

    /// The message for packages without a kernel.
    fn no_kernel(&self) -> String {
        let missing = self.missing();
        let needed: Vec<&str> = match &missing[..] {
            [] => self.required.iter().map(|(name, _)| name.as_str()).collect(),
            missing => missing.iter().map(String::as_str).collect(),
        };
        match &needed[..] {
            [] => "there is no kernel in it: kernel-core (Fedora) or kernel-default (openSUSE) is the package to give"
                .to_owned(),
            needed => format!(
                "there is no kernel in it: give the packages that it needs ({})",
                needed.join(", ")
            ),
        }
    }
}

#[cfg(test)]
mod tests;
