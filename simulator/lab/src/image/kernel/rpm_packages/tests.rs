use std::{
    io::{self as stdio},
    process::Command,
    thread,
};

use super::*;

const RELEASE: &str = "6.1.0-own";
const KERNEL: &str = "lib/modules/RELEASE/vmlinuz";
const CONFIG: &str = "lib/modules/RELEASE/config";
const LIST: &str = "lib/modules/RELEASE/modules.builtin";
const MODULE: &str = "lib/modules/RELEASE/kernel/a.ko.xz";

/// A package to build.
struct Spec<'a> {
    name: &'a str,
    /// Lines of the spec file, such as `Requires: x`.
    lines: &'a [&'a str],
    files: &'a [&'a str],
    /// The macro that says how it is packed.
    payload: &'a str,
}

impl Default for Spec<'_> {
    fn default() -> Self {
        Spec { name: "kernel-core", lines: &[], files: &[], payload: "w2.zstdio" }
    }
}

/// Builds a package; `None` without rpmbuild, which is said.
fn package(dir: &Path, spec: &Spec<'_>) -> Option<PathBuf> {
    if Command::new("rpmbuild").arg("--version").output().is_err() {
        let thread = thread::current();
        let test = thread.name().unwrap_or("a test");
        let _ = writeln!(
            stdio::stderr(),
            "\nSKIPPED: {test}: rpmbuild is not installed. On Debian: apt-get install rpm"
        );
        return None;
    }
    let top = dir.join(spec.name);
    let root = top.join("files");
    fs::create_dir_all(&root).unwrap();
    for file in spec.files {
        let path = root.join(file.replace("RELEASE", RELEASE));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    let (name, root, lines) = (spec.name, root.display(), spec.lines.join("\n"));
    let files: Vec<String> =
        spec.files.iter().map(|file| format!("/{}", file.replace("RELEASE", RELEASE))).collect();
    let text = format!(
        "Name: {name}\nVersion: 6.1.0\nRelease: own\nSummary: x\nLicense: x\nAutoReqProv: no\n{lines}\n\
         %description\nx\n%install\nmkdir -p %{{buildroot}}\ncp -a {root}/. %{{buildroot}}\n\
         %files\n{}\n",
        files.join("\n")
    );
    let file = top.join("package.spec");
    fs::write(&file, text).unwrap();
    let define = |name: &str, value: &str| ["--define".to_owned(), format!("{name} {value}")];
    let made = Command::new("rpmbuild")
        .arg("-bb")
        .args(["--target", "x86_64"])
        .args(define("_topdir", &top.display().to_string()))
        .args(define("_binary_payload", spec.payload))
        .args(define("__os_install_post", "%{nil}"))
        .args(define("debug_package", "%{nil}"))
        .arg(&file)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    Some(top.join(format!("RPMS/x86_64/{name}-6.1.0-own.x86_64.rpm")))
}

/// The error of these packages.
fn refused(dir: &Path, packages: &[PathBuf]) -> String {
    open(packages, &dir.join("scratch")).unwrap_err().to_string()
}

#[test]
fn a_kernel_is_one_package_or_several_however_they_are_packed() {
    let dir = tempfile::tempdir().unwrap();
    let (core, modules) = ([KERNEL, CONFIG, LIST], [MODULE]);
    let usr: Vec<String> =
        [&core[..], &modules].concat().iter().map(|it| format!("usr/{it}")).collect();
    let usr: Vec<&str> = usr.iter().map(String::as_str).collect();
    for payload in ["w2.gzdio", "w2.xzdio", "w2.zstdio"] {
        let make =
            |name, files| package(dir.path(), &Spec { name, files, payload, ..Spec::default() });
        let Some(whole) = make("kernel-default", &usr[..]) else { return };
        let split = [
            make("kernel-core", &core[..]).unwrap(),
            make("kernel-modules-core", &modules).unwrap(),
        ];
        assert!(is_package(&whole));
        for packages in [&[whole][..], &split[..]] {
            let found = open(packages, &dir.path().join("scratch")).unwrap();
            assert_eq!(found.release, RELEASE);
            assert!(String::from_utf8_lossy(&found.kernel).ends_with("vmlinuz"));
            assert!(found.config.ends_with("config"));
            let files = found.modules.files().unwrap();
            assert!(files.iter().any(|file| file == "kernel/a.ko.xz"), "{files:?}");
        }
    }
}

#[test]
fn what_is_missing_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let make =
        |name, lines, files| package(dir.path(), &Spec { name, lines, files, ..Spec::default() });
    let needs = &[
        "Provides: kernel-core-uname-r = 6.1.0-own",
        "Requires: kernel-modules-core-uname-r = 6.1.0-own",
    ][..];
    let Some(core) = make("kernel-core", needs, &[KERNEL, LIST]) else { return };
    let extra = &["Requires: kernel-modules-core-uname-r = 6.1.0-own"][..];
    let extra = make("kernel-modules", extra, &[MODULE]).unwrap();
    let bare = make("kernel", &["Requires: kernel-core-uname-r = 6.1.0-own"], &[]).unwrap();
    let headers = make("headers", &[], &[]).unwrap();
    let cases = [
        (vec![core.clone()], "no modules: give kernel-modules-core-6.1.0-own and"),
        (
            vec![core, extra.clone()],
            "the packages need kernel-modules-core-6.1.0-own: give it, too",
        ),
        (
            vec![extra],
            "modules, but no kernel: give kernel-core-6.1.0-own (openSUSE: kernel-default)",
        ),
        (vec![bare], "give the packages that it needs (kernel-core-6.1.0-own)"),
        (vec![headers], "kernel-core (Fedora) or kernel-default (openSUSE) is the package"),
    ];
    for (packages, part) in cases {
        let why = refused(dir.path(), &packages);
        assert!(why.contains(part), "{why:?} does not say {part:?}");
    }
}

#[test]
fn what_is_no_package_or_damaged_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let files = &[KERNEL, LIST, MODULE];
    let Some(good) = package(dir.path(), &Spec { files, ..Spec::default() }) else { return };
    let whole = fs::read(&good).unwrap();
    let bad = dir.path().join("bad.rpm");
    let end = whole.len();
    let changed = |at: usize| {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        changed
    };
    // The first half of a small package is room for signatures, which no digest covers.
    let cases = [
        b"no package".to_vec(),
        whole[..end / 2].to_vec(),
        changed(end - 9),
        changed(end * 7 / 8),
        changed(97),
    ];
    for bytes in cases {
        fs::write(&bad, bytes).unwrap();
        let why = refused(dir.path(), std::slice::from_ref(&bad));
        assert!(why.starts_with(&format!("the package {} cannot be used", bad.display())), "{why}");
    }
    assert!(
        refused(dir.path(), &["/nowhere/x.rpm".into()]).starts_with("cannot read /nowhere/x.rpm")
    );
}

/// A package with these bytes is a kernel, or refused; and so is one whose digests are right.
fn parsed(bytes: &[u8]) {
    let Ok(package) = header::check(bytes)
        .and_then(|()| Package::parse(&mut &bytes[..]).map_err(|error| error.to_string()))
    else {
        return;
    };
    let _ = package.verify_digests();
    let mut names = Names::default();
    names.see(&package.metadata);
    let _ = (names.no_kernel(), package.metadata.get_arch().is_ok());
    let mut room = 1 << 20;
    let _ = unpack(&package, &mut tar::Builder::new(stdio::sink()), &mut room);
}

#[test]
fn no_bytes_in_a_package_make_it_panic() {
    sansim_fuzz::fuzz("rpms", parsed);
}
