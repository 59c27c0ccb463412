//! The texts of source files: of a tree, or of a distributor's archive of one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use sansim_coverage::{
    coverage::{Coverage, ImageCoverage},
    source::{Texts, own_files},
};
use sansim_lab::{Search, search};

/// The file at the top of a kernel's tree that says which version it is.
const MAKEFILE: &str = "Makefile";
/// Most bytes of a source file. The largest of the kernel's modules have 1 MB.
const LONGEST: u64 = 16 << 20;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) texts: Texts,
    /// What was not found, in sentences.
    pub(super) missing: Vec<String>,
}

impl Sources {
    /// Reads the modules' own source files. A tree of a kernel is for the images whose kernel has its version.
    ///
    /// # Errors
    /// If a tree or an archive cannot be read.
    pub(super) fn read(paths: &[PathBuf], coverage: &Coverage) -> Result<Sources, String> {
        let mut sources = Sources::default();
        if paths.is_empty() {
            return Ok(sources);
        }
        let files = |image: &ImageCoverage| -> BTreeSet<String> {
            own_files(image.modules.values()).into_iter().map(str::to_owned).collect()
        };
        let wanted: BTreeSet<String> = coverage.images.values().flat_map(files).collect();
        if wanted.is_empty() {
            sources.missing.push("no lines of source are known yet: give --debug, too".to_owned());
            return Ok(sources);
        }
        for path in paths {
            let tree = Tree::read(path, &wanted)?;
            let mut used = false;
            for (name, image) in &coverage.images {
                if tree.version.as_ref().is_some_and(|it| !it.is_of(&image.kernel)) {
                    continue;
                }
                for file in files(image) {
                    if let Some(text) = tree.files.get(&file) {
                        sources.texts.add(name, &file, text.clone());
                        used = true;
                    }
                }
            }
            if !used {
                sources.missing.push(tree.is_of_no_use(path));
            }
        }
        Ok(sources)
    }
}

/// Files of a tree.
#[derive(Debug, Default)]
struct Tree {
    /// `None` if it is no kernel's: that of a module of one's own.
    version: Option<Version>,
    /// By path from the top.
    files: BTreeMap<String, String>,
}

/// A kernel's version: the two numbers that are in the name of its release whoever has built it.
#[derive(Debug, PartialEq, Eq)]
struct Version(String);

impl Version {
    fn of(makefile: &str) -> Option<Version> {
        let number = |name: &str| {
            let mut values = makefile.lines().filter_map(|line| line.split_once('='));
            let (_, value) = values.find(|(key, _)| key.trim() == name)?;
            value.trim().parse::<u32>().ok()
        };
        Some(Version(format!("{}.{}", number("VERSION")?, number("PATCHLEVEL")?)))
    }

    fn is_of(&self, release: &str) -> bool {
        let rest = release.strip_prefix(&self.0);
        rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
    }
}

impl Tree {
    fn read(path: &Path, wanted: &BTreeSet<String>) -> Result<Tree, String> {
        let mut picked = Picked { wanted, files: BTreeMap::new() };
        if path.is_dir() {
            let cannot = |error| format!("cannot read {}: {error}", path.display());
            let top = path.canonicalize().map_err(cannot)?;
            for file in wanted.iter().map(String::as_str).chain([MAKEFILE]) {
                if let Some(text) = text_below(&top, file) {
                    picked.files.insert(file.to_owned(), text);
                }
            }
        } else {
            search(path, &mut picked).map_err(|error| error.to_string())?;
        }
        let mut files = picked.files;
        let version = files.remove(MAKEFILE).and_then(|makefile| Version::of(&makefile));
        Ok(Tree { version, files })
    }

    fn is_of_no_use(&self, path: &Path) -> String {
        let path = path.display();
        match (&self.version, self.files.is_empty()) {
            (Some(Version(version)), false) => {
                format!(
                    "the sources {path} are those of Linux {version}, which is none of the kernels"
                )
            }
            _ => format!("there are no sources of the modules in {path}"),
        }
    }
}

/// The text of a file of a tree. A name, or a symbolic link, that leads out of the tree leads nowhere.
fn text_below(top: &Path, file: &str) -> Option<String> {
    let path = top.join(file).canonicalize().ok()?;
    if !path.starts_with(top) || !path.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The files that are picked out of an archive.
struct Picked<'w> {
    wanted: &'w BTreeSet<String>,
    files: BTreeMap<String, String>,
}

/// The path of a file in the only directory at the top of an archive of sources.
fn below_the_top(path: &str) -> &str {
    path.split_once('/').map_or("", |(_, below)| below)
}

impl Search for Picked<'_> {
    fn is_wanted(&self, path: &str) -> bool {
        let file = below_the_top(path);
        file == MAKEFILE || self.wanted.contains(file)
    }

    fn take(&mut self, path: &str, mut bytes: Vec<u8>) -> ControlFlow<()> {
        bytes.truncate(LONGEST as usize);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.files.insert(below_the_top(path).to_owned(), text);
        match self.files.len() > self.wanted.len() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn a_tree_is_of_the_kernels_of_its_version() {
        let version = Version::of("# SPDX\nVERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 192\n").unwrap();
        for release in ["6.1.0-57-amd64", "6.1", "6.1-rc3"] {
            assert!(version.is_of(release), "{release}");
        }
        for release in ["6.12.9", "5.6.1", "6.10-rc1"] {
            assert!(!version.is_of(release), "{release}");
        }
        assert_eq!(Version::of("obj-m += mine.o\n"), None);
    }

    #[test]
    fn no_name_and_no_link_leads_out_of_the_tree() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("tree");
        fs::create_dir_all(top.join("drivers/md")).unwrap();
        fs::write(top.join("drivers/md/dm-mpath.c"), "inside").unwrap();
        fs::write(dir.path().join("secret"), "outside").unwrap();
        symlink("../secret", top.join("link.c")).unwrap();
        symlink("drivers/md/dm-mpath.c", top.join("same.c")).unwrap();
        let secret = dir.path().join("secret").display().to_string();
        let top = top.canonicalize().unwrap();
        assert_eq!(text_below(&top, "drivers/md/dm-mpath.c").as_deref(), Some("inside"));
        assert_eq!(text_below(&top, "same.c").as_deref(), Some("inside"));
        for file in ["link.c", "../secret", "drivers/../../secret", secret.as_str(), "drivers", ""]
        {
            assert_eq!(text_below(&top, file), None, "{file}");
        }
    }
}
