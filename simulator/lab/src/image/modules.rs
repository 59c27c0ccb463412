//! The modules for the guest: the wanted ones with their dependencies, and the bundled ones.

mod bundled;
mod headers;
mod modinfo;
mod strip;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    io,
    path::{Path, PathBuf},
};

pub use bundled::is_bundled_module;
pub(crate) use bundled::{BundledModules, bundled_modules_dirs};
pub(crate) use headers::{HEADERS, Headers, hook};
use modinfo::{ModInfo, module_name};
use strip::without_debug_information;

use super::decompress::{Compression, decompress};

/// Modules that a guest may need. One that a kernel lacks is built in, or does not exist in that version.
pub(crate) const WANTED: &[&str] = &[
    // PCI and virtio devices.
    "virtio_pci",
    "virtio_console",
    "virtio_blk",
    "virtio_scsi",
    // The userland and its file systems.
    "squashfs",
    "overlay",
    // SCSI, with device handlers.
    "scsi_mod",
    "sd_mod",
    "sg",
    "scsi_debug",
    "scsi_dh_rdac",
    "scsi_dh_emc",
    "scsi_dh_hp_sw",
    "scsi_dh_alua",
    // The device-mapper with its path selectors.
    "dm_mod",
    "dm_multipath",
    "dm_service_time",
    "dm_queue_length",
    "dm_round_robin",
    "dm_historical_service_time",
    "dm_io_affinity",
    // Requested by alias, so no module depends on them: crypto-crct10dif and the like.
    "crct10dif_generic",
    "crct10dif_common",
    "crct10dif_pclmul",
    "crc_t10dif",
    "crc64_rocksoft",
    "crc64_rocksoft_generic",
    "crc32c_generic",
    "crc32c_intel",
];

/// Longest chain of dependencies. Those of real kernels have some ten modules.
const DEEPEST: usize = 100;
/// Most bytes of an uncompressed module.
const LARGEST_MODULE: u64 = 1 << 28;

/// Whether every image has this module, if its kernel has it.
pub fn is_usual_module(name: &str) -> bool {
    is_bundled_module(name) || WANTED.contains(&name.replace('-', "_").as_str())
}

/// A directory of modules (`lib/modules/RELEASE`): on the host, in an archive or in memory.
pub(crate) trait ModuleSource {
    /// All files, by path in the directory.
    fn files(&self) -> io::Result<Vec<String>>;
    /// The contents of a file, compressed or not.
    fn read(&self, file: &str) -> io::Result<Vec<u8>>;
}

/// A module for the guest: uncompressed, and without debug information.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Module {
    /// The module's name, with underscores.
    pub(crate) name: String,
    /// Path in `lib/modules/RELEASE`, without a compression suffix.
    pub(crate) path: String,
    /// Contents of the file.
    pub(crate) elf: Vec<u8>,
    info: ModInfo,
}

/// The wanted modules and all their dependencies, dependencies first.
///
/// # Errors
/// A sentence that names the module: it cannot be read, or a dependency is missing.
pub(crate) fn collect(source: &dyn ModuleSource, wanted: &[&str]) -> Result<Vec<Module>, String> {
    let files = source.files().map_err(|e| format!("they cannot be listed: {e}"))?;
    let by_name: BTreeMap<String, String> = files
        .into_iter()
        .filter(|file| is_module(file))
        .map(|file| (module_name(&file), file))
        .collect();
    if by_name.is_empty() {
        return Err("there are none".into());
    }
    let mut walk = Walk { source, by_name, seen: BTreeSet::new(), found: Vec::new(), depth: 0 };
    for name in wanted {
        walk.visit(&module_name(name), None)?;
    }
    Ok(walk.found)
}

/// The names of the modules that are not among the collected ones, sorted.
///
/// # Errors
/// A sentence: they cannot be listed.
pub(crate) fn left_out(
    source: &dyn ModuleSource,
    collected: &[Module],
) -> Result<Vec<String>, String> {
    let files = source.files().map_err(|e| format!("they cannot be listed: {e}"))?;
    let all = files.iter().filter(|file| is_module(file)).map(|file| module_name(file));
    let mut all: BTreeSet<String> = all.collect();
    for module in collected {
        all.remove(&module.name);
    }
    Ok(all.into_iter().collect())
}

/// Whether a file is a module, compressed or not, by its name.
pub(crate) fn is_module(file: &str) -> bool {
    [".ko", ".ko.gz", ".ko.xz", ".ko.zst"].iter().any(|end| file.ends_with(end))
}

struct Walk<'a> {
    source: &'a dyn ModuleSource,
    by_name: BTreeMap<String, String>,
    seen: BTreeSet<String>,
    found: Vec<Module>,
    /// The modules that wait for their dependencies.
    depth: usize,
}

impl Walk<'_> {
    /// Adds a module after its dependencies. `by` is the module that needs it; without `by` it may be
    /// missing.
    fn visit(&mut self, name: &str, by: Option<&str>) -> Result<(), String> {
        if self.seen.contains(name) {
            return Ok(());
        }
        let Some(file) = self.by_name.get(name).cloned() else {
            return match by {
                Some(by) => Err(format!("{by} needs {name}, which is not there")),
                None => Ok(()),
            };
        };
        self.seen.insert(name.to_owned());
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("{name} is needed by a chain of more than {DEEPEST} modules"));
        }
        let module = self.read(name, &file)?;
        for dependency in &module.info.depends {
            self.visit(dependency, Some(name))?;
        }
        let soft: Vec<String> = module.info.soft_names().collect();
        for dependency in soft {
            self.visit(&dependency, None)?;
        }
        self.depth -= 1;
        self.found.push(module);
        Ok(())
    }

    fn read(&self, name: &str, file: &str) -> Result<Module, String> {
        let packed = self.source.read(file).map_err(|e| format!("{file}: {e}"))?;
        let elf = match Compression::of(&packed) {
            Some(how) => {
                decompress(how, &packed, LARGEST_MODULE).map_err(|e| format!("{file}: {e}"))?
            }
            None => packed,
        };
        let elf = without_debug_information(elf).map_err(|why| format!("{file}: {why}"))?;
        let info = ModInfo::of(&elf).map_err(|why| format!("{file}: {why}"))?;
        let stem = file.split(".ko").next().unwrap_or(file);
        Ok(Module { name: name.to_owned(), path: format!("{stem}.ko"), elf, info })
    }
}

/// Adds modules to the files of a directory, in place of those with the same name, and creates a common
/// index.
///
/// # Errors
/// As [`collect`].
pub(crate) fn add_modules(
    mut files: BTreeMap<String, Vec<u8>>,
    further: BTreeMap<String, Vec<u8>>,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let names: BTreeSet<String> = further.keys().map(|file| module_name(file)).collect();
    files.retain(|file, _| !is_module(file) || !names.contains(&module_name(file)));
    files.extend(further);
    let all = files.keys().filter(|file| is_module(file)).map(|file| module_name(file));
    let all: Vec<String> = all.collect();
    let modules = collect(&files, &all.iter().map(String::as_str).collect::<Vec<_>>())?;
    let index = index_files(&modules);
    files.retain(|file, _| !is_module(file));
    files.extend(modules.into_iter().map(|module| (module.path, module.elf)));
    files.extend(index.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())));
    Ok(files)
}

/// Files in memory, by path.
impl ModuleSource for BTreeMap<String, Vec<u8>> {
    fn files(&self) -> io::Result<Vec<String>> {
        Ok(self.keys().cloned().collect())
    }

    fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        self.get(file).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// The index files that depmod would write: `modules.dep`, `modules.alias`, `modules.softdep`.
pub(crate) fn index_files(modules: &[Module]) -> Vec<(&'static str, String)> {
    let (mut dep, mut alias, mut softdep) = (String::new(), String::new(), String::new());
    for module in modules {
        let _ = writeln!(dep, "{}:{}", module.path, dependencies(module, modules));
        for pattern in &module.info.aliases {
            let _ = writeln!(alias, "alias {pattern} {}", module.name);
        }
        for text in &module.info.softdeps {
            let _ = writeln!(softdep, "softdep {} {text}", module.name);
        }
    }
    vec![("modules.dep", dep), ("modules.alias", alias), ("modules.softdep", softdep)]
}

/// All dependencies of a module in the order of `modules.dep`: those to be loaded first are last.
fn dependencies(module: &Module, modules: &[Module]) -> String {
    let mut needed: BTreeSet<&str> = module.info.depends.iter().map(String::as_str).collect();
    let mut text = String::new();
    // In `modules` dependencies precede dependents, so a single backward pass finds all.
    for candidate in modules.iter().rev() {
        if needed.contains(candidate.name.as_str()) {
            needed.extend(candidate.info.depends.iter().map(String::as_str));
            text.push(' ');
            text.push_str(&candidate.path);
        }
    }
    text
}

/// A directory of modules on the host.
#[derive(Debug)]
pub(crate) struct ModuleDir {
    dir: PathBuf,
}

impl ModuleDir {
    /// The modules directory of a base, without any check.
    pub(crate) fn at(dir: &Path) -> ModuleDir {
        ModuleDir { dir: dir.to_owned() }
    }

    /// Finds the directory: `dir` itself, or the only directory below it (or below its `lib/modules`) that
    /// contains `kernel`.
    pub(crate) fn find(dir: &Path) -> Result<ModuleDir, String> {
        if dir.join("kernel").is_dir() {
            return Ok(ModuleDir { dir: dir.to_owned() });
        }
        let mut found = Vec::new();
        for above in [dir.to_owned(), dir.join("lib/modules"), dir.join("usr/lib/modules")] {
            let Ok(entries) = std::fs::read_dir(&above) else { continue };
            let below = entries.flatten().map(|entry| entry.path());
            found.extend(below.filter(|path| path.join("kernel").is_dir()));
        }
        match &found[..] {
            [one] => Ok(ModuleDir { dir: one.clone() }),
            [] => Err(format!("{} holds no modules (lib/modules/RELEASE/kernel)", dir.display())),
            _ => Err(format!("{} holds the modules of several kernels: name one", dir.display())),
        }
    }

    /// The kernel's release, which is the directory's name.
    pub(crate) fn release(&self) -> Result<String, String> {
        let full = self.dir.canonicalize().map_err(|e| format!("{}: {e}", self.dir.display()))?;
        let name = full.file_name().ok_or("its directory has no name")?;
        Ok(name.to_string_lossy().into_owned())
    }

    /// The tree in which these modules were built, or the kernel's headers, if they are installed.
    pub(crate) fn headers(&self) -> Option<Headers> {
        let build = self.dir.join("build");
        build.is_dir().then_some(Headers::Tree(build))
    }

    fn walk(&self, below: &Path, into: &mut Vec<String>) -> io::Result<()> {
        for entry in std::fs::read_dir(self.dir.join(below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            // `build` and `source` are symbolic links out of the directory; links are not followed.
            if entry.file_type()?.is_dir() {
                self.walk(&path, into)?;
            } else {
                into.push(path.to_string_lossy().into_owned());
            }
        }
        Ok(())
    }
}

impl ModuleSource for ModuleDir {
    fn files(&self) -> io::Result<Vec<String>> {
        let mut files = Vec::new();
        self.walk(Path::new(""), &mut files)?;
        files.sort();
        Ok(files)
    }

    fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.dir.join(file))
    }
}

#[cfg(test)]
mod tests;
