use super::*;
use crate::image::{
    kernel::vmlinux,
    modules::{WANTED, add_modules, collect},
};

const RELEASE: &str = "6.1.0-own";

/// Builds a package with these files; `None` without dpkg-deb.
fn package(dir: &Path, name: &str, depends: &str, files: &[&str]) -> Option<PathBuf> {
    let program = programs::find("dpkg-deb").ok()?;
    let tree = dir.join(name);
    let write = |path: PathBuf, text: &str| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let control = format!(
        "Package: {name}\nVersion: 1\nArchitecture: amd64\nMaintainer: a <a@b.c>\nDepends: {depends}\n\
         Description: x\n"
    );
    write(tree.join("DEBIAN/control"), &control);
    for file in files {
        write(tree.join(file.replace("RELEASE", RELEASE)), file);
    }
    let out = dir.join(format!("{name}.deb"));
    let made = Command::new(program).arg("-b").args([&tree, &out]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    Some(out)
}

const KERNEL: &str = "usr/lib/modules/RELEASE/vmlinuz";
const MODULE: &str = "usr/lib/modules/RELEASE/kernel/a.ko.xz";
const LIST: &str = "usr/lib/modules/RELEASE/modules.builtin";

#[test]
fn a_kernel_is_one_package_or_several() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, files: &[&str]| package(dir.path(), name, "kmod", files);
    let old = ["boot/vmlinuz-RELEASE", "boot/config-RELEASE", "lib/modules/RELEASE/kernel/a.ko"];
    let old = [&old[..], &["lib/modules/RELEASE/modules.builtin"]].concat();
    let Some(whole) = make("linux-image-6.1", &old) else { return };
    let split = [
        make("linux-binary-7.0", &[KERNEL]).unwrap(),
        make("linux-base-7.0", &[LIST, "usr/lib/modules/RELEASE/config"]).unwrap(),
        make("linux-modules-7.0", &[MODULE]).unwrap(),
    ];
    for packages in [&[whole][..], &split[..]] {
        let found = open(packages, &dir.path().join("scratch")).unwrap();
        assert_eq!((found.release.as_str(), found.headers), (RELEASE, None));
        assert!(String::from_utf8_lossy(&found.kernel).contains("vmlinuz"));
        assert!(found.config.contains("config"));
        let modules = found.modules.files().unwrap();
        assert!(modules.iter().any(|file| file.starts_with("kernel/a.ko")), "{modules:?}");
    }
}

#[test]
fn headers_that_are_given_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, files: &[&str]| package(dir.path(), name, "kmod", files);
    let Some(kernel) = make("linux-image-6.1", &[KERNEL, MODULE, LIST]) else { return };
    let headers = make("linux-headers-6.1", &["usr/src/linux-headers-RELEASE/Makefile"]).unwrap();
    let kbuild = make("linux-kbuild-6.1", &["usr/lib/linux-kbuild-6.1/scripts/x"]).unwrap();
    let packages = [kernel, headers.clone(), kbuild.clone()];
    let found = open(&packages, &dir.path().join("scratch")).unwrap();
    assert_eq!(found.headers, Some(Headers::Packages(vec![headers, kbuild])));
}

#[test]
fn what_is_missing_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let depends = "linux-base (>= 4), linux-image-6.1.0-1-amd64 (= 1) | x, dracut";
    let make = |name: &str, files: &[&str]| package(dir.path(), name, depends, files);
    let Some(meta) = make("linux-image-amd64", &[]) else { return };
    let binary = make("linux-binary", &[KERNEL]).unwrap();
    let modules = make("linux-modules", &[MODULE]).unwrap();
    let cases = [
        (vec![meta], "give the packages that it needs (linux-image-6.1.0-1-amd64)"),
        (vec![binary.clone()], "no modules: give linux-modules-6.1.0-own, too"),
        (vec![modules.clone()], "no kernel: give linux-image-6.1.0-own (since 6.19: linux-binary"),
        (vec![binary, modules], "no modules.builtin: give linux-base-6.1.0-own, too"),
    ];
    for (packages, part) in cases {
        let why = open(&packages, &dir.path().join("scratch")).unwrap_err().to_string();
        assert!(why.contains(part), "{why:?} does not say {part:?}");
    }
}

#[test]
fn what_is_no_package_or_damaged_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let Some(good) = package(dir.path(), "linux-image-x", "", &[KERNEL, MODULE, LIST]) else {
        return;
    };
    let whole = fs::read(&good).unwrap();
    let bad = dir.path().join("bad.deb");
    let mut changed = whole.clone();
    let middle = changed.len() - 60;
    changed[middle..].fill(0x55);
    for bytes in [b"no package".to_vec(), whole[..whole.len() / 2].to_vec(), changed] {
        fs::write(&bad, bytes).unwrap();
        let error = open(std::slice::from_ref(&bad), &dir.path().join("scratch")).unwrap_err();
        let why = error.to_string();
        assert!(why.starts_with(&format!("the package {}", bad.display())), "{why}");
    }
    let nowhere = open(&["/nowhere/x.deb".into()], &dir.path().join("scratch")).unwrap_err();
    assert!(nowhere.to_string().starts_with("cannot read /nowhere/x.deb"), "{nowhere}");
}

/// What packages may hold: the files that dpkg-deb has unpacked, as a tar archive, are a kernel with modules that can
/// be used, or are refused.
fn unpacked(bytes: &[u8]) {
    let mut scratch = tempfile::NamedTempFile::new().unwrap();
    scratch.write_all(bytes).unwrap();
    let found =
        find(scratch.path(), Path::new("x.deb"), &DEBIAN, || "there is no kernel in it".into());
    let Ok(found) = found else { return };
    if let Ok(modules) = collect(&*found.modules, WANTED) {
        let files = modules.into_iter().map(|module| (module.path, module.elf)).collect();
        let all = found.modules.files().unwrap();
        let further = all.into_iter().filter_map(|file| {
            let bytes = found.modules.read(&file).ok()?;
            Some((file, bytes))
        });
        let _ = add_modules(files, further.collect());
    }
    let _ = vmlinux(found.kernel);
}

#[test]
fn no_bytes_in_packages_make_it_panic() {
    sansim_fuzz::fuzz("debs", unpacked);
}
