//! Collects the texts of a report: single files, directories, tar files packed or not.
//!
//! Nothing is unpacked to disk, so that no name in an archive can lead anywhere. All is bounded: a report is other
//! people's, and a tar file of a kilobyte can hold a terabyte of zeros.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::Path,
};

use rustix::fs::{Mode, OFlags};

use crate::{ImportError, kind};

/// Most bytes that are read of one text. Logs can be larger: their beginning is read.
const LONGEST_TEXT: u64 = 16 << 20;
/// Most bytes of all texts together.
const MOST_TEXT: u64 = 64 << 20;
/// Most bytes that an archive is unpacked to while it is searched.
const MOST_UNPACKED: u64 = 8 << 30;
/// Most entries of an archive, and most files of a directory.
const MOST_FILES: usize = 200_000;
/// How deep directories are searched.
const DEEPEST: usize = 12;

/// A text of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Its path in the report.
    pub name: String,
    /// What is in it. Bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// The texts of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Those that can be of use.
    pub texts: Vec<Text>,
    /// Those that were found and cannot be used: the name, and why.
    pub skipped: Vec<(String, String)>,
    /// Logs that the report has: they are read when they are asked for.
    pub logs: Vec<String>,
    bytes: u64,
}

impl Gathered {
    /// Reads a text if there is room for it.
    fn add(&mut self, name: &str, from: impl Read) -> io::Result<()> {
        let room = MOST_TEXT.saturating_sub(self.bytes).min(LONGEST_TEXT);
        if room == 0 {
            self.skip(name, "there is too much text before it");
            return Ok(());
        }
        let mut bytes = Vec::new();
        from.take(room + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > room {
            bytes.truncate(room as usize);
            self.skip(name, "only its beginning was read: it is too long");
        }
        self.bytes += bytes.len() as u64;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.texts.push(Text { name: name.to_owned(), text });
        Ok(())
    }

    /// Remembers a log.
    fn notice(&mut self, name: &str) {
        if kind::is_log(name) && self.logs.len() < 16 {
            self.logs.push(name.to_owned());
        }
    }

    fn skip(&mut self, name: &str, why: &str) {
        self.skipped.push((name.to_owned(), why.to_owned()));
    }
}

/// Collects what is of use in these files, directories and archives.
///
/// # Errors
/// If one of them cannot be read at all. What is within them and cannot be read is skipped.
pub fn gather(paths: &[impl AsRef<Path>]) -> Result<Gathered, ImportError> {
    let mut gathered = Gathered::default();
    for path in paths {
        let path = path.as_ref();
        let unreadable = |source| ImportError::Unreadable { path: path.to_owned(), source };
        let about = fs::metadata(path).map_err(unreadable)?;
        match about.is_dir() {
            true => directory(path, &mut gathered).map_err(unreadable)?,
            false => file(path, &mut gathered).map_err(unreadable)?,
        }
    }
    gathered.texts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(gathered)
}

fn open(path: &Path) -> io::Result<File> {
    // Without NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    let file: File =
        rustix::fs::open(path, OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?.into();
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is no regular file")),
    }
}

/// A file that the user has named: an archive, or a text.
fn file(path: &Path, gathered: &mut Gathered) -> io::Result<()> {
    let mut head = Vec::new();
    open(path)?.take(512).read_to_end(&mut head)?;
    let reader = BufReader::new(open(path)?);
    match unpacked(&head, reader)? {
        Packed::No(reader) if is_tar(&head) => archive(reader, gathered),
        Packed::No(reader) => gathered.add(&path.display().to_string(), reader),
        Packed::Yes(reader) => {
            let mut reader = BufReader::with_capacity(1024, reader);
            let head = io::BufRead::fill_buf(&mut reader)?.to_vec();
            match is_tar(&head) {
                true => archive(reader, gathered),
                false => gathered.add(&path.display().to_string(), reader),
            }
        }
    }
}

enum Packed<R> {
    No(R),
    Yes(Box<dyn Read>),
}

/// Undoes a compression, which is known by its first bytes.
fn unpacked<R: Read + io::BufRead + 'static>(head: &[u8], reader: R) -> io::Result<Packed<R>> {
    let bounded = |reader: Box<dyn Read>| Packed::Yes(Box::new(reader.take(MOST_UNPACKED)));
    Ok(match head {
        [0x1f, 0x8b, ..] => bounded(Box::new(flate2::bufread::MultiGzDecoder::new(reader))),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            let stream = liblzma::stream::Stream::new_auto_decoder(256 << 20, 0)?;
            bounded(Box::new(liblzma::bufread::XzDecoder::new_stream(reader, stream)))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
            decoder.window_log_max(27)?;
            bounded(Box::new(decoder))
        }
        [b'B', b'Z', b'h', ..] => {
            return Err(io::Error::other("bzip2 is not read; unpack it with `bunzip2`"));
        }
        _ => Packed::No(reader),
    })
}

/// Whether this is the first block of a tar file (POSIX ustar: "ustar" at offset 257).
fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

/// The texts in an archive. Links are not followed: in a sosreport, they name files that are there themselves.
fn archive(reader: impl Read, gathered: &mut Gathered) -> io::Result<()> {
    let mut tar = tar::Archive::new(reader.take(MOST_UNPACKED));
    for (count, entry) in tar.entries()?.enumerate() {
        let entry = match entry {
            Ok(entry) if count < MOST_FILES => entry,
            Ok(_) => {
                gathered.skip("the rest of the archive", "it has too many entries");
                break;
            }
            Err(error) => {
                gathered.skip("the rest of the archive", &format!("it is damaged: {error}"));
                break;
            }
        };
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        gathered.notice(&name);
        if entry.header().entry_type().is_file()
            && kind::is_wanted(&name)
            && let Err(error) = gathered.add(&name, entry)
        {
            gathered.skip(&name, &format!("it is damaged: {error}"));
            break;
        }
    }
    Ok(())
}

/// The texts below a directory. Links are not followed.
fn directory(top: &Path, gathered: &mut Gathered) -> io::Result<()> {
    let mut waiting = vec![(top.to_owned(), 0)];
    let mut seen = 0;
    while let Some((dir, depth)) = waiting.pop() {
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if dir == top => return Err(error),
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            seen += 1;
            if seen > MOST_FILES {
                gathered.skip("the rest of the directory", "it has too many files");
                return Ok(());
            }
            let path = entry.path();
            let name = path.strip_prefix(top).unwrap_or(&path).display().to_string();
            gathered.notice(&path.display().to_string());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < DEEPEST => waiting.push((path, depth + 1)),
                Ok(kind) if kind.is_file() && (depth == 0 || kind::is_wanted(&name)) => {
                    let added = open(&path).and_then(|file| gathered.add(&name, file));
                    if let Err(error) = added {
                        gathered.skip(&name, &error.to_string());
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{fs, io::Write};

    use super::*;

    /// Bytes as an archive: whatever is in it, what is kept has its bound.
    pub(crate) fn any_archive(bytes: &[u8]) {
        let mut gathered = Gathered::default();
        let _ = archive(bytes, &mut gathered);
        let kept: usize = gathered.texts.iter().map(|text| text.text.len()).sum();
        assert!(kept as u64 <= 3 * MOST_TEXT, "{kept}");
    }

    fn tar_with(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, bytes) in entries {
            let mut header = tar::Header::new_gnu();
            // Names that the crate would refuse are written as they are.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append(&header, *bytes).unwrap();
        }
        tar.into_inner().unwrap()
    }

    #[test]
    fn names_that_lead_elsewhere_lead_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("report.tar");
        let names = ["../../outside/multipath_-ll", "/etc/multipath.conf", "sos/multipath_-ll"];
        fs::write(&file, tar_with(&names.map(|name| (name, &b"text"[..])))).unwrap();
        let gathered = gather(&[&file]).unwrap();
        assert_eq!(gathered.texts.len(), 3, "they are names, and no files are written");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_archive_that_never_ends_is_read_to_its_bound() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bomb.tar.gz");
        let long = vec![b'\n'; 40 << 20];
        let entries: Vec<(&str, &[u8])> = vec![
            ("a/lsscsi", &long),
            ("b/lsscsi", &long),
            ("c/lsscsi", &long),
            ("d/lsscsi", &long),
            ("e/lsscsi", &long),
            ("f/lsscsi", b"x"),
        ];
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&tar_with(&entries)).unwrap();
        fs::write(&file, packed.finish().unwrap()).unwrap();
        let gathered = gather(&[&file]).unwrap();
        let kept: usize = gathered.texts.iter().map(|text| text.text.len()).sum();
        assert_eq!(kept as u64, MOST_TEXT);
        assert!(
            gathered
                .skipped
                .iter()
                .any(|(name, why)| name == "f/lsscsi" && why.contains("too much"))
        );
    }

    #[test]
    fn a_damaged_archive_gives_what_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cut.tar");
        let mut bytes = tar_with(&[("a/lsscsi", b"[0:0:0:0]"), ("b/lsscsi", &[b' '; 4000])]);
        bytes.truncate(3000);
        fs::write(&file, bytes).unwrap();
        let gathered = gather(&[&file]).unwrap();
        assert!(gathered.texts.iter().any(|text| text.name == "a/lsscsi"));
        assert!(
            gathered.skipped.iter().any(|(_, why)| why.contains("damaged")),
            "{:?}",
            gathered.skipped
        );
    }

    #[test]
    fn what_is_no_file_is_no_report() {
        let dir = tempfile::tempdir().unwrap();
        assert!(gather(&[dir.path().join("nothing")]).is_err());
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0)
            .unwrap();
        assert!(gather(&[&pipe]).unwrap_err().to_string().contains("no regular file"));
    }
}
