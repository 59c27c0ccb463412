//! Files that a scenario refers to. They are read from the directory of the scenario file.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags};

/// Names a directory above the scenario's, below which its files may be.
const ROOT: &str = "SANSIM_ROOT";

/// The text of a file of at most `longest` bytes. `scenario` is the path of the scenario file. The file is below
/// the scenario's directory, or below the directory that `$SANSIM_ROOT` names: who runs the scenario of somebody
/// else does not give away other files.
///
/// # Errors
/// A sentence with the path and the reason.
pub(super) fn read(scenario: &str, file: &str, longest: u64) -> Result<String, String> {
    let bytes = read_bytes(scenario, file, longest)?;
    String::from_utf8(bytes).map_err(|_| {
        let path = directory(scenario).join(file);
        format!("cannot read {}: {NO_TEXT}", path.display())
    })
}

/// As [`read`], for a file that need not be a text.
///
/// # Errors
/// A sentence with the path and the reason.
pub(super) fn read_bytes(scenario: &str, file: &str, longest: u64) -> Result<Vec<u8>, String> {
    let root = std::env::var_os(ROOT).filter(|root| !root.is_empty()).map(PathBuf::from);
    read_below(root.as_deref(), scenario, file, longest)
}

const NO_TEXT: &str = "it is no text in UTF-8";

/// The directory of the scenario file.
fn directory(scenario: &str) -> &Path {
    match Path::new(scenario).parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn read_below(
    root: Option<&Path>,
    scenario: &str,
    file: &str,
    longest: u64,
) -> Result<Vec<u8>, String> {
    let directory = directory(scenario);
    let path = directory.join(file);
    let read = || -> io::Result<Vec<u8>> {
        let outside = || {
            io::Error::other(format!(
                "it is not below the scenario's directory (${ROOT} can name another)"
            ))
        };
        // Whether something is there outside is nobody's business either.
        let leaves = Path::new(file).is_absolute() || file.split('/').any(|part| part == "..");
        let found = path.canonicalize().map_err(|error| if leaves { outside() } else { error })?;
        let below =
            |directory: &Path| directory.canonicalize().is_ok_and(|it| found.starts_with(it));
        if !below(directory) && !root.is_some_and(below) {
            return Err(outside());
        }
        read_all(&found, longest)
    };
    let shown = Path::new(scenario).with_file_name(file);
    read().map_err(|why| format!("cannot read {}: {why}", shown.display()))
}

/// The text of a regular file of at most `longest` bytes. Does not wait for the other end of a FIFO.
pub(super) fn read_file(path: &Path, longest: u64) -> io::Result<String> {
    String::from_utf8(read_all(path, longest)?).map_err(|_| io::Error::other(NO_TEXT))
}

fn read_all(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    // It may grow while it is read.
    let mut bytes = Vec::new();
    file.take(longest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > longest {
        return Err(io::Error::other(format!("it is longer than {longest} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

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

    #[test]
    fn what_is_elsewhere_or_no_file_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let (stories, secret) = (dir.path().join("stories"), dir.path().join("secret"));
        fs::create_dir_all(stories.join("sub")).unwrap();
        fs::write(&secret, "secret").unwrap();
        fs::write(stories.join("sub/c9.hex"), "00 c9").unwrap();
        symlink(&secret, stories.join("link")).unwrap();
        symlink("sub/c9.hex", stories.join("inside")).unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, stories.join("fifo"), fifo, mode, 0).unwrap();
        let scenario = stories.join("story.toml").display().to_string();
        let read = |file: &str| read_below(None, &scenario, file, 99);
        for inside in ["sub/c9.hex", "inside", "sub/../sub/c9.hex"] {
            assert_eq!(read(inside).unwrap(), b"00 c9", "{inside}");
        }
        let absolute = secret.display().to_string();
        for outside in ["../secret", "link", "sub/../../secret", "../none", absolute.as_str()] {
            let why = read(outside).unwrap_err();
            assert!(why.contains("not below the scenario's directory"), "{outside}: {why}");
        }
        assert!(read("fifo").unwrap_err().contains("it is no file"));
        let above = read_below(Some(dir.path()), &scenario, "../secret", 99);
        assert_eq!(above.unwrap(), b"secret");
    }
}
