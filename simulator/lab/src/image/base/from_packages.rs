//! A base built from a distribution's packages, which mmdebstrap downloads.

use std::{fs, path::Path, process::Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
};

use super::{Base, FORMAT, Manifest, USERLAND, write_kernel};
use crate::{
    ImageStore, LabError, Progress, Result,
    cache::{Lock, keep_in_use},
    host::{blocking, programs},
    image::{
        archive::Archive,
        distribution::Spec,
        kernel::vmlinux,
        modules::{HEADERS, WANTED, hook},
        userland::{NOT_PACKED, Packing, write_userland},
        variant::More,
    },
};

/// Builds the base of a known image or of a variant of it, by its name, or takes it from the cache.
pub(crate) async fn from_packages(
    store: &ImageStore,
    name: &str,
    spec: &'static Spec,
    more: &More,
    progress: &dyn Progress,
) -> Result<Base> {
    let dir = store.image_dir(name);
    let recipe = recipe(spec, more);
    let current = || -> Result<Option<Base>> {
        let manifest = Manifest::read(&dir)?.filter(|manifest| manifest.recipe == recipe);
        Ok(manifest.and_then(|manifest| Base::if_sound(&dir, manifest, name, progress)))
    };
    if let Some(base) = current()? {
        return Ok(base);
    }
    // A missing program is reported before anything is downloaded.
    programs::find("mksquashfs")?;
    let lock = Lock::take(&dir, &format!("the image {name}"), progress).await?;
    if let Some(base) = current()? {
        return Ok(base);
    }
    let part = lock.begin()?;
    progress.stage(&format!("fetching the packages of {name} (a minute or two, once)"));
    let tar = part.path().join("packages.tar");
    let headers = part.path().join(HEADERS);
    fs::create_dir(&headers).map_err(LabError::file("cannot create", &headers))?;
    mmdebstrap(name, spec, &more.packages, &tar, &headers).await?;
    progress.stage("unpacking the kernel and packing the userland");
    let (into, modules) = (part.path().to_owned(), more.modules.clone());
    let description = described(spec, more);
    let manifest = blocking(move || {
        let content = unpack(&tar, &modules, &into)?;
        fs::remove_file(&tar).map_err(LabError::file("cannot remove", &tar))?;
        let (release, content) = content;
        let manifest = Manifest { format: FORMAT, recipe, content, release, description };
        manifest.write(&into)?;
        Ok(manifest)
    })
    .await?;
    Base::seal(part.path())?;
    part.finish()?;
    keep_in_use(&dir);
    Ok(Base { dir, manifest })
}

/// One line for the list of images.
fn described(spec: &Spec, more: &More) -> String {
    let modules = more.modules.iter().map(|module| format!("the module {module}"));
    let added: Vec<String> = more.packages.iter().cloned().chain(modules).collect();
    match added.is_empty() {
        true => spec.description.to_owned(),
        false => format!("{}, with {}", spec.description, added.join(", ")),
    }
}

/// Hash of how an image is built.
fn recipe(spec: &Spec, more: &More) -> String {
    let text =
        serde_json::to_vec(&(FORMAT, spec, WANTED, NOT_PACKED, &more.packages, &more.modules));
    let text = text.unwrap_or_default();
    blake3::hash(&text).to_hex()[..32].to_owned()
}

/// Downloads and unpacks the packages of an image, and downloads its kernel headers. No maintainer script
/// runs. The mirror is the one that the host uses.
async fn mmdebstrap(
    name: &str,
    spec: &Spec,
    packages: &[String],
    tar: &Path,
    headers: &Path,
) -> Result<()> {
    let program = programs::find("mmdebstrap")?;
    let out = fs::File::create(tar).map_err(LabError::file("cannot create", tar))?;
    // Temporary files of an interrupted mmdebstrap are removed with the rest.
    let temporary = tar.with_extension("tmp");
    fs::create_dir(&temporary).map_err(LabError::file("cannot create", &temporary))?;
    // Unpacking runs no program of the packages, so it needs no chroot: no mounts, which an interrupted run
    // could leave behind, and no privileges or subordinate IDs. Root owns all files in the archive anyway.
    let include: Vec<&str> =
        spec.packages.iter().copied().chain(packages.iter().map(String::as_str)).collect();
    let child = Command::new(&program)
        .args(["--variant=extract", "--mode=chrootless", "--format=tar"])
        .arg(format!("--include={}", include.join(",")))
        .args(spec.options())
        .arg(hook(headers))
        .args([spec.suite, "-"])
        .env("TMPDIR", &temporary)
        // When mmdebstrap cannot write its archive, it sends SIGHUP to its whole process group.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(Stdio::piped())
        .spawn()
        .map_err(LabError::file("cannot run", &program))?;
    let mut child = Terminated(child);
    let mut stderr = Vec::new();
    if let Some(pipe) = child.0.stderr.as_mut() {
        let _ = pipe.read_to_end(&mut stderr).await;
    }
    let status = child.0.wait().await.map_err(LabError::file("cannot wait for", &program))?;
    if !status.success() {
        match FetchFailure::of(&String::from_utf8_lossy(&stderr)) {
            FetchFailure::NoKey => {
                // Other distributions do not have Debian's keys.
                let (program, package) =
                    ("the key of Debian's archive".into(), "debian-archive-keyring".into());
                return Err(LabError::MissingTool { program, package });
            }
            FetchFailure::NoMirror(why) => {
                return Err(LabError::NoMirror { image: name.into(), why });
            }
            FetchFailure::NoPackage(package) => {
                return Err(LabError::NoPackage { image: name.into(), package });
            }
            FetchFailure::Other => {}
        }
    }
    programs::check("mmdebstrap", status, &stderr, tar)?;
    fs::remove_dir_all(&temporary).map_err(LabError::file("cannot remove", temporary))
}

/// Why mmdebstrap failed, as far as the lab distinguishes it.
#[derive(Debug, PartialEq, Eq)]
enum FetchFailure {
    /// The archive's key is missing.
    NoKey,
    /// The mirror is unreachable; the text is apt's message.
    NoMirror(String),
    /// The distribution has no such package.
    NoPackage(String),
    Other,
}

impl FetchFailure {
    /// Parses the output of mmdebstrap, apt and gpgv.
    fn of(said: &str) -> FetchFailure {
        const NO_KEY: [&str; 2] = ["NO_PUBKEY", "public key is not"];
        const NO_WAY: [&str; 7] = [
            "Could not resolve",
            "Temporary failure resolving",
            "Could not connect",
            "Unable to connect",
            "Network is unreachable",
            "Connection timed out",
            "Connection refused",
        ];
        let has = |line: &str, words: &[&str]| words.iter().any(|words| line.contains(words));
        if has(said, &NO_KEY) {
            return FetchFailure::NoKey;
        }
        match said.lines().find(|line| has(line, &NO_WAY)) {
            Some(line) => FetchFailure::NoMirror(
                line.trim_start_matches(['E', 'W', ':', ' ']).trim().to_owned(),
            ),
            None => {
                match said.lines().find_map(|line| line.split_once("Unable to locate package ")) {
                    Some((_, package)) => FetchFailure::NoPackage(package.trim().to_owned()),
                    None => FetchFailure::Other,
                }
            }
        }
    }
}

/// A process that gets SIGTERM when its handle is dropped. On SIGKILL, mmdebstrap would leave its children
/// running.
struct Terminated(Child);

impl Drop for Terminated {
    fn drop(&mut self) {
        let pid = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

/// Builds the files of a base from the archive. Returns the kernel's release and the hash of the contents.
fn unpack(tar: &Path, modules: &[String], into: &Path) -> Result<(String, String)> {
    let unreadable = |e| LabError::file("cannot read", tar)(e);
    let archive = Archive::open(tar).map_err(unreadable)?;
    let release = archive.release().map_err(|why| LabError::BadModules { why })?;
    let Some((name, file)) = archive.kernel(&release).map_err(unreadable)? else {
        let why = "it is not among the packages".to_owned();
        return Err(LabError::BadKernel { path: format!("boot/vmlinuz-{release}").into(), why });
    };
    let elf = vmlinux(file).map_err(|why| LabError::BadKernel { path: name.into(), why })?;
    let mut hash = blake3::Hasher::new();
    write_kernel(into, &elf, &archive.modules(&release), modules, &mut hash)?;
    let userland = into.join(USERLAND);
    let packing = Packing::for_kernel(&archive.config(&release).map_err(unreadable)?);
    let packed = fs::File::open(archive.path()).map_err(unreadable)?;
    write_userland(packed, archive.path(), &userland, packing)?;
    let file = fs::File::open(&userland).map_err(LabError::file("cannot read", &userland))?;
    hash.update_reader(file).map_err(LabError::file("cannot read", &userland))?;
    Ok((release, hash.finalize().to_hex().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::distribution::SPECS;

    #[test]
    fn the_recipe_changes_with_the_packages() {
        let (spec, none) = (SPECS[0], More::default());
        let recipe_of = |spec: Spec| recipe(&spec, &none);
        assert_eq!(recipe_of(spec), recipe_of(spec));
        assert_ne!(recipe_of(spec), recipe_of(Spec { suite: "trixie", ..spec }));
        assert_ne!(recipe_of(spec), recipe_of(Spec { packages: &spec.packages[1..], ..spec }));
        let fio = More { packages: vec!["fio".into()], modules: Vec::new() };
        let module = More { packages: Vec::new(), modules: vec!["fio".into()] };
        assert_ne!(recipe(&spec, &fio), recipe(&spec, &none));
        assert_ne!(recipe(&spec, &fio), recipe(&spec, &module));
    }

    #[test]
    fn a_mirror_that_is_not_reached_is_told_apart_from_a_package_that_is_not_there() {
        let said = "I: running\nW: Failed to fetch http://x/InRelease  Could not resolve 'x'\nE: y";
        let why = "Failed to fetch http://x/InRelease  Could not resolve 'x'";
        assert_eq!(FetchFailure::of(said), FetchFailure::NoMirror(why.into()));
        let missing = FetchFailure::of("E: Unable to locate package linux-image-amd64");
        assert_eq!(missing, FetchFailure::NoPackage("linux-image-amd64".into()));
        assert_eq!(FetchFailure::of("E: broken"), FetchFailure::Other);
        let key = "W: GPG error: http://x sid InRelease: NO_PUBKEY 0123456789ABCDEF";
        assert_eq!(FetchFailure::of(key), FetchFailure::NoKey);
    }
}
