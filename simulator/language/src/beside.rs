//! Files that a scenario refers to. They are read from the directory of the scenario file.

use std::{fs, io, path::Path};

/// The text of a file of at most `longest` bytes. `scenario` is the path of the scenario file.
///
/// # Errors
/// A sentence with the path and the reason.
pub(super) fn read(scenario: &str, file: &str, longest: u64) -> Result<String, String> {
    let path = Path::new(scenario).parent().unwrap_or(Path::new("")).join(file);
    let read = || -> io::Result<String> {
        let meta = fs::metadata(&path)?;
        if !meta.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        if meta.len() > longest {
            return Err(io::Error::other(format!("it is longer than {longest} bytes")));
        }
        fs::read_to_string(&path)
    };
    read().map_err(|why| format!("cannot read {}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_beside_the_scenario_and_what_is_none_is_answered() {
        let dir = tempfile::tempdir().unwrap();
        let scenario = dir.path().join("story.toml").display().to_string();
        fs::write(dir.path().join("c9.hex"), "00 c9").unwrap();
        fs::create_dir(dir.path().join("d")).unwrap();
        assert_eq!(read(&scenario, "c9.hex", 5).unwrap(), "00 c9");
        assert!(read(&scenario, "c9.hex", 4).unwrap_err().contains("longer than 4 bytes"));
        assert!(read(&scenario, "d", 4).unwrap_err().contains("it is no file"));
        assert!(read(&scenario, "e", 4).unwrap_err().starts_with("cannot read /"));
    }
}
