//! A base built from parts: a kernel, a userland and an initramfs, each the user's or another image's.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Base, FORMAT, KERNEL, MODULES, Manifest, USERLAND, write_kernel};
use crate::{
    ImageStore, KernelSource, LabError, Parts, Progress, Result, UserKernel, UserRootFs,
    UserlandSource,
    cache::{self, Lock},
    host::{blocking, programs},
    image::{
        initramfs::UserInitrd,
        kernel::FoundKernel,
        modules::{HEADERS, WANTED, bundled_modules_dirs},
        named_by_content::name_of,
        userland::{Packing, survey_userland, write_userland},
    },
};

/// Names of two further files in the base: the user's initramfs, and the list of a userland's programs.
pub(crate) const INITRD: &str = "initrd";
pub(crate) const PROGRAMS: &str = "programs";

/// Builds the base from its parts, or takes it from the cache if nothing has changed. Returns it with the
/// name of its image: `name`, or a name derived from the contents.
pub(crate) async fn from_parts(
    store: &ImageStore,
    name: Option<&str>,
    parts: &Parts,
    progress: &dyn Progress,
) -> Result<(String, Base)> {
    let own = parts.clone();
    if parts.images().any(|image| !store.image_dir(image).join(Manifest::FILE).is_file()) {
        // Unusable parts are reported before anything is downloaded.
        blocking(move || check(&own)).await?;
    }
    let pieces = Arc::new(Pieces::gather(store, parts, progress).await?);
    let content = {
        let pieces = Arc::clone(&pieces);
        blocking(move || pieces.content()).await?
    };
    let name = name.map_or_else(|| name_of(&content), str::to_owned);
    let dir = store.image_dir(&name);
    let current = || -> Result<Option<Base>> {
        let manifest = Manifest::read(&dir)?.filter(|manifest| manifest.content == content);
        Ok(manifest.and_then(|manifest| Base::if_sound(&dir, manifest, &name, progress)))
    };
    let lock = Lock::take(&dir, &format!("the image {name}"), progress).await?;
    if let Some(base) = current()? {
        cache::used(&dir);
        return Ok((name, base));
    }
    progress.stage("putting the image together");
    let part = lock.begin()?;
    let (into, expected) = (part.path().to_owned(), content.clone());
    let manifest = blocking(move || pieces.write(&into, expected)).await?;
    Base::seal(part.path())?;
    part.finish()?;
    cache::keep_in_use(&dir);
    Ok((name, Base { dir, manifest }))
}

/// Checks each of the user's parts on its own.
fn check(parts: &Parts) -> Result<()> {
    let scratch = tempfile::tempdir().map_err(LabError::file("cannot create", "a directory"))?;
    if let KernelSource::User(kernel) = &parts.kernel {
        let found = kernel.find(scratch.path())?;
        found.check_configuration()?;
        found.elf()?;
    }
    if let UserlandSource::User(userland) = &parts.userland {
        let bad = |why| LabError::BadUserland { path: userland.path().to_owned(), why };
        let survey = userland.read(|tar| survey_userland(tar).map_err(|e| bad(e.to_string())))?;
        survey.programs().map_err(bad)?;
    }
    parts.initrd.as_deref().map_or(Ok(()), |path| read_initrd(path).map(drop))
}

fn read_initrd(path: &Path) -> Result<UserInitrd> {
    let bytes = fs::read(path).map_err(LabError::file("cannot read", path))?;
    UserInitrd::parse(&bytes).map_err(|why| LabError::BadInitrd { path: path.to_owned(), why })
}

/// One part of an image.
enum Piece<User> {
    /// The part of another image.
    Of(Base),
    User(User),
}

/// The parts, with the bases of the images that they come from.
struct Pieces {
    kernel: Piece<UserKernel>,
    userland: Piece<UserRootFs>,
    initrd: Option<PathBuf>,
    description: String,
}

impl Pieces {
    async fn gather(store: &ImageStore, parts: &Parts, progress: &dyn Progress) -> Result<Pieces> {
        let kernel = match &parts.kernel {
            KernelSource::Image(name) => Piece::Of(store.base(name, progress).await?),
            KernelSource::User(own) => Piece::User(own.clone()),
        };
        let userland = match &parts.userland {
            UserlandSource::Image(name) => Piece::Of(store.base(name, progress).await?),
            UserlandSource::User(own) => Piece::User(own.clone()),
        };
        let (initrd, description) = (parts.initrd.clone(), parts.to_string());
        Ok(Pieces { kernel, userland, initrd, description })
    }

    /// Hash of the parts.
    fn content(&self) -> Result<String> {
        let mut hash = blake3::Hasher::new();
        hash.update(format!("{FORMAT} {WANTED:?} kernel ").as_bytes());
        match &self.kernel {
            Piece::Of(base) => drop(hash.update(base.manifest.content.as_bytes())),
            Piece::User(own) => own.hash(&mut hash)?,
        }
        hash.update(b" userland ");
        match &self.userland {
            Piece::Of(base) => drop(hash.update(base.manifest.content.as_bytes())),
            Piece::User(own) => own.hash(&mut hash)?,
        }
        if let Some(path) = &self.initrd {
            hash.update(b" initrd ");
            let file = fs::File::open(path).map_err(LabError::file("cannot read", path))?;
            hash.update_reader(file).map_err(LabError::file("cannot read", path))?;
        }
        Ok(hash.finalize().to_hex().to_string())
    }

    /// Builds the files of the base.
    fn write(&self, into: &Path, content: String) -> Result<Manifest> {
        let (release, packing) = match &self.kernel {
            Piece::Of(base) => link_kernel(base, into)?,
            Piece::User(own) => self.write_user_kernel(own, into)?,
        };
        match &self.userland {
            Piece::Of(base) => {
                link(&base.dir.join(USERLAND), &into.join(USERLAND))?;
                let programs = base.dir.join(PROGRAMS);
                if programs.is_file() {
                    link(&programs, &into.join(PROGRAMS))?;
                }
            }
            Piece::User(own) => write_user_userland(own, into, packing)?,
        }
        self.write_initrd(into, &release)?;
        if self.content()? != content {
            let why = "a part of the image was changed while it was read: try again".to_owned();
            return Err(LabError::BadParts { why });
        }
        let description = self.description.clone();
        let manifest =
            Manifest { format: FORMAT, recipe: "added".into(), content, release, description };
        manifest.write(into)?;
        Ok(manifest)
    }

    /// Writes the user's initramfs, or the one of the image that the kernel comes from.
    fn write_initrd(&self, into: &Path, release: &str) -> Result<()> {
        let to = into.join(INITRD);
        match (&self.initrd, &self.kernel) {
            (Some(path), _) => {
                let bad = |why| LabError::BadInitrd { path: path.clone(), why };
                read_initrd(path)?.modules(release).map_err(bad)?;
                fs::copy(path, &to).map_err(LabError::file("cannot write", to)).map(drop)
            }
            (None, Piece::Of(base)) if base.dir.join(INITRD).is_file() => {
                link(&base.dir.join(INITRD), &to)
            }
            (None, _) => Ok(()),
        }
    }

    fn write_user_kernel(&self, own: &UserKernel, into: &Path) -> Result<(String, Packing)> {
        let scratch = into.join("scratch");
        fs::create_dir(&scratch).map_err(LabError::file("cannot create", &scratch))?;
        let found = own.find(&scratch)?;
        found.check_configuration()?;
        let packing = Packing::for_kernel(&found.config);
        if let Piece::Of(userland) = &self.userland {
            check_reads(&found, &userland.dir.join(USERLAND))?;
        }
        let elf = found.elf()?;
        write_kernel(into, &elf, &*found.modules, &[], &mut blake3::Hasher::new())?;
        fs::remove_dir_all(&scratch).map_err(LabError::file("cannot remove", scratch))?;
        if let Some(headers) = &found.headers {
            headers.keep(into)?;
        }
        Ok((found.release, packing))
    }
}

/// Checks that a kernel can read a userland that was packed for another one, as far as that is known.
fn check_reads(kernel: &FoundKernel, userland: &Path) -> Result<()> {
    let packing = Packing::of(userland).map_err(LabError::file("cannot read", userland))?;
    if kernel.config.is_empty() || packing.is_in(&kernel.config) {
        return Ok(());
    }
    let why = format!(
        "the image's userland needs {}=y: configure that, or give a userland of your own, which \
         is packed as the kernel can read it",
        packing.option()
    );
    Err(LabError::BadKernel { path: kernel.path.clone(), why })
}

fn write_user_userland(own: &UserRootFs, into: &Path, packing: Packing) -> Result<()> {
    programs::find("mksquashfs")?;
    let bad = |why| LabError::BadUserland { path: own.path().to_owned(), why };
    let survey = own.read(|tar| write_userland(tar, own.path(), &into.join(USERLAND), packing))?;
    let names: Vec<String> = survey.programs().map_err(bad)?.into_iter().collect();
    let path = into.join(PROGRAMS);
    fs::write(&path, names.join("\n")).map_err(LabError::file("cannot write", path))
}

/// Links the kernel of another base, with the headers for compiling the bundled modules. Returns its
/// release and how its userland is packed.
fn link_kernel(base: &Base, into: &Path) -> Result<(String, Packing)> {
    link(&base.dir.join(KERNEL), &into.join(KERNEL))?;
    link_tree(&base.dir.join(MODULES), &into.join(MODULES))?;
    let headers = base.dir.join(HEADERS);
    for dir in bundled_modules_dirs(&base.dir)
        .into_iter()
        .chain([headers].into_iter().filter(|h| h.is_dir()))
    {
        link_tree(&dir, &into.join(dir.file_name().unwrap_or_default()))?;
    }
    let userland = base.dir.join(USERLAND);
    let packing = Packing::of(&userland).map_err(LabError::file("cannot read", userland))?;
    Ok((base.manifest.release.clone(), packing))
}

fn link_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).map_err(LabError::file("cannot create", to))?;
    let entries = fs::read_dir(from).map_err(LabError::file("cannot read", from))?;
    for entry in entries.flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() { link_tree(&path, &target)? } else { link(&path, &target)? }
    }
    Ok(())
}

/// Files in the cache are only replaced, never modified, so a hard link is safe.
fn link(from: &Path, to: &Path) -> Result<()> {
    fs::hard_link(from, to)
        .or_else(|_| fs::copy(from, to).map(drop))
        .map_err(LabError::file("cannot write", to))
}
