//! The debug information of modules: found by their build ids in packages, directories and build trees.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::PathBuf,
};

use sansim_coverage::{
    build_id::BuildId,
    coverage::Coverage,
    debug::{BadDebug, LineTable},
};
use sansim_lab::{Search, search};

/// Endings of a module's file with debug information: as it was built or packed, or split off.
const ENDINGS: [&str; 5] = ["", ".gz", ".xz", ".zst", ".debug"];

/// A module whose debug information is wanted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    /// The kernel's release.
    pub(super) kernel: String,
    /// Its name, with underscores.
    pub(super) module: String,
    pub(super) build_id: Option<BuildId>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    tables: BTreeMap<BuildId, LineTable>,
    /// What was not found, in sentences.
    pub(super) missing: Vec<String>,
}

impl Found {
    /// Looks for the debug information of modules.
    ///
    /// # Errors
    /// If a file or directory cannot be read, if what was found is damaged, or if nothing was.
    pub(super) fn search(paths: &[PathBuf], wanted: &BTreeSet<Wanted>) -> Result<Found, String> {
        let mut hunt = Hunt { wanted, tables: BTreeMap::new(), others: BTreeMap::new(), bad: None };
        for path in paths {
            if wanted.iter().all(|it| hunt.has(it)) {
                break;
            }
            search(path, &mut hunt).map_err(|error| error.to_string())?;
            if let Some((file, why)) = hunt.bad.take() {
                return Err(format!("{}: {file}: {why}", path.display()));
            }
        }
        let missing = hunt.missing();
        match hunt.tables.is_empty() && !missing.is_empty() {
            true => Err(missing.join("\n")),
            false => Ok(Found { tables: hunt.tables, missing }),
        }
    }

    /// Says of which lines the blocks are.
    pub(super) fn tell(&self, coverage: &mut Coverage) {
        let modules = coverage.images.values_mut().flat_map(|image| image.modules.values_mut());
        for module in modules {
            if let Some(table) = module.build_id.as_ref().and_then(|it| self.tables.get(it)) {
                module.tell_lines(table);
            }
        }
    }
}

/// The modules of a coverage.
pub(super) fn modules(coverage: &Coverage) -> BTreeSet<Wanted> {
    let images = coverage.images.values();
    images
        .flat_map(|image| {
            image.modules.iter().map(|(module, it)| Wanted {
                kernel: image.kernel.clone(),
                module: module.clone(),
                build_id: it.build_id.clone(),
            })
        })
        .collect()
}

struct Hunt<'w> {
    wanted: &'w BTreeSet<Wanted>,
    tables: BTreeMap<BuildId, LineTable>,
    /// Of modules with such a name, a file that is of another build, or has no debug information.
    others: BTreeMap<String, String>,
    /// A file of a wanted build that cannot be used, and why.
    bad: Option<(String, BadDebug)>,
}

impl Search for Hunt<'_> {
    fn is_wanted(&self, path: &str) -> bool {
        let mut ids = self.wanted.iter().filter_map(|it| it.build_id.as_ref());
        match name_of_module(path) {
            Some(module) => self.wanted.iter().any(|it| it.module == module),
            None => ids.any(|id| is_named_by(path, id)),
        }
    }

    fn take(&mut self, path: &str, bytes: Vec<u8>) -> ControlFlow<()> {
        let id = BuildId::of(&bytes);
        let own = id.filter(|id| self.wanted.iter().any(|it| it.build_id.as_ref() == Some(id)));
        match own.map(|id| (LineTable::read(&bytes), id)) {
            Some((Ok(table), id)) => {
                self.tables.insert(id, table);
            }
            Some((Err(BadDebug::Missing), _)) | None => {
                let module = name_of_module(path).unwrap_or_default();
                self.others.entry(module).or_insert_with(|| path.to_owned());
            }
            Some((Err(why), _)) => {
                self.bad = Some((path.to_owned(), why));
                return ControlFlow::Break(());
            }
        }
        match self.wanted.iter().all(|it| self.has(it)) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Hunt<'_> {
    fn has(&self, wanted: &Wanted) -> bool {
        wanted.build_id.as_ref().is_some_and(|id| self.tables.contains_key(id))
    }

    /// What was not found: a sentence a kernel.
    fn missing(&self) -> Vec<String> {
        let mut missing: BTreeMap<&str, Vec<&Wanted>> = BTreeMap::new();
        for wanted in self.wanted.iter().filter(|it| !self.has(it)) {
            missing.entry(&wanted.kernel).or_default().push(wanted);
        }
        missing.into_iter().map(|(kernel, modules)| self.sentence(kernel, &modules)).collect()
    }

    fn sentence(&self, kernel: &str, modules: &[&Wanted]) -> String {
        let names: Vec<&str> = modules.iter().map(|it| it.module.as_str()).collect();
        let names = names.join(", ");
        if modules.iter().all(|it| it.build_id.is_none()) {
            return format!(
                "it is not known which build of {kernel} the modules {names} are: run with --coverage again"
            );
        }
        let other = modules.iter().find_map(|it| self.others.get(&it.module));
        let other =
            other.map(|path| format!(" ({path} is of another build, or has no debug information)"));
        let other = other.unwrap_or_default();
        format!("no debug information for {names} of {kernel}{other}: {}", what_to_give(kernel))
    }
}

/// The name of the module whose file this is, with underscores; `None` if it is no module's.
fn name_of_module(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let (stem, ending) = name.split_once(".ko")?;
    ENDINGS.contains(&ending).then(|| stem.replace('-', "_"))
}

/// Whether this is the file of a build in a directory of build ids: `.build-id/ab/cdef.debug`.
fn is_named_by(path: &str, id: &BuildId) -> bool {
    let id = id.to_string();
    let mut parts = path.rsplit('/');
    let (name, above) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    name.strip_suffix(".debug").is_some_and(|rest| id == format!("{above}{rest}"))
}

/// Where the debug information of a kernel is to be had.
fn what_to_give(kernel: &str) -> String {
    // Debian's releases end in the flavour: 6.1.0-57-amd64, 6.12.9+deb13-cloud-amd64.
    match kernel.ends_with("-amd64") {
        true => format!("apt-get download linux-image-{kernel}-dbg"),
        false => "give its debug package, or the tree in which it was built".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_modules_are_known_by_their_names() {
        for path in [
            "usr/lib/debug/lib/modules/6.1.0-57-amd64/kernel/drivers/md/dm-multipath.ko",
            "dm_multipath.ko",
            "lib/modules/6.8.5/kernel/drivers/md/dm-multipath.ko.debug",
            "kernel/drivers/md/dm-multipath.ko.zst",
        ] {
            assert_eq!(name_of_module(path).as_deref(), Some("dm_multipath"), "{path}");
        }
        for path in ["drivers/md/dm-multipath.ko.cmd", "drivers/md/dm-multipath.o", "vmlinux"] {
            assert_eq!(name_of_module(path), None, "{path}");
        }
        let id = BuildId::try_from("abcdef".to_owned()).unwrap();
        assert!(is_named_by("usr/lib/debug/.build-id/ab/cdef.debug", &id));
        assert!(!is_named_by("usr/lib/debug/.build-id/ab/cdee.debug", &id));
    }

    #[test]
    fn it_is_said_what_is_missing() {
        let id = || BuildId::try_from("ab".to_owned()).ok();
        let wanted = |kernel: &str, build_id| {
            let module = "dm_multipath".to_owned();
            BTreeSet::from([Wanted { kernel: kernel.to_owned(), module, build_id }])
        };
        for (wanted, said) in [
            (
                wanted("6.1.0-57-amd64", id()),
                "no debug information for dm_multipath of 6.1.0-57-amd64: \
                 apt-get download linux-image-6.1.0-57-amd64-dbg",
            ),
            (
                wanted("6.1.7", id()),
                "no debug information for dm_multipath of 6.1.7: \
                 give its debug package, or the tree in which it was built",
            ),
            (
                wanted("6.1.7", None),
                "it is not known which build of 6.1.7 the modules dm_multipath are: run with --coverage again",
            ),
        ] {
            assert_eq!(Found::search(&[], &wanted).unwrap_err(), said);
        }
    }
}
