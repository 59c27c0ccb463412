//! The kernel's headers, as the packages they come in.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{LabError, Result, host::programs};

/// The directory of a base in which they are kept.
pub(crate) const HEADERS: &str = "headers";
/// What fetching them said.
const LOG: &str = "log";

/// Fetches what a module of the extracted kernel is built with into the directory `$2`. mmdebstrap
/// runs it (hook `extract`) with the root `$1`, so that apt has the configuration, the indexes and
/// the keys with which the kernel itself was fetched. Of what the headers depend on only they
/// themselves and kbuild are wanted, not the compiler. Nothing fails if they cannot be had.
const FETCH: &str = r#"{
    export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
    cd "$2" || exit 0
    for modules in "$1"/usr/lib/modules/*/kernel "$1"/lib/modules/*/kernel; do
        [ -d "$modules" ] && release=$(basename "$(dirname "$modules")")
    done
    headers=linux-headers-$release
    depends=$(apt-cache depends "$headers" |
        sed -n 's/^ *Depends: \(linux-headers-.*\|linux-kbuild-.*\)$/\1/p')
    apt-get -q download "$headers" $depends
} >"$2/log" 2>&1 || true"#;

/// The argument that has mmdebstrap run the hook. Spaces and quotes in `into` do not matter.
pub(crate) fn hook(into: &Path) -> String {
    let quoted = into.display().to_string().replace('\'', r"'\''");
    // The shell that mmdebstrap starts has the root as its $1.
    let fetch = format!("set -- \"$1\" '{quoted}'\n{FETCH}");
    format!("--extract-hook={fetch}")
}

/// The packages that were fetched.
///
/// # Errors
/// A sentence that says why there are none.
pub(crate) fn packages(base: &Path) -> Result<Vec<PathBuf>, String> {
    let dir = base.join(HEADERS);
    let entries = fs::read_dir(&dir).map_err(|_| "the kernel came without headers".to_owned())?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ext| ext == "deb")).collect();
    found.sort();
    if found.is_empty() {
        let log = fs::read_to_string(dir.join(LOG)).unwrap_or_default();
        let last = log.lines().rev().find_map(|line| line.strip_prefix("E: "));
        let why = last.unwrap_or("apt-get did not say why");
        return Err(format!("the kernel's headers could not be fetched: {why}"));
    }
    Ok(found)
}

/// Unpacks them into a directory and lets them find each other there. Answers the directory to give
/// to make.
pub(crate) fn unpack(packages: &[PathBuf], into: &Path, release: &str) -> Result<PathBuf> {
    let program = programs::find("dpkg-deb")?;
    for package in packages {
        let output = std::process::Command::new(&program)
            .arg("-x")
            .args([package, into])
            .output()
            .map_err(LabError::file("cannot run", &program))?;
        programs::check("dpkg-deb", output.status, &output.stderr, into)?;
    }
    let headers = into.join(format!("usr/src/linux-headers-{release}"));
    // Debian's own files name the place where the packages are meant to be installed.
    let here = into.join("usr/src").display().to_string();
    for name in ["Makefile", ".kernelvariables"] {
        let path = headers.join(name);
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let text = text.replace("/usr/src", &here);
        fs::write(&path, text).map_err(LabError::file("cannot write", &path))?;
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_without_headers_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let none = packages(dir.path()).unwrap_err();
        assert_eq!(none, "the kernel came without headers");
        let headers = dir.path().join(HEADERS);
        fs::create_dir(&headers).unwrap();
        fs::write(headers.join(LOG), "Get:1 x\nE: Unable to locate package x\nW: y\n").unwrap();
        let why = packages(dir.path()).unwrap_err();
        assert!(why.ends_with("could not be fetched: Unable to locate package x"), "{why}");
        fs::write(headers.join("b.deb"), "").unwrap();
        fs::write(headers.join("a.deb"), "").unwrap();
        let found = packages(dir.path()).unwrap();
        assert_eq!(found, [headers.join("a.deb"), headers.join("b.deb")]);
    }

    #[test]
    fn the_hook_survives_any_directory_and_never_fails() {
        let dir = tempfile::tempdir().unwrap();
        let into = dir.path().join("a 'b' c");
        fs::create_dir(&into).unwrap();
        let hook = hook(&into);
        let script = hook.strip_prefix("--extract-hook=").unwrap();
        // As mmdebstrap starts it, in a root without a kernel.
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", script, "exec"]).arg(dir.path()).env("PATH", "/nowhere:/bin:/usr/bin");
        shell.env("APT_CONFIG", "/dev/null");
        assert!(shell.output().unwrap().status.success());
        assert!(into.join(LOG).is_file());
    }
}
