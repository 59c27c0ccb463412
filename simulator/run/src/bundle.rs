//! A bundle: a run as one file, to be sent to somebody. A gzipped tar file with the run's files, `trace.json`, and a
//! manifest with the hash of each part.
//!
//! Directories of the sender's are left out: of paths in the summary and the report only the file names stay. A bundle
//! comes from somebody else: [`unpack`] takes known names only, within bounds, and compares the hashes.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use sansim_report::{
    past::{Past, PastError},
    trace::trace,
};
use serde::{Deserialize, Serialize};

use crate::{capture::CAPTURE, directory::EVENTS};

/// The version of the format.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const README: &str = "README.txt";
/// The files of a run that a bundle has, if they are there; the first four must be.
const PARTS: [&str; 7] =
    [SUMMARY, "scenario.toml", EVENTS, "report.html", "console.log", CAPTURE, "trace.json"];
const SUMMARY: &str = "summary.json";
/// Files in which paths of the sender's can be.
const WITH_PATHS: [&str; 2] = [SUMMARY, "report.html"];
/// The longest part, in bytes.
const LONGEST: u64 = 1 << 30;

/// Why a bundle cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The run is none, or has no events.
    #[error(transparent)]
    Past(#[from] PastError),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// The file is no bundle, or is not what its manifest says.
    #[error("{} is no bundle that can be used: {why}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// What a bundle says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// The version of sansim that made it.
    sansim: String,
    run: String,
    title: String,
    verdict: String,
    kernel: String,
    seed: u64,
    /// By name.
    parts: BTreeMap<String, PartOf>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PartOf {
    bytes: u64,
    blake3: String,
}

/// Makes a bundle of a run's directory. Returns the names of its parts.
///
/// # Errors
/// If it is no run's, or a file cannot be read or written. A file that exists is not replaced.
pub fn pack(dir: &Path, to: &Path) -> Result<Vec<String>, BundleError> {
    let past = Past::read(dir)?;
    let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
    let paths = paths_of(dir)?;
    for name in PARTS {
        let path = dir.join(name);
        let bytes = match name {
            "trace.json" => trace(&past).into_bytes(),
            _ if path.is_file() => read(&path)?,
            _ => continue,
        };
        parts.push((name.to_owned(), without_paths(name, bytes, &paths)));
    }
    let described = parts.iter().map(|(name, bytes)| (name.clone(), describe(bytes)));
    let manifest = Manifest {
        format: FORMAT,
        sansim: env!("CARGO_PKG_VERSION").to_owned(),
        run: past.name.clone(),
        title: past.summary.title.clone(),
        verdict: past.summary.verdict.clone(),
        kernel: past.summary.kernel.clone(),
        seed: past.summary.seed,
        parts: described.collect(),
    };
    let text = serde_json::to_string_pretty(&manifest).expect("a manifest is plain data") + "\n";
    parts.insert(0, (MANIFEST.to_owned(), text.into_bytes()));
    parts.insert(0, (README.to_owned(), readme(&manifest, to).into_bytes()));
    write(&past.name, &parts, to)
        .map_err(|source| BundleError::File { path: to.to_owned(), source })?;
    Ok(parts.into_iter().map(|(name, _)| name).collect())
}

fn read(path: &Path) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
    read.map_err(|source| BundleError::File { path: path.to_owned(), source })?;
    Ok(bytes)
}

fn describe(bytes: &[u8]) -> PartOf {
    PartOf { bytes: bytes.len() as u64, blake3: blake3::hash(bytes).to_hex().to_string() }
}

/// The paths in a summary that say something of the sender's machine: that of the scenario, and those in the command
/// that repeats the run.
fn paths_of(dir: &Path) -> Result<Vec<String>, BundleError> {
    let path = dir.join(SUMMARY);
    let summary: serde_json::Value = serde_json::from_slice(&read(&path)?)
        .map_err(|error| BundleError::Invalid { path, why: error.to_string() })?;
    let text = |key: &str| summary.get(key).and_then(|it| it.as_str()).unwrap_or_default();
    let words = text("repeat").split([' ', '=', '\'', '"']);
    let mut paths: Vec<String> = words
        .chain([text("scenario")])
        .filter(|word| word.contains('/') && !word.ends_with('/'))
        .map(str::to_owned)
        .collect();
    // The longest first: one can be within another.
    paths.sort_by_key(|path| std::cmp::Reverse(path.len()));
    paths.dedup();
    Ok(paths)
}

fn without_paths(name: &str, bytes: Vec<u8>, paths: &[String]) -> Vec<u8> {
    if !WITH_PATHS.contains(&name) {
        return bytes;
    }
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    for path in paths {
        let last = path.rsplit('/').next().unwrap_or_default();
        text = text.replace(path.as_str(), last);
    }
    text.into_bytes()
}

fn readme(manifest: &Manifest, to: &Path) -> String {
    let file = to.file_name().unwrap_or_default().to_string_lossy();
    let Manifest { title, verdict, kernel, seed, .. } = manifest;
    format!(
        "{title}\n\nVerdict: {verdict}. Guest kernel {kernel}, seed {seed}.\n\n\
         report.html     the run on one page, for a browser\n\
         trace.json      the run for https://ui.perfetto.dev (open it there; it stays on your machine)\n\
         capture.pcapng  the SAN's traffic for Wireshark, if there is one\n\
         events.ndjson   every command and event, one JSON object a line, times in seconds of the story\n\
         scenario.toml   the story, with every default spelled out\n\
         summary.json    verdict, counts and versions\n\
         console.log     the guest's console\n\
         manifest.json   the BLAKE3 hash of each part, as b3sum prints it\n\n\
         To run it again, byte for byte, with sansim {} and the same image and QEMU:\n\n    \
         sansim replay {file}\n",
        manifest.sansim
    )
}

fn write(run: &str, parts: &[(String, Vec<u8>)], to: &Path) -> io::Result<()> {
    let file = fs::OpenOptions::new().write(true).create_new(true).open(to)?;
    let mut tar = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    for (name, bytes) in parts {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("{run}/{name}"), bytes.as_slice())?;
    }
    tar.into_inner()?.finish()?.flush()
}

/// Unpacks the run in a bundle to an empty directory.
///
/// # Errors
/// If the file is no bundle, a part is missing, too long, or not what the manifest says.
pub fn unpack(file: &Path, into: &Path) -> Result<(), BundleError> {
    let invalid = |why: String| BundleError::Invalid { path: file.to_owned(), why };
    let parts = parts(file).map_err(|error| invalid(error.to_string()))?;
    let manifest = parts.get(MANIFEST).ok_or_else(|| invalid(format!("it has no {MANIFEST}")))?;
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|error| invalid(format!("{MANIFEST}: {error}")))?;
    if manifest.format != FORMAT {
        return Err(invalid(format!(
            "it is of format {}, and this sansim reads {FORMAT}",
            manifest.format
        )));
    }
    for name in &PARTS[..4] {
        if !parts.contains_key(*name) {
            return Err(invalid(format!("it has no {name}")));
        }
    }
    for (name, bytes) in parts.iter().filter(|(name, _)| **name != MANIFEST) {
        if manifest.parts.get(*name) != Some(&describe(bytes)) {
            return Err(invalid(format!("{name} is not the file that the manifest names")));
        }
        let path = into.join(name);
        fs::write(&path, bytes).map_err(|source| BundleError::File { path, source })?;
    }
    Ok(())
}

/// The parts by name. Whatever else is in the file is passed over, and so are directories: a name leads nowhere.
fn parts(file: &Path) -> io::Result<BTreeMap<&'static str, Vec<u8>>> {
    let mut tar = tar::Archive::new(GzDecoder::new(File::open(file)?).take(4 * LONGEST));
    let mut parts = BTreeMap::new();
    for entry in tar.entries()?.take(100) {
        let entry = entry?;
        let path = entry.path()?.into_owned();
        let last = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        let known = PARTS.into_iter().chain([MANIFEST]).find(|name| *name == last);
        let Some(name) = known.filter(|_| entry.header().entry_type().is_file()) else { continue };
        if entry.size() > LONGEST {
            return Err(io::Error::other(format!("{name} is too long")));
        }
        let mut bytes = Vec::new();
        entry.take(LONGEST).read_to_end(&mut bytes)?;
        parts.insert(name, bytes);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use sansim_report::past::PastSummary;

    use super::*;

    fn run(dir: &Path) -> PathBuf {
        let run = dir.join("20260101-story");
        fs::create_dir(&run).unwrap();
        let summary = PastSummary {
            scenario: "/home/somebody/work/story.toml".into(),
            title: "a story".into(),
            ..PastSummary::default()
        };
        let mut summary = serde_json::to_value(summary).unwrap();
        summary["repeat"] = "sansim run /home/somebody/work/story.toml --seed 1".into();
        fs::write(run.join(SUMMARY), summary.to_string()).unwrap();
        fs::write(run.join("scenario.toml"), "title = \"a story\"\n").unwrap();
        let event = r#"{"t":1.0,"kind":"verdict","verdict":"pass","reason":null}"#;
        fs::write(run.join(EVENTS), format!("{event}\n")).unwrap();
        fs::write(run.join("report.html"), "<p>/home/somebody/work/story.toml</p>").unwrap();
        run
    }

    #[test]
    fn a_bundle_is_the_run_without_the_senders_directories() {
        let dir = tempfile::tempdir().unwrap();
        let (run, file, out) =
            (run(dir.path()), dir.path().join("b.tar.gz"), dir.path().join("out"));
        let parts = pack(&run, &file).unwrap();
        assert!(
            parts.iter().any(|name| name == "trace.json")
                && parts.iter().any(|name| name == README)
        );
        fs::create_dir(&out).unwrap();
        unpack(&file, &out).unwrap();
        assert_eq!(fs::read(out.join(EVENTS)).unwrap(), fs::read(run.join(EVENTS)).unwrap());
        for name in WITH_PATHS {
            let text = fs::read_to_string(out.join(name)).unwrap();
            assert!(text.contains("story.toml") && !text.contains("somebody"), "{text}");
        }
        assert!(matches!(pack(&run, &file), Err(BundleError::File { .. })), "nothing is replaced");
    }

    #[test]
    fn a_part_that_was_changed_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (run, file) = (run(dir.path()), dir.path().join("b.tar.gz"));
        pack(&run, &file).unwrap();
        let mut tar = tar::Archive::new(GzDecoder::new(File::open(&file).unwrap()));
        let mut changed: Vec<(String, Vec<u8>)> = Vec::new();
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().file_name().unwrap().to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            if name == EVENTS {
                bytes[5] ^= 1;
            }
            changed.push((name, bytes));
        }
        let other = dir.path().join("c.tar.gz");
        write("../../x", &[], &dir.path().join("empty.tar.gz")).unwrap();
        write("x", &changed, &other).unwrap();
        let refused = |file: &Path| unpack(file, dir.path()).unwrap_err().to_string();
        assert!(refused(&other).contains("events.ndjson is not the file"), "{}", refused(&other));
        assert!(refused(&dir.path().join("empty.tar.gz")).contains("no manifest.json"));
        fs::write(&other, b"no archive").unwrap();
        assert!(refused(&other).contains("no bundle"));
    }
}
