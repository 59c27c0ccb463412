//! The cache directory and the images in it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{
    Image, ImageInfo, LabError, Parts, Progress, Result,
    assemble::{INITRD, PROGRAMS, assemble, is_unnamed},
    base::{self, Base, Manifest},
    build::{AgentBinary, Initrd, OwnModules, find_agent, lib_modules, write_initramfs},
    cache::{Lock, size_of},
    spec::{self, SPECS},
};

/// Initramfs kept an image: one for each agent that was used lately.
const KEPT_INITRAMFS: usize = 3;

/// Images kept that were made for a run; the others go when nobody can be using them any more.
const KEPT_UNNAMED: usize = 8;
const UNUSED_FOR: Duration = Duration::from_secs(3600);

/// The cache directory: images, templates, and what was found out about this machine.
///
/// Several programs can use one at the same time. What is in it can be deleted at any time that no
/// machine is running.
#[derive(Debug, Clone)]
pub struct ImageStore {
    dir: PathBuf,
}

impl ImageStore {
    /// The user's store: `$SANSIM_CACHE`, else `sansim` in the XDG cache directory
    /// (`$XDG_CACHE_HOME`, else `~/.cache`). It is created when missing.
    ///
    /// # Errors
    /// `NoCache` when neither variable nor `$HOME` is set, `File` when it cannot be created.
    pub fn open() -> Result<ImageStore> {
        let named = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let dir = named("SANSIM_CACHE")
            .or_else(|| Some(named("XDG_CACHE_HOME")?.join("sansim")))
            .or_else(|| Some(named("HOME")?.join(".cache/sansim")))
            .ok_or(LabError::NoCache)?;
        ImageStore::at(dir)
    }

    /// A store in a directory of the caller's choice, created when missing.
    ///
    /// # Errors
    /// `File` when it cannot be created.
    pub fn at(dir: impl Into<PathBuf>) -> Result<ImageStore> {
        let dir = dir.into();
        for sub in [dir.join("images"), dir.join("templates")] {
            fs::create_dir_all(&sub).map_err(LabError::file("cannot create", &sub))?;
        }
        let dir = dir.canonicalize().map_err(LabError::file("cannot find", &dir))?;
        Ok(ImageStore { dir })
    }

    /// The directory, as an absolute path.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn image_dir(&self, name: &str) -> PathBuf {
        self.dir.join("images").join(name)
    }

    pub(crate) fn template_dir(&self, image: &str) -> PathBuf {
        self.dir.join("templates").join(image)
    }

    /// Every image that is known, built or not: ours first, then those that were added, by name.
    ///
    /// # Errors
    /// `File` when the cache cannot be read.
    pub fn list(&self) -> Result<Vec<ImageInfo>> {
        let mut list: Vec<ImageInfo> =
            SPECS.iter().map(|spec| self.info(spec.name, spec.description.to_owned())).collect();
        for name in self.added()? {
            if let Some(manifest) = Manifest::read(&self.image_dir(&name))? {
                list.push(self.info(&name, manifest.description));
            }
        }
        Ok(list)
    }

    fn info(&self, name: &str, description: String) -> ImageInfo {
        let dir = self.image_dir(name);
        let manifest = Manifest::read(&dir).ok().flatten();
        ImageInfo {
            name: name.to_owned(),
            description,
            release: manifest.map(|manifest| manifest.release),
            bytes: size_of(&dir) + size_of(&self.template_dir(name)),
        }
    }

    /// The names of the images that were added.
    fn added(&self) -> Result<Vec<String>> {
        let dir = self.dir.join("images");
        let entries = fs::read_dir(&dir).map_err(LabError::file("cannot read", &dir))?;
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| spec::find(name).is_none() && check_name(name).is_ok())
            .filter(|name| self.image_dir(name).join(Manifest::FILE).is_file())
            .collect();
        names.sort();
        Ok(names)
    }

    fn unknown(&self, name: &str) -> LabError {
        let ours = SPECS.iter().map(|spec| spec.name.to_owned());
        let known: Vec<String> = ours.chain(self.added().unwrap_or_default()).collect();
        LabError::UnknownImage { name: name.to_owned(), known: known.join(", ") }
    }

    /// Builds an image if it is missing, made by another recipe or with another agent, else returns
    /// the cached one. Waits when another process is building it.
    ///
    /// # Errors
    /// `UnknownImage`, `MissingTool`, `MissingAgent`, `DiskFull`, `ToolFailed` with what the tool
    /// said, and others.
    pub async fn build(&self, name: &str, progress: &dyn Progress) -> Result<Image> {
        let agent = AgentBinary::read(&find_agent()?)?;
        let base = self.base(name, progress).await?;
        self.finish(name, base, &agent, progress).await
    }

    /// The first layer of an image that is known.
    pub(crate) async fn base(&self, name: &str, progress: &dyn Progress) -> Result<Base> {
        match spec::find(name) {
            Some(spec) => base::from_packages(self, spec, progress).await,
            None => self.added_base(name),
        }
    }

    fn added_base(&self, name: &str) -> Result<Base> {
        check_name(name).map_err(|_| self.unknown(name))?;
        let dir = self.image_dir(name);
        match Manifest::read(&dir)? {
            Some(manifest) if manifest.format == base::FORMAT => Ok(Base { dir, manifest }),
            Some(_) => Err(LabError::BadImageName {
                name: name.to_owned(),
                why: "it was added by another version of sansim; add it again".into(),
            }),
            None => Err(self.unknown(name)),
        }
    }

    /// The second layer: the initramfs, with the modules of ours.
    async fn finish(
        &self,
        name: &str,
        base: Base,
        agent: &AgentBinary,
        progress: &dyn Progress,
    ) -> Result<Image> {
        let release = base.manifest.release;
        let (own, left_out) = match own_modules(name, &base.dir, &release, progress).await? {
            OwnModules::Built(files) => (files, None),
            OwnModules::LeftOut(why) => (Vec::new(), Some(why)),
        };
        let key = image_key(&base.manifest.content, &agent.elf, &own);
        let path = base.dir.join(format!("initramfs-{key}.cpio"));
        if !path.is_file() {
            let _lock = Lock::take(&base.dir, &format!("the image {name}"), progress).await?;
            let part = base.dir.join("initramfs.part");
            let failed = |e| LabError::file("cannot write", &part)(e);
            let bytes = initramfs(&base.dir, &release, agent, own)?;
            fs::write(&part, bytes).map_err(failed)?;
            fs::rename(&part, &path).map_err(failed)?;
            prune_initramfs(&base.dir);
        }
        Ok(Image {
            name: name.to_owned(),
            release,
            kernel: base.dir.join(base::KERNEL),
            initramfs: path,
            userland: base.dir.join(base::USERLAND),
            key,
            left_out,
            programs: read_programs(&base.dir)?,
            has_initrd: base.dir.join(INITRD).is_file(),
        })
    }

    /// Removes a built image and its templates from the cache. One that was added is forgotten.
    ///
    /// # Errors
    /// `UnknownImage`, `Busy` while another process builds it, or `File` when something cannot be
    /// removed.
    pub fn remove(&self, name: &str) -> Result<()> {
        if spec::find(name).is_none() && !self.added()?.iter().any(|added| added == name) {
            return Err(self.unknown(name));
        }
        let Some(lock) = Lock::try_take(&self.image_dir(name))? else {
            return Err(LabError::Busy { what: format!("the image {name}") });
        };
        lock.remove()?;
        let templates = self.template_dir(name);
        match fs::remove_dir_all(&templates) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(LabError::file("cannot remove", templates)(e))
            }
            _ => Ok(()),
        }
    }

    /// Adds an image that is put together of parts. One of that name that was added before is
    /// replaced.
    ///
    /// # Errors
    /// `BadImageName` for a name of ours or one that is no good file name, `BadKernel`,
    /// `BadModules`, `BadPackage`, `BadUserland`, `BadInitrd`, and what
    /// [`build`](ImageStore::build) answers.
    pub async fn add(&self, name: &str, parts: &Parts, progress: &dyn Progress) -> Result<Image> {
        let bad = |why: &str| LabError::BadImageName { name: name.to_owned(), why: why.into() };
        check_name(name).map_err(bad)?;
        if spec::find(name).is_some() {
            return Err(bad("it is the name of an image of ours"));
        }
        if is_unnamed(name) {
            return Err(bad("images that are made for a run are called so"));
        }
        if parts.images().any(|image| image == name) {
            return Err(bad("it is the name of an image that it is made of"));
        }
        let agent = AgentBinary::read(&find_agent()?)?;
        let (_, base) = assemble(self, Some(name), parts, progress).await?;
        self.finish(name, base, &agent, progress).await
    }

    /// The image that is put together of parts, for some runs: named by its content, and taken from
    /// the cache if it is there. Those not used for long are removed.
    ///
    /// # Errors
    /// As [`add`](ImageStore::add).
    pub async fn assemble(&self, parts: &Parts, progress: &dyn Progress) -> Result<Image> {
        let agent = AgentBinary::read(&find_agent()?)?;
        let (name, base) = assemble(self, None, parts, progress).await?;
        self.prune_unnamed(&name);
        self.finish(&name, base, &agent, progress).await
    }

    fn prune_unnamed(&self, keep: &str) {
        let names = self.added().unwrap_or_default().into_iter();
        let mut found: Vec<(SystemTime, String)> = names
            .filter(|name| is_unnamed(name) && name != keep)
            .filter_map(|name| {
                let used = fs::metadata(self.image_dir(&name)).ok()?.modified().ok()?;
                Some((used, name))
            })
            .collect();
        found.sort();
        let old = |used: &SystemTime| used.elapsed().is_ok_and(|age| age > UNUSED_FOR);
        for (_, name) in found.iter().rev().skip(KEPT_UNNAMED - 1).filter(|(used, _)| old(used)) {
            if let Err(error) = self.remove(name) {
                tracing::warn!("{error}");
            }
        }
    }
}

/// The initramfs of a base.
fn initramfs(
    base: &Path,
    release: &str,
    agent: &AgentBinary,
    own: Vec<(String, Vec<u8>)>,
) -> Result<Vec<u8>> {
    let path = base.join(INITRD);
    let bad = |why| LabError::BadInitrd { path: path.clone(), why };
    let initrd = match fs::read(&path) {
        Ok(bytes) => Initrd::parse(&bytes).map_err(bad)?,
        Err(_) => Initrd::default(),
    };
    let mut further = initrd.modules(release).map_err(bad)?;
    further.extend(own);
    let modules = lib_modules(&base.join(base::MODULES), further)
        .map_err(|why| LabError::BadModules { why })?;
    let mut bytes = Vec::new();
    write_initramfs(&mut bytes, &initrd, &agent.elf, &modules, release)
        .map_err(LabError::file("cannot write", base))?;
    Ok(bytes)
}

/// The programs of a base's userland, if they were counted.
fn read_programs(base: &Path) -> Result<Option<BTreeSet<String>>> {
    let path = base.join(PROGRAMS);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.lines().map(str::to_owned).collect())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(LabError::file("cannot read", path)(e)),
    }
}

/// The modules of ours for the kernel of a base, compiled at most once.
async fn own_modules(
    name: &str,
    base: &Path,
    release: &str,
    progress: &dyn Progress,
) -> Result<OwnModules> {
    if let Some(own) = OwnModules::cached(base) {
        return Ok(own);
    }
    let _lock = Lock::take(base, &format!("the image {name}"), progress).await?;
    if let Some(own) = OwnModules::cached(base) {
        return Ok(own);
    }
    progress.stage("compiling the modules of our own");
    let (base, release) = (base.to_owned(), release.to_owned());
    base::blocking(move || OwnModules::build(&base, &release)).await
}

/// Names an image's content.
fn image_key(base_content: &str, agent: &[u8], own: &[(String, Vec<u8>)]) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(base_content.as_bytes());
    hash.update(agent);
    for (_, elf) in own {
        hash.update(elf);
    }
    hash.finalize().to_hex()[..16].to_owned()
}

/// Names are file names, and appear in reports: lower-case letters, digits, `.`, `_` and `-`.
fn check_name(name: &str) -> Result<(), &'static str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.is_empty() || name.len() > 60 {
        Err("it must have 1 to 60 characters")
    } else if !name.starts_with(plain) || !name.chars().all(|c| plain(c) || "._-".contains(c)) {
        Err("it must be of a-z, 0-9, `.`, `_`, `-`, with a letter or digit first")
    } else if name.ends_with(".lock") || name.ends_with(".part") {
        Err("it must not end in .lock or .part")
    } else {
        Ok(())
    }
}

fn prune_initramfs(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut found: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("initramfs-"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    found.sort();
    for (_, path) in found.iter().rev().skip(KEPT_INITRAMFS) {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KernelSource, Quiet, UserlandSource};

    #[test]
    fn the_key_depends_on_the_content_and_on_nothing_else() {
        let key = |base, agent| image_key(base, agent, &[]);
        assert_eq!(key("base", b"agent"), "2784910d519c28e0");
        assert_ne!(key("base", b"agent"), key("base", b"agents"));
        assert_ne!(key("base", b"agent"), key("base2", b"agent"));
        let own = [("extra/a.ko".to_owned(), b"module".to_vec())];
        assert_ne!(key("base", b"agent"), image_key("base", b"agent", &own));
    }

    #[test]
    fn names_that_are_no_good_file_names_are_refused() {
        for good in ["own", "6.1-rdac_fix", "0"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", ".x", "-x", "a/b", "..", "A", "a b", "x.lock", "x.part", "ä"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn what_is_not_known_is_answered_with_what_is() {
        let dir = tempfile::tempdir().unwrap();
        let store = ImageStore::at(dir.path()).unwrap();
        let list = store.list().unwrap();
        assert_eq!(
            list.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(),
            SPECS.iter().map(|s| s.name).collect::<Vec<_>>()
        );
        assert_eq!((&list[0].release, list[0].bytes), (&None, 0));
        for name in ["bookwurm", "../x"] {
            let error = store.remove(name).unwrap_err().to_string();
            let ours = SPECS.iter().map(|spec| spec.name).collect::<Vec<_>>().join(", ");
            assert_eq!(error, format!("there is no image `{name}`: known are {ours}"));
            let error = store.added_base(name).unwrap_err();
            assert!(matches!(error, LabError::UnknownImage { .. }));
        }
        store.remove("bookworm").unwrap();
        let lock = Lock::try_take(&store.image_dir("bookworm")).unwrap();
        let busy = store.remove("bookworm").unwrap_err().to_string();
        assert!(busy.starts_with("the image bookworm is in use"), "{busy}");
        drop(lock);
        let parts = Parts {
            kernel: KernelSource::Image("mine".into()),
            userland: UserlandSource::Image("trixie".into()),
            initrd: None,
        };
        for name in ["bookworm", "own-0123456789abcdef", "mine"] {
            let refused = store.add(name, &parts, &Quiet).await.unwrap_err();
            assert!(matches!(refused, LabError::BadImageName { .. }), "{name}: {refused}");
        }
    }

    #[test]
    fn only_the_newest_initramfs_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..5u64 {
            let path = dir.path().join(format!("initramfs-{n}.cpio"));
            let file = fs::File::create(path).unwrap();
            let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(n);
            file.set_modified(time).unwrap();
        }
        fs::write(dir.path().join("vmlinux"), "").unwrap();
        prune_initramfs(dir.path());
        let mut left: Vec<_> =
            fs::read_dir(dir.path()).unwrap().flatten().map(|e| e.file_name()).collect();
        left.sort();
        assert_eq!(left, ["initramfs-2.cpio", "initramfs-3.cpio", "initramfs-4.cpio", "vmlinux"]);
    }
}
