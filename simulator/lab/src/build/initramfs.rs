//! The initramfs: the agent as `/init`, and the modules.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use cpio::newc::{Builder, ModeFileType, trailer};

/// Directories the agent mounts on, or finds things in.
const DIRECTORIES: &[&str] = &["dev", "proc", "sys", "run", "sbin", "tmp", "newroot"];

/// Writes an initramfs, uncompressed: unpacking it would cost the guest more than reading it.
///
/// `modules` is a directory whose contents become `/lib/modules/RELEASE`.
pub(crate) fn write_initramfs(
    out: &mut dyn Write,
    agent: &[u8],
    modules: &Path,
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
    packer.tree(modules, &format!("lib/modules/{release}"))?;
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

    /// A directory with all that is below it, in the order of names.
    fn tree(&mut self, dir: &Path, name: &str) -> io::Result<()> {
        self.directory(name)?;
        let mut entries = fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let below = format!("{name}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                self.tree(&entry.path(), &below)?;
            } else {
                let data = fs::read(entry.path())?;
                self.entry(&below, ModeFileType::Regular, 0o644, &data)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_is_init_and_modprobe_and_the_modules_are_in_place() {
        let modules = tempfile::tempdir().unwrap();
        fs::create_dir_all(modules.path().join("kernel")).unwrap();
        fs::write(modules.path().join("kernel/a.ko"), b"module").unwrap();
        fs::write(modules.path().join("modules.dep"), b"kernel/a.ko:\n").unwrap();
        let mut image = Vec::new();
        write_initramfs(&mut image, b"agent", modules.path(), "6.1").unwrap();

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
