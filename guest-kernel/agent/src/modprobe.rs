//! Loads kernel modules: for the lab's calls, and as the guest's `/sbin/modprobe`.

mod glob;
mod index;
mod params;

use std::collections::HashSet;
use std::ffi::CString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::io::Errno;
use rustix::system::{finit_module, uname};
use sansim_protocol::{FailureKind, USERLAND};

use crate::fail::{Doing, Failure, Result};
use index::{Index, Name};

/// `MODULE_INIT_COMPRESSED_FILE` of finit_module(2): the kernel decompresses the file (since Linux 5.17).
const COMPRESSED_FILE: i32 = 4;

/// The modules of the running kernel, and how to find them.
pub(crate) struct Modules {
    /// The depmod indexes: of the initramfs, then of the userland if it is mounted.
    indexes: Vec<Index>,
    /// The kernel's command line, which carries module parameters (`scsi_mod.scan=manual`). The kernel
    /// itself applies only those of built-in code.
    command_line: String,
}

/// What came of the modules of an alias. Like kmod, all are tried: several can drive the same, as crc32c_intel
/// and crc32c_generic, and one of them suffices.
#[derive(Default)]
struct Tried {
    any_loaded: bool,
    failed: Option<Failure>,
}

impl Tried {
    fn with(&mut self, loaded: Result<()>) {
        match loaded {
            Ok(()) => self.any_loaded = true,
            Err(error) => drop(self.failed.get_or_insert(error)),
        }
    }

    /// Success if any was loaded, else the first failure; `None` if there was none to try.
    fn result(self) -> Option<Result<()>> {
        if self.any_loaded { Some(Ok(())) } else { self.failed.map(Err) }
    }
}

impl Modules {
    /// Reads the depmod indexes and the kernel's command line.
    pub(crate) fn open() -> Result<Modules> {
        let release = release();
        let dirs = ["/lib/modules".to_owned(), format!("{USERLAND}/lib/modules")];
        let dirs = dirs.iter().map(|dir| Path::new(dir).join(&release));
        let dirs: Vec<PathBuf> = dirs.filter(|dir| dir.exists()).collect();
        // A kernel with everything built in has no such directory.
        let indexes = dirs.iter().map(|dir| Index::read(dir)).collect::<Result<_>>()?;
        let command_line = fs::read_to_string("/proc/cmdline").unwrap_or_default();
        Ok(Modules { indexes, command_line })
    }

    /// Loads a module by name or alias, with its dependencies. Parameters may follow the name. A module
    /// that is loaded or built in already is no error.
    pub(crate) fn load(&self, request: &str) -> Result<()> {
        let (name, parameters) = request.trim().split_once(' ').unwrap_or((request.trim(), ""));
        self.load_with(name, parameters.trim(), &mut HashSet::new())
    }

    fn load_with(&self, name: &str, parameters: &str, seen: &mut HashSet<Name>) -> Result<()> {
        let module = Name::of(name);
        if is_live(&module) || self.indexes.iter().any(|index| index.is_builtin(&module)) {
            return Ok(());
        }
        let mut tried = Tried::default();
        for index in &self.indexes {
            if index.files(&module).is_some() {
                return self.load_module(index, &module, parameters, seen);
            }
            for module in index.aliased(name) {
                tried.with(self.load_module(index, &module, parameters, seen));
            }
        }
        tried.result().unwrap_or_else(|| {
            let why = format!("kernel {} has no module {name}", release());
            Err(Failure { kind: FailureKind::NoModule, why })
        })
    }

    fn load_module(
        &self,
        index: &Index,
        module: &Name,
        parameters: &str,
        seen: &mut HashSet<Name>,
    ) -> Result<()> {
        if !seen.insert(module.clone()) {
            return Ok(());
        }
        let files = index.files(module).ok_or_else(|| {
            Failure::new(format!("module {} is an alias's, but not here", module.as_str()))
        })?;
        let soft = index.soft(module);
        for name in &soft.before {
            // A soft dependency that fails to load is ignored.
            let _ = self.load_with(name, "", seen);
        }
        for file in &files {
            let name = Name::of(&file.to_string_lossy());
            let own = if name == *module { parameters } else { "" };
            let from_boot = params::of_module(&self.command_line, name.as_str());
            insert(file, &name, [&*from_boot, own].join(" ").trim())?;
        }
        for name in &soft.after {
            let _ = self.load_with(name, "", seen);
        }
        Ok(())
    }
}

/// The kernel release, as in `uname -r`.
pub(crate) fn release() -> String {
    uname().release().to_string_lossy().into_owned()
}

/// Whether a module is loaded and initialised (`initstate` is `live`).
fn is_live(name: &Name) -> bool {
    let state = fs::read_to_string(format!("/sys/module/{}/initstate", name.as_str()));
    state.is_ok_and(|state| state.trim() == "live")
}

/// Loads one module file with finit_module(2).
fn insert(file: &PathBuf, name: &Name, parameters: &str) -> Result<()> {
    if is_live(name) {
        return Ok(());
    }
    let name = name.as_str();
    let open = File::open(file).doing(|| format!("open module {}", file.display()))?;
    let parameters = CString::new(parameters).doing(|| format!("pass parameters to {name}"))?;
    let compressed = file.extension().is_some_and(|extension| extension != "ko");
    let flags = if compressed { COMPRESSED_FILE } else { 0 };
    match finit_module(&open, &parameters, flags) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(Failure::new(format!("cannot load module {name}: {errno}"))),
    }
}

/// `/sbin/modprobe -q -- NAME…`, as the kernel calls it (`kmod.c:call_modprobe`).
pub(crate) fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    let quiet = arguments.iter().any(|argument| argument == "-q");
    let names = arguments.iter().filter(|argument| !argument.starts_with('-'));
    let loaded = Modules::open()
        .and_then(|modules| names.into_iter().try_for_each(|name| modules.load(name)));
    match loaded {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !quiet {
                eprintln!("modprobe: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_module_of_an_alias_suffices() {
        let tried = |results: &[bool]| {
            let mut tried = Tried::default();
            for (number, ok) in results.iter().enumerate() {
                let failed = || Err(Failure::new(format!("number {number}")));
                tried.with(if *ok { Ok(()) } else { failed() });
            }
            tried.result().map(|result| result.map_err(|error| error.to_string()))
        };
        assert_eq!(tried(&[]), None);
        assert_eq!(tried(&[false, true, false]), Some(Ok(())));
        assert_eq!(tried(&[false, false]), Some(Err("number 0".to_owned())));
    }
}
