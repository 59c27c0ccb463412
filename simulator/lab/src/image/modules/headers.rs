//! The kernel's headers, kept as packages.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{LabError, Result, host::programs};

/// Name of the directory in a base.
pub(crate) const HEADERS: &str = "headers";
/// Name of the file with the output of the download.
const LOG: &str = "log";

/// Downloads the packages needed to compile a module for the extracted kernel into the directory `$2`.
/// mmdebstrap runs it as `extract` hook with the root `$1`, so apt uses the same configuration, indexes and
/// keys as for the kernel. Of the dependencies only headers and kbuild are downloaded, not the compiler.
/// The hook succeeds even if they are unavailable.
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

/// The mmdebstrap option for the hook. `into` may contain spaces and quotes.
pub(crate) fn hook(into: &Path) -> String {
    let quoted = into.display().to_string().replace('\'', r"'\''");
    // mmdebstrap runs the hook with the root as $1.
    let fetch = format!("set -- \"$1\" '{quoted}'\n{FETCH}");
    format!("--extract-hook={fetch}")
}

/// The downloaded packages.
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

/// Unpacks the packages into a directory and adapts their paths to it. Returns the directory for `make -C`.
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
    // Debian's files contain the path where the packages are to be installed.
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
        // As mmdebstrap runs it, in a root without a kernel.
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", script, "exec"]).arg(dir.path()).env("PATH", "/nowhere:/bin:/usr/bin");
        shell.env("APT_CONFIG", "/dev/null");
        assert!(shell.output().unwrap().status.success());
        assert!(into.join(LOG).is_file());
    }
}
