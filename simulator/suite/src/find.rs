//! Finds the scenario files on a command line.

use std::{
    io,
    path::{Path, PathBuf},
};

/// The scenario files for these paths: files as given, and for a directory all `*.toml` files below it, in
/// alphabetical order.
///
/// # Errors
/// When a path cannot be read, or a directory has no scenario; with the path.
pub fn find_scenarios(paths: &[PathBuf]) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut found = Vec::new();
    for path in paths {
        let fail = |error| (path.clone(), error);
        if path.metadata().map_err(fail)?.is_dir() {
            let before = found.len();
            search(path, &mut found).map_err(fail)?;
            if found.len() == before {
                return Err(fail(io::Error::other("there is no scenario (*.toml) in it")));
            }
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn search(directory: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<PathBuf> =
        directory.read_dir()?.map(|e| e.map(|e| e.path())).collect::<io::Result<_>>()?;
    entries.sort();
    for entry in entries {
        // Symbolic links to directories are not followed: they may form a cycle.
        if entry.symlink_metadata()?.is_dir() {
            search(&entry, found)?;
        } else if entry.extension().is_some_and(|extension| extension == "toml") {
            found.push(entry);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_searched_in_order_and_files_taken_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let sub = dir.path().join("sub");
        std::fs::create_dir(&sub).unwrap();
        for name in ["b.toml", "a.toml", "notes.md", "sub/c.toml"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let found = find_scenarios(&[dir.path().to_owned(), dir.path().join("notes.md")]).unwrap();
        let names: Vec<_> =
            found.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.toml", "b.toml", "c.toml", "notes.md"]);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let missing = PathBuf::from("/nowhere/at/all.toml");
        assert_eq!(find_scenarios(std::slice::from_ref(&missing)).unwrap_err().0, missing);
        let empty = tempfile::tempdir().unwrap();
        assert!(find_scenarios(&[empty.path().to_owned()]).is_err());
    }
}
