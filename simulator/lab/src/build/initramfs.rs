//! The initramfs: the agent as `/init`, and the modules.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::Path,
};

use cpio::newc::{Builder, ModeFileType, trailer};

use super::modules::{ModuleDir, ModuleSource, all_names, collect, index_files};

/// Directories the agent mounts on, or finds things in.
const DIRECTORIES: &[&str] = &["dev", "proc", "sys", "run", "sbin", "tmp", "newroot"];

/// Writes an initramfs, uncompressed: unpacking it would cost the guest more than reading it.
///
/// `modules` are the files of `/lib/modules/RELEASE`.
pub(crate) fn write_initramfs(
    out: &mut dyn Write,
    agent: &[u8],
    modules: &BTreeMap<String, Vec<u8>>,
    release: &str,
) -> io::Result<()> {
    let mut packer = Packer { out, inode: 0 };
    for name in DIRECTORIES {
        packer.directory(name)?;
    }
    packer.entry("init", ModeFileType::Regular, 0o755, agent)?;
    // The kernel starts /sbin/modprobe when it wants a module (kernel/module/kmod.c).
    packer.entry("sbin/modprobe", ModeFileType::Symlink, 0o777, b"/init")?;
    packer.directory("lib")?;
    packer.directory("lib/modules")?;
    packer.tree(&format!("lib/modules/{release}"), modules)?;
    trailer(packer.out)?;
    Ok(())
}

struct Packer<'a> {
    out: &'a mut dyn Write,
    inode: u32,
}

impl Packer<'_> {
    fn directory(&mut self, name: &str) -> io::Result<()> {
        self.entry(name, ModeFileType::Directory, 0o755, &[])
    }

    fn entry(&mut self, name: &str, kind: ModeFileType, mode: u32, data: &[u8]) -> io::Result<()> {
        self.inode += 1;
        let size = u32::try_from(data.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let builder = Builder::new(name).ino(self.inode).mode(mode).set_mode_file_type(kind);
        let mut entry = builder.write(&mut *self.out, size);
        entry.write_all(data)?;
        entry.finish()?;
        Ok(())
    }

    /// Files below a directory, in the order of names, each directory before what is in it.
    fn tree(&mut self, dir: &str, files: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
        self.directory(dir)?;
        let mut made = BTreeSet::new();
        for (name, data) in files {
            for (end, _) in name.match_indices('/') {
                if made.insert(&name[..end]) {
                    self.directory(&format!("{dir}/{}", &name[..end]))?;
                }
            }
            self.entry(&format!("{dir}/{name}"), ModeFileType::Regular, 0o644, data)?;
        }
        Ok(())
    }
}

/// The files of a base's modules and those of `own`, indexed as one.
///
/// # Errors
/// A sentence: one cannot be read.
pub(crate) fn lib_modules(
    base: &Path,
    own: Vec<(String, Vec<u8>)>,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let dir = ModuleDir::at(base);
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for name in dir.files().map_err(|e| e.to_string())? {
        let bytes = dir.read(&name).map_err(|e| format!("{name}: {e}"))?;
        files.insert(name, bytes);
    }
    if own.is_empty() {
        return Ok(files);
    }
    files.extend(own);
    let names = all_names(&files).map_err(|e| e.to_string())?;
    let modules = collect(&files, &names.iter().map(String::as_str).collect::<Vec<_>>())?;
    let index = index_files(&modules);
    files.extend(index.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_agent_is_init_and_modprobe_and_the_modules_are_in_place() {
        let modules = tempfile::tempdir().unwrap();
        fs::create_dir_all(modules.path().join("kernel")).unwrap();
        fs::write(modules.path().join("kernel/a.ko"), b"module").unwrap();
        fs::write(modules.path().join("modules.dep"), b"kernel/a.ko:\n").unwrap();
        let modules = lib_modules(modules.path(), Vec::new()).unwrap();
        let mut image = Vec::new();
        write_initramfs(&mut image, b"agent", &modules, "6.1").unwrap();

        let mut rest = &image[..];
        let mut seen = Vec::new();
        loop {
            let mut reader = cpio::NewcReader::new(rest).unwrap();
            if reader.entry().is_trailer() {
                break;
            }
            let (name, mode) = (reader.entry().name().to_owned(), reader.entry().mode());
            let mut data = Vec::new();
            io::copy(&mut reader, &mut data).unwrap();
            seen.push((name, mode, data));
            rest = reader.finish().unwrap();
        }
        let get = |name: &str| seen.iter().find(|(n, _, _)| n == name).unwrap();
        assert_eq!((get("init").1, &get("init").2[..]), (0o100_755, &b"agent"[..]));
        assert_eq!(
            (get("sbin/modprobe").1, &get("sbin/modprobe").2[..]),
            (0o120_777, &b"/init"[..])
        );
        assert_eq!(get("lib/modules/6.1").1, 0o040_755);
        assert_eq!(get("lib/modules/6.1/kernel/a.ko").2, b"module");
        // The kernel creates nothing by itself: a directory must come before what is in it.
        for (at, (name, _, _)) in seen.iter().enumerate() {
            if let Some((above, _)) = name.rsplit_once('/') {
                assert!(seen[..at].iter().any(|(n, _, _)| n == above), "{name} before {above}");
            }
        }
    }
}
