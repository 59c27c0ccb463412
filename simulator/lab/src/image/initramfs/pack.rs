//! Packs the initramfs: the agent as `/init`, and the modules; after the user's initrd, if there is one.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::Path,
};

use cpio::newc::{Builder, ModeFileType, trailer};

use super::user_initrd::{Layout, UserInitrd};
use crate::image::modules::{ModuleDir, ModuleSource, add_modules};

/// Directories that the agent uses as mount points or searches.
const DIRECTORIES: &[&str] = &["dev", "proc", "sys", "run", "sbin", "tmp", "newroot"];

/// Writes an initramfs. It is uncompressed, because decompression would cost the guest more than reading
/// it.
///
/// `modules` are the files of `/lib/modules/RELEASE`. If a name occurs twice, the kernel keeps the later
/// file, so the agent is PID 1 regardless of the contents of `initrd`.
pub(crate) fn write_initramfs(
    out: &mut dyn Write,
    initrd: &UserInitrd,
    agent: &[u8],
    modules: &BTreeMap<String, Vec<u8>>,
    release: &str,
) -> io::Result<()> {
    let archive = initrd.archive(release);
    if !archive.is_empty() {
        out.write_all(&archive)?;
        trailer(&mut *out)?;
    }
    let mut packer = Packer { out, layout: initrd.layout(), made: BTreeSet::new(), inode: 0 };
    for name in DIRECTORIES {
        packer.directory(name)?;
    }
    packer.file("init", ModeFileType::Regular, 0o755, agent)?;
    // The kernel runs /sbin/modprobe to load a module (kernel/module/kmod.c).
    packer.file("sbin/modprobe", ModeFileType::Symlink, 0o777, b"/init")?;
    packer.directory(&format!("lib/modules/{release}"))?;
    for (name, data) in modules {
        let name = format!("lib/modules/{release}/{name}");
        packer.file(&name, ModeFileType::Regular, 0o644, data)?;
    }
    trailer(packer.out)?;
    Ok(())
}

struct Packer<'a> {
    out: &'a mut dyn Write,
    /// The layout of the archive before this one. A directory in place of a symbolic link would hide the
    /// link's target.
    layout: Layout,
    made: BTreeSet<String>,
    inode: u32,
}

impl Packer<'_> {
    /// Adds a directory, after its parents.
    fn directory(&mut self, name: &str) -> io::Result<()> {
        let name = self.layout.resolve(name);
        let ends = name.match_indices('/').map(|(end, _)| end).chain([name.len()]);
        for above in ends.map(|end| &name[..end]).filter(|above| !above.is_empty()) {
            if !self.layout.has_directory(above) && self.made.insert(above.to_owned()) {
                self.entry(above, ModeFileType::Directory, 0o755, &[])?;
            }
        }
        Ok(())
    }

    /// Adds a file or link, after its parent directories.
    fn file(&mut self, name: &str, kind: ModeFileType, mode: u32, data: &[u8]) -> io::Result<()> {
        let Some((dir, file)) = name.rsplit_once('/') else {
            return self.entry(name, kind, mode, data);
        };
        self.directory(dir)?;
        let name = format!("{}/{file}", self.layout.resolve(dir));
        self.entry(&name, kind, mode, data)
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
}

/// The files of a base's modules and the additional ones, with a common index. An additional module
/// replaces one of the same name.
///
/// # Errors
/// A sentence: a module cannot be read, or a dependency is missing.
pub(crate) fn lib_modules(
    base: &Path,
    further: BTreeMap<String, Vec<u8>>,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let dir = ModuleDir::at(base);
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for name in dir.files().map_err(|e| e.to_string())? {
        let bytes = dir.read(&name).map_err(|e| format!("{name}: {e}"))?;
        files.insert(name, bytes);
    }
    if further.is_empty() { Ok(files) } else { add_modules(files, further) }
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
        let modules = lib_modules(modules.path(), BTreeMap::new()).unwrap();
        let mut image = Vec::new();
        write_initramfs(&mut image, &UserInitrd::default(), b"agent", &modules, "6.1").unwrap();

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
        // The kernel does not create parent directories, so each must come before its contents.
        for (at, (name, _, _)) in seen.iter().enumerate() {
            if let Some((above, _)) = name.rsplit_once('/') {
                assert!(seen[..at].iter().any(|(n, _, _)| n == above), "{name} before {above}");
            }
        }
    }
}
