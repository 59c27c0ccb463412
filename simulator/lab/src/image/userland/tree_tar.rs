//! Writes a directory as a tar stream, with root as owner of everything.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use tar::{Builder, EntryType, Header, HeaderMode};

/// Writes the contents of `dir`, without the top directories `without`. Devices, pipes and sockets are left
/// out; links remain links.
///
/// # Errors
/// With the name of the file that cannot be read.
pub(crate) fn write_tar(dir: &Path, without: &[&str], out: impl Write) -> io::Result<()> {
    let mut tar = Builder::new(out);
    for name in names(dir)? {
        if !without.iter().any(|left_out| Path::new(left_out) == name) {
            append(&mut tar, dir, Path::new(&name))?;
        }
    }
    tar.into_inner()?.flush()
}

fn append(tar: &mut Builder<impl Write>, top: &Path, name: &Path) -> io::Result<()> {
    let path = top.join(name);
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
    let meta = fs::symlink_metadata(&path).map_err(named)?;
    let mut header = Header::new_gnu();
    header.set_metadata_in_mode(&meta, HeaderMode::Complete);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    match header.entry_type() {
        EntryType::Symlink => {
            let target = fs::read_link(&path).map_err(named)?;
            tar.append_link(&mut header, name, target)
        }
        EntryType::Directory => {
            tar.append_data(&mut header, name, io::empty())?;
            for below in names(&path)? {
                append(tar, top, &name.join(below))?;
            }
            Ok(())
        }
        EntryType::Regular => {
            let file = fs::File::open(&path).map_err(named)?;
            header.set_size(meta.len());
            tar.append_data(&mut header, name, file).map_err(named)
        }
        _ => Ok(()),
    }
}

/// The names in a directory, sorted.
fn names(dir: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", dir.display()));
    let entries = fs::read_dir(dir).map_err(named)?.collect::<io::Result<Vec<_>>>();
    let mut names: Vec<_> = entries.map_err(named)?.iter().map(fs::DirEntry::file_name).collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_tree_is_written_in_order_and_as_roots() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("usr/bin")).unwrap();
        fs::create_dir_all(at("proc/1")).unwrap();
        fs::write(at("usr/bin/b"), "text").unwrap();
        fs::set_permissions(at("usr/bin/b"), fs::Permissions::from_mode(0o4755)).unwrap();
        symlink("b", at("usr/bin/a")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("usr/s")).unwrap();
        let mut out = Vec::new();
        write_tar(dir.path(), &["proc"], &mut out).unwrap();
        let mut seen = Vec::new();
        for entry in tar::Archive::new(&out[..]).entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            seen.push((
                entry.path().unwrap().display().to_string(),
                header.mode().unwrap() & 0o7777,
            ));
        }
        let names: Vec<&str> = seen.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["usr", "usr/bin", "usr/bin/a", "usr/bin/b"]);
        assert_eq!(seen[3].1, 0o4755);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = write_tar(Path::new("/nowhere"), &[], io::sink()).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere: "), "{error}");
    }
}
