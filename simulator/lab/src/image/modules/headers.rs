//! The kernel's headers, with which a module can be compiled.

use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use crate::{LabError, Result, host::programs};

/// Name of the directory in a base.
pub(crate) const HEADERS: &str = "headers";
/// Name of the file with the output of the download.
const LOG: &str = "log";
/// Name of the file with the path of a tree that takes the place of packages.
const TREE: &str = "tree";
/// The file with the release that modules are compiled for. (Debian's `include/config/kernel.release` has another.)
const RELEASE: &str = "include/generated/utsrelease.h";
/// The file with the symbols that modules may use (kbuild/modules.rst).
const SYMBOLS: &str = "Module.symvers";

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

/// What modules can be compiled against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Headers {
    /// Debian packages.
    Packages(Vec<PathBuf>),
    /// A directory for `make -C`, such as a build tree or the `build` of `lib/modules/RELEASE`. It is used where it is.
    Tree(PathBuf),
}

impl Headers {
    /// The headers of a base.
    ///
    /// # Errors
    /// A sentence that says why there are none.
    pub(crate) fn of_base(base: &Path) -> Result<Headers, String> {
        let dir = base.join(HEADERS);
        let entries =
            fs::read_dir(&dir).map_err(|_| "the kernel came without headers".to_owned())?;
        if let Ok(tree) = fs::read(dir.join(TREE)) {
            return Ok(Headers::Tree(OsString::from_vec(tree).into()));
        }
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
        Ok(Headers::Packages(found))
    }

    /// Keeps them in a base: packages are copied, a tree is referred to.
    ///
    /// # Errors
    /// When the base cannot be written.
    pub(crate) fn keep(&self, base: &Path) -> Result<()> {
        let dir = base.join(HEADERS);
        fs::create_dir(&dir).map_err(LabError::file("cannot create", &dir))?;
        match self {
            Headers::Packages(packages) => packages.iter().enumerate().try_for_each(|(n, from)| {
                let to = dir.join(format!("{n}.deb"));
                fs::copy(from, &to).map(drop).map_err(LabError::file("cannot write", &to))
            }),
            Headers::Tree(tree) => {
                let whole = tree.canonicalize().map_err(LabError::file("cannot read", tree))?;
                let to = dir.join(TREE);
                fs::write(&to, whole.as_os_str().as_bytes())
                    .map_err(LabError::file("cannot write", &to))
            }
        }
    }

    /// Makes them ready for the kernel of this release, unpacked into a directory if they are packages. Returns the
    /// directory for `make -C`, or a sentence that says why they cannot be used.
    ///
    /// # Errors
    /// When they cannot be unpacked.
    pub(crate) fn ready(&self, into: &Path, release: &str) -> Result<Result<PathBuf, String>> {
        let (dir, what, help) = match self {
            Headers::Packages(packages) => {
                let dir = unpack(packages, into, release)?;
                (dir, "the packages with headers".to_owned(), "give those that it needs, too")
            }
            Headers::Tree(tree) => (tree.clone(), tree.display().to_string(), "run `make modules`"),
        };
        let found = fs::read_to_string(dir.join(RELEASE)).unwrap_or_default();
        Ok(if !found.contains(&format!("\"{release}\"")) {
            Err(format!("{what}: not, or no longer, of {release}"))
        } else if !dir.join(SYMBOLS).is_file() {
            Err(format!("{what}: there is no {SYMBOLS}: {help}"))
        } else {
            Ok(dir)
        })
    }
}

/// Unpacks the packages into a directory and adapts their paths to it. Returns the directory for `make -C`.
fn unpack(packages: &[PathBuf], into: &Path, release: &str) -> Result<PathBuf> {
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
        let none = Headers::of_base(dir.path()).unwrap_err();
        assert_eq!(none, "the kernel came without headers");
        let headers = dir.path().join(HEADERS);
        fs::create_dir(&headers).unwrap();
        fs::write(headers.join(LOG), "Get:1 x\nE: Unable to locate package x\nW: y\n").unwrap();
        let why = Headers::of_base(dir.path()).unwrap_err();
        assert!(why.ends_with("could not be fetched: Unable to locate package x"), "{why}");
        fs::write(headers.join("b.deb"), "").unwrap();
        fs::write(headers.join("a.deb"), "").unwrap();
        let found = Headers::of_base(dir.path()).unwrap();
        let both = vec![headers.join("a.deb"), headers.join("b.deb")];
        assert_eq!(found, Headers::Packages(both));
    }

    #[test]
    fn a_tree_is_used_where_it_is_as_long_as_it_is_that_of_the_kernel() {
        let (base, tree) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let headers = Headers::Tree(tree.path().to_owned());
        headers.keep(base.path()).unwrap();
        assert_eq!(Headers::of_base(base.path()).unwrap(), headers);
        let ready = || headers.ready(Path::new("/nowhere"), "6.1-own").unwrap();
        assert!(ready().unwrap_err().ends_with("not, or no longer, of 6.1-own"));
        fs::create_dir_all(tree.path().join("include/generated")).unwrap();
        fs::write(tree.path().join(RELEASE), "#define UTS_RELEASE \"6.1-own\"\n").unwrap();
        assert!(ready().unwrap_err().ends_with("no Module.symvers: run `make modules`"));
        fs::write(tree.path().join(SYMBOLS), "").unwrap();
        assert_eq!(ready(), Ok(tree.path().to_owned()));
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
