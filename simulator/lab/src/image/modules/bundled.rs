//! The bundled kernel modules: the hardware-handler interface of 2007 and its users
//! (`guest-kernel/dm-hw-handler`), compiled for the image's kernel.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use super::Headers;
use crate::{LabError, Result, host::programs};

/// Increase this when the way of compiling changes.
const RECIPE: u32 = 1;

/// The sources, including the Kbuild file.
const SOURCES: &[(&str, &str)] = &[
    ("Kbuild", include_str!("../../../../../guest-kernel/dm-hw-handler/Kbuild")),
    ("dm-hw-handler.h", include_str!("../../../../../guest-kernel/dm-hw-handler/dm-hw-handler.h")),
    ("dm-mpath.h", include_str!("../../../../../guest-kernel/dm-hw-handler/dm-mpath.h")),
    ("dm-hw-handler.c", include_str!("../../../../../guest-kernel/dm-hw-handler/dm-hw-handler.c")),
    ("dm-sansim.c", include_str!("../../../../../guest-kernel/dm-hw-handler/dm-sansim.c")),
    ("dm-hwtest.c", include_str!("../../../../../guest-kernel/dm-hw-handler/dm-hwtest.c")),
];

/// The modules, and the names under which they are requested.
const MODULES: &[(&str, &[&str])] = &[
    ("dm-hw-handler", &["dm_hw_handler"]),
    ("dm-sansim", &["dm_sansim", "scsi_dh_sansim"]),
    ("dm-hwtest", &["dm_hwtest", "scsi_dh_hwtest"]),
];

/// Name of the file that says why the modules are missing; it takes their place.
const LEFT_OUT: &str = "left-out";

/// Whether a module is a bundled one. `module` is its name, or the alias that the kernel requests.
pub fn is_bundled_module(module: &str) -> bool {
    let name = module.replace('-', "_");
    MODULES.iter().any(|(_, names)| names.contains(&name.as_str()))
}

/// The modules, or why they are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BundledModules {
    /// Path in `lib/modules/RELEASE` and ELF file of each module.
    Built(Vec<(String, Vec<u8>)>),
    /// A sentence that says why they could not be built.
    LeftOut(String),
}

impl BundledModules {
    /// The modules from the cache; `None` if they were not compiled yet.
    pub(crate) fn cached(base: &Path) -> Option<BundledModules> {
        let dir = base.join(cache_name());
        if let Ok(why) = fs::read_to_string(dir.join(LEFT_OUT)) {
            return Some(BundledModules::LeftOut(why));
        }
        let files = MODULES.iter().map(|(name, _)| {
            let elf = fs::read(dir.join(format!("{name}.ko"))).ok()?;
            Some((format!("extra/{name}.ko"), elf))
        });
        files.collect::<Option<Vec<_>>>().map(BundledModules::Built)
    }

    /// Compiles the modules. A failure that the user can fix (a missing program) is not cached.
    ///
    /// # Errors
    /// When the base cannot be written.
    pub(crate) fn build(base: &Path, release: &str) -> Result<BundledModules> {
        let part = base.join("own-modules.part");
        let _ = fs::remove_dir_all(&part);
        fs::create_dir(&part).map_err(LabError::file("cannot create", &part))?;
        let compiled = compile(base, &part, release);
        let done = part.join("done");
        fs::create_dir(&done).map_err(LabError::file("cannot create", &done))?;
        let keep = match compiled {
            Err(missing @ LabError::MissingTool { .. }) => {
                let _ = fs::remove_dir_all(&part);
                return Ok(BundledModules::LeftOut(missing.to_string()));
            }
            Err(error @ LabError::DiskFull { .. }) => return Err(error),
            Err(error) => vec![(LEFT_OUT.to_owned(), error.to_string().into_bytes())],
            Ok(Err(why)) => vec![(LEFT_OUT.to_owned(), why.into_bytes())],
            Ok(Ok(files)) => files,
        };
        for (name, bytes) in keep {
            let path = done.join(name);
            fs::write(&path, bytes).map_err(LabError::file("cannot write", &path))?;
        }
        let dir = base.join(cache_name());
        fs::rename(&done, &dir).map_err(LabError::file("cannot create", &dir))?;
        let _ = fs::remove_dir_all(&part);
        prune(base, &dir);
        let lost = || LabError::file("cannot read", &dir)(std::io::ErrorKind::NotFound.into());
        BundledModules::cached(base).ok_or_else(lost)
    }
}

/// Name of the directory in a base for these sources and this host's compiler.
fn cache_name() -> String {
    let programs = ["make", "gcc", "sparse"].map(|program| {
        // The link's target includes the version: /usr/bin/gcc is x86_64-linux-gnu-gcc-12.
        programs::find(program).ok().and_then(|path| path.canonicalize().ok())
    });
    let mut hash = blake3::Hasher::new();
    hash.update(format!("{RECIPE} {SOURCES:?} {programs:?}").as_bytes());
    format!("own-modules-{}", &hash.finalize().to_hex()[..16])
}

/// All directories with compiled modules in a base.
pub(crate) fn bundled_modules_dirs(base: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(base).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| is_compiled(path)).collect()
}

fn is_compiled(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("own-modules-"))
}

/// Removes the modules compiled from other sources.
fn prune(base: &Path, keep: &Path) {
    for path in bundled_modules_dirs(base).iter().filter(|path| *path != keep) {
        let _ = fs::remove_dir_all(path);
    }
}

/// Name and contents of each module, or why they cannot be compiled.
type Compiled = Result<Vec<(String, Vec<u8>)>, String>;

/// Compiles the modules below `part`. Any warning from the compiler, or from sparse if it is installed, is
/// an error.
fn compile(base: &Path, part: &Path, release: &str) -> Result<Compiled> {
    let headers = match Headers::of_base(base) {
        Ok(headers) => headers,
        Err(why) => return Ok(Err(why)),
    };
    // A limitation of kbuild's makefiles.
    if part.to_string_lossy().contains([' ', ':']) {
        let why = "kbuild cannot work below a directory with a space or a colon in its name";
        return Ok(Err(why.to_owned()));
    }
    let make = programs::find("make")?;
    let (unpacked, source) = (part.join("headers"), part.join("source"));
    fs::create_dir(&source).map_err(LabError::file("cannot create", &source))?;
    for (name, text) in SOURCES {
        let path = source.join(name);
        fs::write(&path, text).map_err(LabError::file("cannot write", &path))?;
    }
    let headers = match headers.ready(&unpacked, release)? {
        Ok(dir) => dir,
        Err(why) => return Ok(Err(why)),
    };
    let output =
        kbuild(&make, &headers, &source)?.output().map_err(LabError::file("cannot run", &make))?;
    if let Some(why) = complaint(output.status, &String::from_utf8_lossy(&output.stderr), &source) {
        return Ok(Err(format!("they do not compile for {release}: {why}")));
    }
    let read = |(name, _): &(&str, _)| {
        let name = format!("{name}.ko");
        let path = source.join(&name);
        let elf = fs::read(&path).map_err(LabError::file("cannot read", path))?;
        Ok((name, elf))
    };
    MODULES.iter().map(read).collect::<Result<Vec<_>>>().map(Ok)
}

/// The make command that compiles the modules in `source` with a kernel's headers.
fn kbuild(make: &Path, headers: &Path, source: &Path) -> Result<Command> {
    let mut command = Command::new(make);
    // Environment variables of the user's own kernel build must not interfere.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("LC_ALL", "C").arg("-s").arg("-C").arg(headers);
    command.arg(format!("M={}", source.display()));
    command.arg(format!("CC={}", compiler(headers)?.display()));
    // Debug information would be ten times the size of the rest.
    command.args(["W=1", "KCFLAGS=-Werror -g0"]);
    // BTF is not needed, and generating it requires pahole.
    command.arg("CONFIG_DEBUG_INFO_BTF_MODULES=");
    if let Ok(sparse) = programs::find("sparse") {
        command.arg("C=2").arg(format!("CHECK={}", sparse.display()));
    }
    command.arg("modules");
    Ok(command)
}

/// Why kbuild failed or issued a warning, from its exit status and output; `None` for a clean build.
fn complaint(status: ExitStatus, said: &str, source: &Path) -> Option<String> {
    if let Some(line) = said.lines().find(|line| is_complaint(line, source)) {
        return Some(line.replace(&format!("{}/", source.display()), ""));
    }
    if status.success() {
        return None;
    }
    // The cause comes first; make's own lines come last.
    let cause = said.lines().find(|line| line.contains("error: ") || line.contains("not found"));
    Some(cause.map_or_else(|| programs::tail(said, 5), str::to_owned))
}

/// The compiler that built the kernel, or else the default one.
fn compiler(headers: &Path) -> Result<PathBuf> {
    let variables = fs::read_to_string(headers.join(".kernelvariables")).unwrap_or_default();
    let words = variables.split(|c: char| c.is_whitespace() || c == ')');
    let named =
        words.filter(|word| word.starts_with("gcc-")).find_map(|word| programs::find(word).ok());
    named.map_or_else(|| programs::find("gcc"), Ok)
}

/// Whether a line of output concerns the bundled sources rather than kernel headers.
fn is_complaint(line: &str, source: &Path) -> bool {
    line.starts_with(&*source.to_string_lossy())
        && (line.contains(": warning: ") || line.contains(": error: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_is_known_by_each_of_its_names() {
        for module in ["dm-hw-handler", "dm_sansim", "scsi_dh_sansim", "scsi_dh_hwtest"] {
            assert!(is_bundled_module(module), "{module}");
        }
        assert!(!is_bundled_module("dm_mod") && !is_bundled_module("scsi_dh_rdac"));
        let kbuild = SOURCES[0].1;
        assert!(MODULES.iter().all(|(name, _)| kbuild.contains(&format!("{name}.o"))));
    }

    #[test]
    fn without_headers_they_are_left_out_and_that_is_remembered() {
        let base = tempfile::tempdir().unwrap();
        assert_eq!(BundledModules::cached(base.path()), None);
        let left_out = BundledModules::LeftOut("the kernel came without headers".into());
        assert_eq!(BundledModules::build(base.path(), "6.1").unwrap(), left_out);
        assert_eq!(BundledModules::cached(base.path()), Some(left_out));
        assert!(!base.path().join("own-modules.part").exists());
    }

    #[test]
    fn only_complaints_about_our_own_sources_count() {
        let source = Path::new("/x/source");
        assert!(is_complaint("/x/source/a.c:1:2: warning: unused", source));
        assert!(is_complaint("/x/source/a.c:1:2: error: no", source));
        assert!(!is_complaint("/x/headers/b.h:1:2: warning: unused", source));
        assert!(!is_complaint("warning: the compiler differs", source));
    }

    #[test]
    fn the_kernels_compiler_is_taken_if_it_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let gcc = programs::find("gcc").ok();
        let cc = "CC = $(if $(X),$(CCACHE)) $(CROSS_COMPILE)gcc-999\n";
        fs::write(dir.path().join(".kernelvariables"), cc).unwrap();
        assert_eq!(compiler(dir.path()).ok(), gcc);
    }
}
