//! What the scenarios come to, as docs/library.md says.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The scenarios of the project and the rows of its page.
pub(crate) struct Library {
    /// All scenario files, sorted.
    pub(crate) files: Vec<PathBuf>,
    rows: BTreeSet<String>,
}

impl Library {
    pub(crate) fn read() -> Library {
        let page = fs::read_to_string(root().join("docs/library.md")).expect("docs/library.md");
        let mut files = Vec::new();
        collect(&root().join("scenarios"), &mut files);
        files.sort();
        Library { files, rows: rows(&page).map(str::to_owned).collect() }
    }

    /// The rows of another page that are not in this one.
    pub(crate) fn differing(&self, page: &str) -> Vec<String> {
        rows(page).filter(|row| !self.rows.contains(*row)).map(str::to_owned).collect()
    }
}

/// The rows of a page that are about one scenario each.
pub(crate) fn rows(page: &str) -> impl Iterator<Item = &str> {
    page.lines().filter(|line| line.starts_with("| `") && line.contains("`<br>"))
}

/// The project's directory. Scenarios are named from there, as in its page.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project")
}

/// The scenarios that a run of the directory takes: the tours are another thing.
fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("the scenarios").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path.strip_prefix(root()).expect("a file of the project").to_owned());
        }
    }
}
