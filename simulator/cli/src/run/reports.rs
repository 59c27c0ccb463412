//! The files of `--junit`, `--ktap`, `--table` and `--matrix`.

use std::{
    fs::{self, OpenOptions},
    io,
    path::Path,
};

use sansim_report::{
    junit::junit, ktap::ktap, library::library, matrix::Matrix, unjudged::Unjudged,
    verdict::Summary,
};

use crate::args::RunArgs;

/// Checks that the files can be written, before anything that takes long.
///
/// # Errors
/// Which one cannot, and why.
pub(super) fn check(args: &RunArgs) -> Result<(), String> {
    let named = [
        ("--junit", &args.junit),
        ("--ktap", &args.ktap),
        ("--table", &args.table),
        ("--matrix", &args.matrix),
    ];
    let named = named.map(|(option, path)| path.as_ref().map(|path| (option, path)));
    let mut before: Vec<(&str, &Path)> = Vec::new();
    for (option, path) in named.into_iter().flatten() {
        if let Some((other, _)) = before.iter().find(|(_, known)| known == path) {
            return Err(format!("{other} and {option} are the same file: {}", path.display()));
        }
        before.push((option, path));
        try_out(path).map_err(|error| cannot(path, &error))?;
    }
    Ok(())
}

/// Opens a file for writing and leaves it as it is. One that is not there is not there afterwards.
fn try_out(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        // To open a pipe would wait for its reader.
        Ok(there) if there.is_file() || there.is_dir() => {
            OpenOptions::new().append(true).open(path).map(drop)
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            OpenOptions::new().write(true).create_new(true).open(path)?;
            fs::remove_file(path)
        }
        Err(error) => Err(error),
    }
}

/// Writes the files.
///
/// # Errors
/// Which one could not be written, and why.
pub(super) fn write(
    args: &RunArgs,
    summaries: &[Summary],
    unjudged: &[Unjudged],
) -> Result<(), String> {
    let write = |path: &Path, text: io::Result<String>| {
        let written = text.and_then(|text| fs::write(path, text));
        written.map_err(|error| cannot(path, &error))
    };
    let mut all = Vec::new();
    if let Some(path) = &args.junit {
        all.push(write(path, junit(summaries, unjudged).to_string().map_err(io::Error::other)));
    }
    if let Some(path) = &args.ktap {
        all.push(write(path, Ok(ktap(summaries, unjudged))));
    }
    if let Some(path) = &args.table {
        all.push(write(path, Ok(library(summaries))));
    }
    if let (Some(path), Some(matrix)) = (&args.matrix, Matrix::of(summaries)) {
        all.push(write(path, Ok(matrix.markdown())));
    }
    // One that fails does not keep the others from being written.
    all.into_iter().collect()
}

fn cannot(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_tried_out_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let there = dir.path().join("there");
        fs::write(&there, "text").unwrap();
        try_out(&there).unwrap();
        assert_eq!(fs::read_to_string(&there).unwrap(), "text");
        let fresh = dir.path().join("fresh");
        try_out(&fresh).unwrap();
        assert!(!fresh.exists());
        assert!(try_out(dir.path()).is_err(), "a directory");
        assert!(try_out(&dir.path().join("no/such")).is_err());
        assert!(try_out(&there.join("below")).is_err());
    }
}
