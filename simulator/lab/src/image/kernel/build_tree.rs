//! A kernel's build tree after `make`. Nothing has to be installed.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::FoundKernel;
use crate::{
    LabError, Result,
    image::modules::{Headers, ModuleSource},
};

/// The kernel, compressed and uncompressed.
const BZIMAGE: &str = "arch/x86/boot/bzImage";
const VMLINUX: &str = "vmlinux";
/// The file with the kernel's release.
const RELEASE: &str = "include/config/kernel.release";
/// The file that lists the modules.
const ORDER: &str = "modules.order";

/// Opens the kernel of a build tree (with `O=`, the output directory).
///
/// # Errors
/// `BadKernel`, which names the make target that is missing.
pub(crate) fn open(dir: &Path) -> Result<FoundKernel> {
    let bad = |why| LabError::BadKernel { path: dir.to_owned(), why };
    let release = fs::read_to_string(dir.join(RELEASE))
        .map_err(|_| bad(format!("it is no build tree: there is no {RELEASE}")))?;
    let path = kernel(dir).map_err(bad)?;
    let modules = TreeModules::open(dir).map_err(bad)?;
    let kernel = fs::read(&path).map_err(LabError::file("cannot read", &path))?;
    let config = fs::read_to_string(dir.join(".config")).unwrap_or_default();
    let release = release.trim().to_owned();
    let headers = Some(Headers::Tree(dir.to_owned()));
    Ok(FoundKernel { path, kernel, release, config, modules: Box::new(modules), headers })
}

/// The newer of the two files. If they are equally old, the compressed one, which is smaller.
fn kernel(dir: &Path) -> Result<PathBuf, String> {
    let age = |path: &PathBuf| fs::metadata(path).and_then(|m| m.modified()).ok();
    let (packed, plain) = (dir.join(BZIMAGE), dir.join(VMLINUX));
    match (age(&packed), age(&plain)) {
        (Some(packed_at), plain_at) if packed_at >= plain_at.unwrap_or(SystemTime::UNIX_EPOCH) => {
            Ok(packed)
        }
        (_, Some(_)) => Ok(plain),
        _ => Err(format!("it has neither {BZIMAGE} nor {VMLINUX}: run `make bzImage modules`")),
    }
}

/// The modules in a build tree, next to their sources.
struct TreeModules {
    dir: PathBuf,
    /// The file of each module, by its path after `make modules_install`.
    places: BTreeMap<String, PathBuf>,
}

impl TreeModules {
    fn open(dir: &Path) -> Result<TreeModules, String> {
        let order = fs::read_to_string(dir.join(ORDER))
            .map_err(|_| format!("it has no {ORDER}: run `make bzImage modules`"))?;
        let mut places = BTreeMap::new();
        for line in order.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (place, file) = find(dir, line).ok_or_else(|| {
                format!("{line} is in {ORDER} and was not built: run `make bzImage modules`")
            })?;
            places.insert(place, file);
        }
        Ok(TreeModules { dir: dir.to_owned(), places })
    }
}

/// Path after installation, and file, for a line of `modules.order`. A line names a `.o` since Linux 6.2.
/// Before 5.3 it begins with `kernel/`, which the path in the tree does not; but every tree has a directory
/// of that name.
fn find(dir: &Path, line: &str) -> Option<(String, PathBuf)> {
    let stem = line.strip_suffix(".o").or_else(|| line.strip_suffix(".ko"))?;
    if stem.split('/').any(|part| part == "..") {
        return None;
    }
    let names = [Some(stem), stem.strip_prefix("kernel/")];
    names.into_iter().flatten().find_map(|stem| {
        let file = dir.join(format!("{stem}.ko"));
        file.is_file().then(|| (format!("kernel/{stem}.ko"), file))
    })
}

impl ModuleSource for TreeModules {
    fn files(&self) -> io::Result<Vec<String>> {
        Ok(self.places.keys().cloned().collect())
    }

    fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        // The lists of built-in modules are in the top directory.
        fs::read(self.places.get(file).unwrap_or(&self.dir.join(file)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn what_was_not_made_yet_is_said() {
        let cases: [(&[(&str, &str)], &str); 4] = [
            (&[], "no build tree"),
            (&[(RELEASE, "6.1\n")], "neither arch/x86/boot/bzImage nor vmlinux"),
            (&[(RELEASE, "6.1\n"), (VMLINUX, "elf")], "no modules.order: run `make bzImage"),
            (
                &[(RELEASE, "6.1\n"), (VMLINUX, "elf"), (ORDER, "drivers/a.o\n")],
                "drivers/a.o is in modules.order and was not built",
            ),
        ];
        for (files, part) in cases {
            let why = open(tree(files).path()).unwrap_err().to_string();
            assert!(why.contains(part), "{why:?} does not say {part:?}");
        }
    }

    #[test]
    fn it_is_what_modules_are_compiled_against() {
        let dir = tree(&[(RELEASE, "6.1-own\n"), (BZIMAGE, "packed"), (ORDER, "")]);
        assert_eq!(open(dir.path()).unwrap().headers, Some(Headers::Tree(dir.path().to_owned())));
    }

    #[test]
    fn modules_are_found_by_each_form_of_the_list() {
        let dir = tree(&[
            (RELEASE, "6.1-own\n"),
            (BZIMAGE, "packed"),
            (ORDER, "drivers/a.o\nkernel/b.ko\nkernel/drivers/c.ko\n"),
            ("drivers/a.ko", "a"),
            ("kernel/b.ko", "b"),
            ("drivers/c.ko", "c"),
            ("modules.builtin", "kernel/x.ko\n"),
        ]);
        let found = open(dir.path()).unwrap();
        assert_eq!((found.release.as_str(), &found.kernel[..]), ("6.1-own", &b"packed"[..]));
        let places = found.modules.files().unwrap();
        assert_eq!(places, ["kernel/drivers/a.ko", "kernel/drivers/c.ko", "kernel/kernel/b.ko"]);
        assert_eq!(found.modules.read("kernel/kernel/b.ko").unwrap(), b"b");
        assert_eq!(found.modules.read("modules.builtin").unwrap(), b"kernel/x.ko\n");
    }

    #[test]
    fn the_newer_form_of_the_kernel_is_taken() {
        let dir = tree(&[(BZIMAGE, "packed"), (VMLINUX, "plain")]);
        let touch = |name: &str, seconds: u64| {
            let file = fs::File::options().write(true).open(dir.path().join(name)).unwrap();
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            file.set_modified(time).unwrap();
        };
        for (packed, plain, newer) in [(2, 1, BZIMAGE), (2, 2, BZIMAGE), (2, 3, VMLINUX)] {
            touch(BZIMAGE, packed);
            touch(VMLINUX, plain);
            assert_eq!(kernel(dir.path()), Ok(dir.path().join(newer)));
        }
    }

    #[test]
    fn a_list_that_leads_out_of_the_tree_is_not_followed() {
        let dir = tree(&[("t/x", ""), ("a.ko", "a")]);
        assert_eq!(find(&dir.path().join("t"), "../a.ko"), None);
    }
}
