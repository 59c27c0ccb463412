//! The index files that depmod writes for a kernel: `modules.dep`, `modules.alias`, `modules.softdep`,
//! `modules.builtin`. The agent reads the text forms, which have been stable since Linux 2.6.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::glob;
use crate::fail::{Doing, Result};

/// A module's name with underscores, as in `/sys/module`: `scsi_dh_rdac`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name(String);

impl Name {
    /// Normalises a file name or a module name: `kernel/drivers/md/dm-mod.ko.xz` and `dm-mod` both give
    /// `dm_mod`.
    pub(super) fn of(path: &str) -> Name {
        let file = path.rsplit('/').next().unwrap_or(path);
        let stem = file.split_once(".ko").map_or(file, |(stem, _)| stem);
        Name(stem.replace('-', "_"))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Soft dependencies of a module (modprobe.d(5), `softdep`).
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Soft {
    pub(super) before: Vec<String>,
    pub(super) after: Vec<String>,
}

/// The index of one directory `/lib/modules/<release>`.
#[derive(Debug)]
pub(super) struct Index {
    dir: PathBuf,
    /// For each module its file, and the files of its dependencies, in the order of `modules.dep`: the most
    /// basic last.
    modules: HashMap<Name, (String, Vec<String>)>,
    aliases: String,
    soft: HashMap<Name, Soft>,
    builtin: Vec<Name>,
}

impl Index {
    /// Reads the index of `dir`. Only `modules.dep` is required.
    pub(super) fn read(dir: &Path) -> Result<Index> {
        let read = |name: &str| fs::read_to_string(dir.join(name));
        let dep = read("modules.dep").doing(|| format!("read {}/modules.dep", dir.display()))?;
        Ok(Index {
            dir: dir.to_owned(),
            modules: dependencies(&dep),
            aliases: read("modules.alias").unwrap_or_default(),
            soft: read("modules.softdep").map(|text| soft(&text)).unwrap_or_default(),
            builtin: read("modules.builtin")
                .map(|text| text.lines().map(Name::of).collect())
                .unwrap_or_default(),
        })
    }

    /// Whether the module is built into the kernel.
    pub(super) fn is_builtin(&self, name: &Name) -> bool {
        self.builtin.contains(name)
    }

    /// The files to load for a module, dependencies first.
    pub(super) fn files(&self, name: &Name) -> Option<Vec<PathBuf>> {
        let (own, needs) = self.modules.get(name)?;
        // modules.dep has absolute paths for modules installed outside `dir`.
        Some(needs.iter().rev().chain([own]).map(|file| self.dir.join(file)).collect())
    }

    /// The modules that match an alias.
    pub(super) fn aliased(&self, alias: &str) -> Vec<Name> {
        let mut names: Vec<Name> = Vec::new();
        for line in self.aliases.lines() {
            let mut words = line.split_ascii_whitespace();
            let (Some("alias"), Some(pattern), Some(module)) =
                (words.next(), words.next(), words.next())
            else {
                continue;
            };
            let name = Name::of(module);
            if glob::matches(pattern, alias) && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The soft dependencies of a module; empty if it has none.
    pub(super) fn soft(&self, name: &Name) -> Soft {
        self.soft.get(name).cloned().unwrap_or_default()
    }
}

fn dependencies(text: &str) -> HashMap<Name, (String, Vec<String>)> {
    let module = |line: &str| {
        let (file, needs) = line.split_once(':')?;
        let needs = needs.split_ascii_whitespace().map(str::to_owned).collect();
        Some((Name::of(file), (file.trim().to_owned(), needs)))
    };
    text.lines().filter_map(module).collect()
}

/// Parses `softdep xts pre: ecb post: other`. Words before the first `pre:` or `post:` are taken as `pre:`.
fn soft(text: &str) -> HashMap<Name, Soft> {
    let mut all: HashMap<Name, Soft> = HashMap::new();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some("softdep"), Some(name)) = (words.next(), words.next()) else { continue };
        let entry = all.entry(Name::of(name)).or_default();
        let mut after = false;
        for word in words {
            match word {
                "pre:" => after = false,
                "post:" => after = true,
                word if after => entry.after.push(word.to_owned()),
                word => entry.before.push(word.to_owned()),
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> (tempfile::TempDir, Index) {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write(
            "modules.dep",
            "kernel/drivers/md/dm-mod.ko:\n\
             kernel/drivers/md/dm-multipath.ko: kernel/drivers/md/dm-mod.ko kernel/s/scsi_mod.ko \
             kernel/s/scsi_common.ko\n\
             kernel/x/packed.ko.xz:\n",
        );
        write("modules.alias", "# comment\nalias virtio:d00000008v* virtio_scsi\nbroken\n");
        write("modules.softdep", "softdep dm-mod pre: a b post: c\n");
        write("modules.builtin", "kernel/drivers/virtio/virtio-ring.ko\n");
        let index = Index::read(dir.path()).unwrap();
        (dir, index)
    }

    #[test]
    fn dependencies_come_first_and_dashes_do_not_matter() {
        let (dir, index) = index();
        let files = |name: &str| {
            let files = index.files(&Name::of(name))?;
            let local = |f: &PathBuf| f.strip_prefix(dir.path()).unwrap().display().to_string();
            Some(files.iter().map(local).collect::<Vec<_>>())
        };
        assert_eq!(
            files("dm_multipath").unwrap(),
            [
                "kernel/s/scsi_common.ko",
                "kernel/s/scsi_mod.ko",
                "kernel/drivers/md/dm-mod.ko",
                "kernel/drivers/md/dm-multipath.ko"
            ]
        );
        assert_eq!(files("dm-multipath"), files("dm_multipath"));
        assert_eq!(files("packed").unwrap(), ["kernel/x/packed.ko.xz"]);
        assert_eq!(files("absent"), None);
    }

    #[test]
    fn aliases_soft_dependencies_and_builtins() {
        let (_dir, index) = index();
        assert_eq!(index.aliased("virtio:d00000008v00001AF4"), [Name::of("virtio_scsi")]);
        assert!(index.aliased("virtio:d1").is_empty());
        assert!(index.is_builtin(&Name::of("virtio_ring")));
        let soft = index.soft(&Name::of("dm_mod"));
        assert_eq!((soft.before, soft.after), (vec!["a".into(), "b".into()], vec!["c".into()]));
        assert_eq!(index.soft(&Name::of("x")), Soft::default());
    }

    #[test]
    fn a_directory_without_index_says_so() {
        let error = Index::read(Path::new("/nonexistent")).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/modules.dep"), "{error}");
    }
}
