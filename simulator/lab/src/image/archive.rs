//! A tar file of unpacked packages: the kernel's files are read by name, the others streamed.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::modules::ModuleSource;

/// Most bytes of a module or kernel.
const LARGEST_FILE: u64 = 1 << 30;

#[derive(Debug, Clone, Copy)]
struct Extent {
    offset: u64,
    size: u64,
}

/// A tar file, with an index of the regular files below `boot` and `lib/modules`.
#[derive(Debug)]
pub(crate) struct Archive {
    path: PathBuf,
    /// By name without `./`. `usr/lib/modules` is entered as `lib/modules`.
    index: BTreeMap<String, Extent>,
}

impl Archive {
    /// Reads all headers and indexes the kernel's files.
    pub(crate) fn open(path: &Path) -> io::Result<Archive> {
        let mut index = BTreeMap::new();
        let mut tar = tar::Archive::new(File::open(path)?);
        // The file may be several archives concatenated.
        tar.set_ignore_zeros(true);
        for entry in tar.entries_with_seek()? {
            let entry = entry?;
            let name = plain_name(&entry.path()?);
            let name = name.strip_prefix("usr/").filter(|n| is_kernels(n)).unwrap_or(&name);
            if entry.header().entry_type().is_file() && is_kernels(name) {
                let place = Extent { offset: entry.raw_file_position(), size: entry.size() };
                index.insert(name.to_owned(), place);
            }
        }
        Ok(Archive { path: path.to_owned(), index })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The kernel's release: the only directory below `lib/modules` that contains modules.
    pub(crate) fn release(&self) -> Result<String, String> {
        let mut found: Vec<&str> = self
            .index
            .keys()
            .filter_map(|name| name.strip_prefix("lib/modules/")?.split_once("/kernel/"))
            .map(|(release, _)| release)
            .collect();
        found.dedup();
        match found[..] {
            [one] => Ok(one.to_owned()),
            [] => Err("the packages hold no modules".into()),
            _ => Err(format!("the packages hold several kernels: {}", found.join(", "))),
        }
    }

    pub(crate) fn has_modules(&self) -> bool {
        self.index.keys().any(|name| name.starts_with("lib/modules/") && name.contains("/kernel/"))
    }

    /// The releases of all kernels in `boot` and `lib/modules`, with or without modules.
    pub(crate) fn releases_of_kernels(&self) -> Vec<&str> {
        let names = self.index.keys().filter_map(|name| {
            let beside = name.strip_prefix("lib/modules/").and_then(|n| n.strip_suffix("/vmlinuz"));
            beside.or_else(|| name.strip_prefix("boot/vmlinuz-"))
        });
        names.collect()
    }

    /// The kernel of a release, with its file name.
    pub(crate) fn kernel(&self, release: &str) -> io::Result<Option<(String, Vec<u8>)>> {
        self.read_first(&[
            format!("boot/vmlinuz-{release}"),
            format!("lib/modules/{release}/vmlinuz"),
        ])
    }

    /// The kernel's configuration; empty if there is none.
    pub(crate) fn config(&self, release: &str) -> io::Result<String> {
        let names = [format!("boot/config-{release}"), format!("lib/modules/{release}/config")];
        let bytes = self.read_first(&names)?.unwrap_or_default().1;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The first of these files that exists, with its name.
    fn read_first(&self, names: &[String]) -> io::Result<Option<(String, Vec<u8>)>> {
        for name in names {
            if self.index.contains_key(name) {
                return Ok(Some((name.clone(), self.read(name)?)));
            }
        }
        Ok(None)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        read(&self.path, self.index.get(name))
    }

    /// The modules of one release.
    pub(crate) fn modules(&self, release: &str) -> ArchiveModules {
        let prefix = format!("lib/modules/{release}/");
        let within = |(name, place): (&String, &Extent)| {
            Some((name.strip_prefix(&prefix)?.to_owned(), *place))
        };
        let index = self.index.iter().filter_map(within).collect();
        ArchiveModules { path: self.path.clone(), index }
    }
}

fn read(path: &Path, place: Option<&Extent>) -> io::Result<Vec<u8>> {
    let place = place.ok_or(io::ErrorKind::NotFound)?;
    if place.size > LARGEST_FILE {
        return Err(io::Error::other("it is too large"));
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(place.offset))?;
    let mut bytes = Vec::new();
    file.take(place.size).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != place.size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

/// Whether a file belongs to the kernel rather than to the userland.
pub(crate) fn is_kernels(name: &str) -> bool {
    name.starts_with("boot/") || name.starts_with("lib/modules/")
}

/// An archive name without leading `./` or `/` and without a trailing `/`.
pub(crate) fn plain_name(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.trim_start_matches("./").trim_matches('/').to_owned()
}

/// The modules of an [`Archive`], by path below `lib/modules/RELEASE`.
#[derive(Debug)]
pub(crate) struct ArchiveModules {
    path: PathBuf,
    index: BTreeMap<String, Extent>,
}

impl ModuleSource for ArchiveModules {
    fn files(&self) -> io::Result<Vec<String>> {
        Ok(self.index.keys().cloned().collect())
    }

    fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        read(&self.path, self.index.get(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(names: &[&str]) -> (tempfile::TempDir, Archive) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tar");
        let mut tar = tar::Builder::new(File::create(&path).unwrap());
        for name in names {
            let mut header = tar::Header::new_gnu();
            header.set_size(name.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, format!("./{name}"), name.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap();
        let archive = Archive::open(&path).unwrap();
        (dir, archive)
    }

    #[test]
    fn files_are_found_by_name_also_after_the_usr_merge_and_with_long_names() {
        let long = format!("usr/lib/modules/6.1/kernel/{}/b.ko", "x".repeat(150));
        let (_dir, archive) =
            archive(&["boot/vmlinuz-6.1", "usr/lib/modules/6.1/kernel/a.ko", &long, "usr/bin/sh"]);
        assert_eq!(archive.release().as_deref(), Ok("6.1"));
        let modules = archive.modules("6.1");
        let files = modules.files().unwrap();
        assert_eq!(files.len(), 2);
        assert_eq!(modules.read(&files[1]).unwrap(), long.as_bytes());
        let (name, bytes) = archive.kernel("6.1").unwrap().unwrap();
        assert_eq!((name.as_str(), &bytes[..]), ("boot/vmlinuz-6.1", &b"boot/vmlinuz-6.1"[..]));
        assert!(archive.read("usr/bin/sh").is_err());
    }

    #[test]
    fn no_kernel_and_two_kernels_are_errors() {
        let (_dir, none) = archive(&["boot/vmlinuz-6.1"]);
        assert!(none.release().unwrap_err().contains("no modules"));
        let (_dir, two) = archive(&["lib/modules/6.1/kernel/a.ko", "lib/modules/6.2/kernel/a.ko"]);
        assert!(two.release().unwrap_err().contains("6.1, 6.2"));
    }
}
