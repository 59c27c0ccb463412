//! The cache directory and its images.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{
    Image, ImageInfo, Parts,
    base::{self, Base, Manifest, from_packages::from_packages, from_parts::from_parts},
    distribution::{self, SPECS},
    initramfs::{AgentBinary, find_agent, with_initramfs},
    named_by_content::{self, is_named_by_content},
    variant,
};
use crate::{
    LabError, Progress, Result,
    cache::{self, Lock, size_of},
};

/// The cache directory: images, templates, and the cached result of probing KVM.
///
/// Several processes can use one at the same time. Its contents can be deleted whenever no machine is
/// running.
#[derive(Debug, Clone)]
pub struct ImageStore {
    dir: PathBuf,
}

impl ImageStore {
    /// Opens the user's store: `$SANSIM_CACHE`, else `sansim` in the XDG cache directory
    /// (`$XDG_CACHE_HOME`, else `~/.cache`). Creates it if it is missing.
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

    /// Opens a store in a directory of the caller's choice. Creates it if it is missing.
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

    /// All images, built or not: sansim's own first, then the added ones by name.
    ///
    /// # Errors
    /// `File` when the cache cannot be read.
    pub fn list(&self) -> Result<Vec<ImageInfo>> {
        let mut list: Vec<ImageInfo> =
            SPECS.iter().map(|spec| self.info(spec.name, spec.description.to_owned())).collect();
        for name in self.variants()?.into_iter().chain(self.added()?) {
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

    /// The names of the added images, sorted.
    pub(crate) fn added(&self) -> Result<Vec<String>> {
        self.built(|name| distribution::find(name).is_none() && check_name(name).is_ok())
    }

    /// The names of the built variants of known images, sorted.
    fn variants(&self) -> Result<Vec<String>> {
        self.built(|name| variant::known(name).is_some_and(|(_, more)| !more.is_nothing()))
    }

    /// The names of the built images that `are` meant, sorted.
    fn built(&self, are: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let dir = self.dir.join("images");
        let entries = fs::read_dir(&dir).map_err(LabError::file("cannot read", &dir))?;
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| are(name) && self.image_dir(name).join(Manifest::FILE).is_file())
            .collect();
        names.sort();
        Ok(names)
    }

    fn unknown(&self, name: &str) -> LabError {
        let ours = SPECS.iter().map(|spec| spec.name.to_owned());
        let known: Vec<String> = ours.chain(self.added().unwrap_or_default()).collect();
        LabError::UnknownImage { name: name.to_owned(), known: known.join(", ") }
    }

    /// Builds an image if it is missing, or was built by another recipe or with another agent; otherwise
    /// takes it from the cache. Waits while another process builds it.
    ///
    /// # Errors
    /// `UnknownImage`, `MissingTool`, `MissingAgent`, `DiskFull`, `ToolFailed` with the tool's output, and
    /// others.
    pub async fn build(&self, name: &str, progress: &dyn Progress) -> Result<Image> {
        let agent = AgentBinary::read(&find_agent()?)?;
        let base = self.base(name, progress).await?;
        with_initramfs(name, base, &agent, progress).await
    }

    /// The first layer of an image, built if necessary.
    pub(crate) async fn base(&self, name: &str, progress: &dyn Progress) -> Result<Base> {
        match variant::known(name) {
            Some((spec, more)) => from_packages(self, name, spec, &more, progress).await,
            None => self.added_base(name),
        }
    }

    /// Which of these modules the kernel of a built image has, but the image has not, since no usual
    /// guest needs them: a variant of the image has.
    pub fn modules_left_out(&self, image: &str, modules: &[String]) -> Vec<String> {
        let all = fs::read_to_string(self.image_dir(image).join(base::LEFT_OUT));
        let all: BTreeSet<&str> = all.as_deref().unwrap_or_default().lines().collect();
        let left_out = |module: &&String| all.contains(module.replace('-', "_").as_str());
        modules.iter().filter(left_out).cloned().collect()
    }

    fn added_base(&self, name: &str) -> Result<Base> {
        check_name(name).map_err(|_| self.unknown(name))?;
        let dir = self.image_dir(name);
        match Manifest::read(&dir)? {
            Some(manifest) if manifest.format == base::FORMAT => match Base::check(&dir) {
                Ok(()) => Ok(Base { dir, manifest }),
                Err(damage) => {
                    let (name, why) = (name.to_owned(), damage.to_string());
                    Err(LabError::DamagedImage { name, why })
                }
            },
            Some(_) => Err(LabError::BadImageName {
                name: name.to_owned(),
                why: "it was added by another version of sansim; add it again".into(),
            }),
            None => Err(self.unknown(name)),
        }
    }

    /// Removes an image and its templates from the cache. An added image is unknown after that.
    ///
    /// # Errors
    /// `UnknownImage`, `Busy` while another process builds or uses it, or `File` when it cannot be removed.
    pub fn remove(&self, name: &str) -> Result<()> {
        if variant::known(name).is_none() && !self.added()?.iter().any(|added| added == name) {
            return Err(self.unknown(name));
        }
        let (dir, what) = (self.image_dir(name), format!("the image {name}"));
        let lock = Lock::try_take(&dir)?.ok_or_else(|| Lock::busy(&dir, &what))?;
        let _nobody = cache::not_in_use(&dir, &what)?;
        lock.remove()?;
        let templates = self.template_dir(name);
        match fs::remove_dir_all(&templates) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(LabError::file("cannot remove", templates)(e))
            }
            _ => Ok(()),
        }
    }

    /// Adds an image built from parts. Replaces an added image of the same name.
    ///
    /// # Errors
    /// `BadImageName` for a name that is taken by sansim or not allowed, `BadKernel`, `BadModules`,
    /// `BadPackage`, `BadUserland`, `BadInitrd`, and the errors of [`build`](ImageStore::build).
    pub async fn add(&self, name: &str, parts: &Parts, progress: &dyn Progress) -> Result<Image> {
        let bad = |why: &str| LabError::BadImageName { name: name.to_owned(), why: why.into() };
        check_name(name).map_err(bad)?;
        if distribution::find(name).is_some() {
            return Err(bad("it is the name of an image of ours"));
        }
        if is_named_by_content(name) {
            return Err(bad("images that are made for a run are called so"));
        }
        if parts.images().any(|image| image == name) {
            return Err(bad("it is the name of an image that it is made of"));
        }
        let agent = AgentBinary::read(&find_agent()?)?;
        let (_, base) = from_parts(self, Some(name), parts, progress).await?;
        with_initramfs(name, base, &agent, progress).await
    }

    /// Builds an image from parts for some runs, or takes it from the cache. It is named by its contents.
    /// Removes such images that were not used recently.
    ///
    /// # Errors
    /// As [`add`](ImageStore::add).
    pub async fn assemble(&self, parts: &Parts, progress: &dyn Progress) -> Result<Image> {
        let agent = AgentBinary::read(&find_agent()?)?;
        let (name, base) = from_parts(self, None, parts, progress).await?;
        named_by_content::prune(self, &name);
        with_initramfs(&name, base, &agent, progress).await
    }
}

/// Checks a name, which is used as a file name and in reports: lower-case letters, digits, `.`, `_` and
/// `-`.
fn check_name(name: &str) -> Result<(), &'static str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.is_empty() || name.len() > 60 {
        Err("it must have 1 to 60 characters")
    } else if !name.starts_with(plain) || !name.chars().all(|c| plain(c) || "._-".contains(c)) {
        Err("it must be of a-z, 0-9, `.`, `_`, `-`, with a letter or digit first")
    } else if [".lock", ".part", ".use"].iter().any(|suffix| name.ends_with(suffix)) {
        Err("it must not end in .lock, .part or .use")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KernelSource, Quiet, UserlandSource};

    #[test]
    fn names_that_are_no_good_file_names_are_refused() {
        for good in ["own", "6.1-rdac_fix", "0"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", ".x", "-x", "a/b", "..", "A", "a b", "x.lock", "x.part", "x.use", "ä"] {
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
}
