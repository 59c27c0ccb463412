//! The userland: packages or a root file system, reduced and packed as a squashfs.

mod oci;
mod survey;
mod tree_tar;
mod user_root_fs;

use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::Path,
    process::Stdio,
};

use tar::{EntryType, Header};

pub(crate) use survey::is_place_of_programs;
use survey::{HEAD, Survey};
pub use user_root_fs::UserRootFs;

use super::archive::{is_kernels, plain_name};
use crate::{LabError, Result, host::programs};

/// Mount points: the contents of these directories are left out.
pub(crate) const MOUNT_POINTS: &[&str] = &["dev", "proc", "run", "sys", "tmp"];
/// Linked into /usr, as on every installed system (hier(7), file-hierarchy(7)). Packages may rely on that,
/// and packages that are only unpacked may still have the directories.
const MERGED: &[&str] = &["bin", "lib", "lib64", "sbin"];
/// Left out, for instance documentation, which no guest needs.
pub(crate) const NOT_PACKED: &[&str] = &[
    "usr/share/doc/",
    "usr/share/info/",
    "usr/share/locale/",
    "usr/share/man/",
    "var/cache/apt/",
    "var/lib/apt/lists/",
    "var/cache/debconf/",
];

/// Compression of the squashfs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Lz4,
    Zstd,
    Gzip,
}

impl Packing {
    /// The compression that the guest decompresses fastest, among those in its kernel's configuration.
    /// Under TCG lz4 is several times faster than the others. squashfs always supports gzip, unless it was
    /// configured away.
    pub(crate) fn for_kernel(config: &str) -> Packing {
        if Packing::Lz4.is_in(config) {
            Packing::Lz4
        } else if Packing::Zstd.is_in(config) && !Packing::Gzip.is_in(config) {
            Packing::Zstd
        } else {
            Packing::Gzip
        }
    }

    /// The compression of an existing squashfs.
    pub(crate) fn of(squashfs: &Path) -> io::Result<Packing> {
        let mut head = [0; 22];
        File::open(squashfs)?.read_exact(&mut head)?;
        // Field `compression` of the superblock (fs/squashfs/squashfs_fs.h).
        match head[20] {
            5 => Ok(Packing::Lz4),
            6 => Ok(Packing::Zstd),
            _ => Ok(Packing::Gzip),
        }
    }

    /// The kernel option that it needs.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Packing::Lz4 => "CONFIG_SQUASHFS_LZ4",
            Packing::Zstd => "CONFIG_SQUASHFS_ZSTD",
            Packing::Gzip => "CONFIG_SQUASHFS_ZLIB",
        }
    }

    /// Whether a kernel with this configuration can read it.
    pub(crate) fn is_in(self, config: &str) -> bool {
        config.lines().any(|line| line.strip_suffix("=y") == Some(self.option()))
    }

    fn name(self) -> &'static str {
        match self {
            Packing::Lz4 => "lz4",
            Packing::Zstd => "zstd",
            Packing::Gzip => "gzip",
        }
    }
}

/// Packs a tar archive into the squashfs `out`. `name` is the archive's name in messages. Returns a survey
/// of the contents.
///
/// # Errors
/// `BadUserland` when the archive cannot be read, and mksquashfs's errors.
pub(crate) fn write_userland(
    tar: impl Read,
    name: &Path,
    out: &Path,
    packing: Packing,
) -> Result<Survey> {
    let program = programs::find("mksquashfs")?;
    let mut child = std::process::Command::new(&program)
        .arg("-")
        .arg(out)
        .args(["-tar", "-noappend", "-quiet", "-no-progress", "-comp", packing.name()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(LabError::file("cannot run", &program))?;
    let mut errors = child.stderr.take();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(errors) = errors.as_mut() {
            let _ = errors.take(1 << 20).read_to_end(&mut text);
        }
        text
    });
    let fed = match child.stdin.take() {
        Some(stdin) => filter(tar, BufWriter::with_capacity(1 << 20, stdin)),
        None => Err(io::ErrorKind::BrokenPipe.into()),
    };
    let status = child.wait().map_err(LabError::file("cannot wait for", &program))?;
    let stderr = reader.join().unwrap_or_default();
    let bad = |e: io::Error| LabError::BadUserland { path: name.to_owned(), why: e.to_string() };
    match fed {
        // If mksquashfs failed, its own message says more than the broken pipe.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(bad(error)),
        fed => {
            programs::check("mksquashfs", status, &stderr, out)?;
            fed.map_err(bad)
        }
    }
}

/// Surveys an archive without packing it.
pub(crate) fn survey_userland(tar: impl Read) -> io::Result<Survey> {
    filter(tar, io::sink())
}

/// Copies an archive without the files that the guest does not need, and adds the mount points.
fn filter(input: impl Read, output: impl Write) -> io::Result<Survey> {
    let mut from = tar::Archive::new(input);
    let mut to = tar::Builder::new(output);
    let mut survey = Survey::default();
    add_top(&mut to)?;
    let mut directories = HashSet::new();
    for entry in from.entries()? {
        let mut entry = entry?;
        let name = plain_name(&entry.path()?);
        let mut header = entry.header().clone();
        let link = header.entry_type() == EntryType::Symlink;
        if name.is_empty() || !keep(&name) || link && MERGED.contains(&name.as_str()) {
            continue;
        }
        let name = merged(name);
        match header.entry_type() {
            EntryType::Link | EntryType::Symlink => {
                let target = entry.link_name()?.ok_or(io::ErrorKind::InvalidData)?.into_owned();
                // A hard link's target is a name in the archive.
                let target = match header.entry_type() {
                    EntryType::Link => merged(plain_name(&target)).into(),
                    _ => target,
                };
                to.append_link(&mut header, &name, target)?;
                survey.see(&name, &[]);
            }
            EntryType::Regular | EntryType::Continuous => {
                let mut head = Vec::new();
                entry.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
                survey.see(&name, &head);
                to.append_data(&mut header, &name, (&head[..]).chain(entry))?;
            }
            EntryType::Directory if directories.insert(name.clone()) => {
                to.append_data(&mut header, &name, io::empty())?;
            }
            _ => {}
        }
    }
    to.into_inner()?.flush()?;
    Ok(survey)
}

/// Adds the top directories of every root file system: mount points, and the links of a merged /usr.
fn add_top(to: &mut tar::Builder<impl Write>) -> io::Result<()> {
    for name in MOUNT_POINTS {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Directory);
        header.set_mode(if *name == "tmp" { 0o1777 } else { 0o755 });
        header.set_size(0);
        to.append_data(&mut header, name, io::empty())?;
    }
    for name in MERGED {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_mode(0o777);
        header.set_size(0);
        to.append_link(&mut header, name, format!("usr/{name}"))?;
    }
    Ok(())
}

/// Maps a name to its place in a merged /usr.
fn merged(name: String) -> String {
    let top = name.split('/').next().unwrap_or(&name);
    if MERGED.contains(&top) { format!("usr/{name}") } else { name }
}

fn keep(name: &str) -> bool {
    let top = name.split('/').next().unwrap_or(name);
    let inner = name.strip_prefix("usr/").unwrap_or(name);
    !(MOUNT_POINTS.contains(&top)
        || is_kernels(name)
        || is_kernels(inner)
        || NOT_PACKED.iter().any(|left_out| name.starts_with(left_out)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn filtered(
        add: impl FnOnce(&mut tar::Builder<Vec<u8>>),
    ) -> BTreeMap<String, (EntryType, String)> {
        let mut tar = tar::Builder::new(Vec::new());
        add(&mut tar);
        let mut out = Vec::new();
        filter(&tar.into_inner().unwrap()[..], &mut out).unwrap();
        let mut seen = BTreeMap::new();
        for entry in tar::Archive::new(&out[..]).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            let link = entry.link_name().unwrap().map(|l| l.to_string_lossy().into_owned());
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            seen.insert(name, (entry.header().entry_type(), link.unwrap_or(text)));
        }
        seen
    }

    fn file(tar: &mut tar::Builder<Vec<u8>>, name: &str) {
        let mut header = Header::new_gnu();
        header.set_size(4);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("./{name}"), &b"text"[..]).unwrap();
    }

    #[test]
    fn the_kernel_and_documentation_are_left_out_and_mount_points_are_there() {
        let long = format!("usr/lib/{}/{}", "x".repeat(90), "y".repeat(90));
        let seen = filtered(|tar| {
            for name in [
                "boot/vmlinuz",
                "usr/lib/modules/6.1/a.ko",
                "lib/modules/6.1/a.ko",
                "usr/share/doc/a/copyright",
                "dev/console",
                "usr/bin/sh",
                "usr/share/docbook/a",
                &long,
            ] {
                file(tar, name);
            }
        });
        let names = seen.iter().filter(|(_, (kind, _))| *kind != EntryType::Symlink);
        let names: Vec<&str> = names.map(|(n, _)| n.trim_end_matches('/')).collect();
        let mut expected =
            ["dev", "proc", "run", "sys", "tmp", "usr/bin/sh", &long, "usr/share/docbook/a"];
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!(seen["usr/bin/sh"], (EntryType::Regular, "text".into()));
    }

    #[test]
    fn links_stay_links() {
        let seen = filtered(|tar| {
            let mut header = Header::new_gnu();
            header.set_size(0);
            header.set_entry_type(EntryType::Symlink);
            tar.append_link(&mut header.clone(), "./etc/a", "../b").unwrap();
            header.set_entry_type(EntryType::Link);
            tar.append_link(&mut header, "./usr/bin/b", "./bin/a").unwrap();
        });
        assert_eq!(seen["etc/a"], (EntryType::Symlink, "../b".into()));
        assert_eq!(seen["usr/bin/b"], (EntryType::Link, "usr/bin/a".into()));
    }

    #[test]
    fn usr_is_merged_whether_or_not_it_was() {
        let unmerged = filtered(|tar| {
            let mut header = Header::new_gnu();
            header.set_size(0);
            header.set_entry_type(EntryType::Directory);
            for name in ["./sbin/", "./usr/sbin/"] {
                tar.append_data(&mut header, name, io::empty()).unwrap();
            }
            file(tar, "sbin/multipath");
            file(tar, "usr/sbin/chroot");
        });
        let already = filtered(|tar| {
            let mut header = Header::new_gnu();
            header.set_size(0);
            header.set_entry_type(EntryType::Symlink);
            tar.append_link(&mut header.clone(), "./sbin", "usr/sbin").unwrap();
            header.set_entry_type(EntryType::Directory);
            tar.append_data(&mut header, "./usr/sbin/", io::empty()).unwrap();
            file(tar, "usr/sbin/multipath");
            file(tar, "usr/sbin/chroot");
        });
        assert_eq!(unmerged, already);
        assert_eq!(unmerged["sbin"], (EntryType::Symlink, "usr/sbin".into()));
        assert_eq!(unmerged["usr/sbin/multipath"], (EntryType::Regular, "text".into()));
    }

    #[test]
    fn the_kernel_decides_about_the_compression() {
        let config = |lines: &str| Packing::for_kernel(lines);
        assert_eq!(config("CONFIG_SQUASHFS_ZLIB=y\nCONFIG_SQUASHFS_LZ4=y\n"), Packing::Lz4);
        assert_eq!(
            config("CONFIG_SQUASHFS_ZLIB=y\n# CONFIG_SQUASHFS_LZ4 is not set\n"),
            Packing::Gzip
        );
        assert_eq!(
            config("# CONFIG_SQUASHFS_ZLIB is not set\nCONFIG_SQUASHFS_ZSTD=y\n"),
            Packing::Zstd
        );
        assert_eq!(config(""), Packing::Gzip);
    }
}
