//! The second layer of an image: the initramfs, with the agent and the bundled modules.

mod agent_binary;
mod pack;
mod user_initrd;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

pub(crate) use agent_binary::{AgentBinary, find_agent};
use pack::{lib_modules, write_initramfs};
pub(crate) use user_initrd::UserInitrd;

use super::{
    Image,
    base::{
        self, Base, Manifest,
        from_parts::{INITRD, PROGRAMS},
    },
    modules::BundledModules,
};
use crate::{
    LabError, Progress, Result,
    cache::{self, Lock, Seal},
    host::blocking,
};

/// How many initramfs an image keeps. There is one per agent; another sansim of another version may use an
/// older one.
const KEPT_INITRAMFS: usize = 3;

/// Builds the image of a base and an agent.
pub(crate) async fn with_initramfs(
    name: &str,
    base: Base,
    agent: &AgentBinary,
    progress: &dyn Progress,
) -> Result<Image> {
    let release = base.manifest.release;
    let (bundled, left_out) = match bundled_modules(name, &base.dir, &release, progress).await? {
        BundledModules::Built(files) => (files, None),
        BundledModules::LeftOut(why) => (Vec::new(), Some(why)),
    };
    let key = image_key(&base.manifest.content, &agent.elf, &bundled);
    let (set, file) = (format!("initramfs-{key}"), format!("initramfs-{key}.cpio"));
    let path = base.dir.join(&file);
    let seal = Seal::new(&base.dir, &set);
    let sound = match seal.exists() {
        false => false,
        true => seal.check().map_or_else(
            |damage| {
                progress.stage(&format!("{name} is damaged and is made again: {damage}"));
                false
            },
            |()| true,
        ),
    };
    if !sound {
        if let Err(damage) = Base::check_modules(&base.dir) {
            // It is made again by the next run.
            let _ = fs::remove_file(base.dir.join(Manifest::FILE));
            let (name, why) = (name.to_owned(), damage.to_string());
            return Err(LabError::DamagedImage { name, why });
        }
        let _lock = Lock::take(&base.dir, &format!("the image {name}"), progress).await?;
        let part = base.dir.join("initramfs.part");
        let failed = |e| LabError::file("cannot write", &part)(e);
        let bytes = initramfs(&base.dir, &release, agent, bundled)?;
        fs::write(&part, bytes).map_err(failed)?;
        fs::rename(&part, &path).map_err(failed)?;
        seal.make([file.as_str()])?;
        prune_initramfs(&base.dir);
    }
    // The file itself would look changed.
    cache::used(&seal.path());
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

/// The contents of the initramfs for a base.
fn initramfs(
    base: &Path,
    release: &str,
    agent: &AgentBinary,
    bundled: Vec<(String, Vec<u8>)>,
) -> Result<Vec<u8>> {
    let path = base.join(INITRD);
    let bad = |why| LabError::BadInitrd { path: path.clone(), why };
    let initrd = match fs::read(&path) {
        Ok(bytes) => UserInitrd::parse(&bytes).map_err(bad)?,
        Err(_) => UserInitrd::default(),
    };
    let mut further = initrd.modules(release).map_err(bad)?;
    further.extend(bundled);
    let modules = lib_modules(&base.join(base::MODULES), further)
        .map_err(|why| LabError::BadModules { why })?;
    let mut bytes = Vec::new();
    write_initramfs(&mut bytes, &initrd, &agent.elf, &modules, release)
        .map_err(LabError::file("cannot write", base))?;
    Ok(bytes)
}

/// The list of programs in a base's userland; `None` if there is no list.
fn read_programs(base: &Path) -> Result<Option<BTreeSet<String>>> {
    let path = base.join(PROGRAMS);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.lines().map(str::to_owned).collect())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(LabError::file("cannot read", path)(e)),
    }
}

/// The bundled modules for the kernel of a base, compiled at most once.
async fn bundled_modules(
    name: &str,
    base: &Path,
    release: &str,
    progress: &dyn Progress,
) -> Result<BundledModules> {
    if let Some(bundled) = BundledModules::cached(base) {
        return Ok(bundled);
    }
    let _lock = Lock::take(base, &format!("the image {name}"), progress).await?;
    if let Some(bundled) = BundledModules::cached(base) {
        return Ok(bundled);
    }
    progress.stage("compiling the modules of our own");
    let (base, release) = (base.to_owned(), release.to_owned());
    blocking(move || BundledModules::build(&base, &release)).await
}

/// Hash of an image's contents.
fn image_key(base_content: &str, agent: &[u8], bundled: &[(String, Vec<u8>)]) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(base_content.as_bytes());
    hash.update(agent);
    for (_, elf) in bundled {
        hash.update(elf);
    }
    hash.finalize().to_hex()[..16].to_owned()
}

/// Removes those that were not used for long. A seal's time is that of the last use; of one without a seal,
/// which an earlier version of this program has made, the file's own.
fn prune_initramfs(dir: &Path) {
    let is_initramfs = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("initramfs-"))
    };
    let cpio = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "cpio");
    let all = cache::inside(dir).into_iter().filter(|path| is_initramfs(path) && cpio(path));
    let marker = |path: PathBuf| {
        let seal = path.with_extension("seal");
        if seal.is_file() { seal } else { path }
    };
    for path in cache::unused(all.map(marker), KEPT_INITRAMFS) {
        for extension in ["cpio", "seal", "checked"] {
            let _ = fs::remove_file(path.with_extension(extension));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::cache::UNUSED_FOR;

    #[test]
    fn the_key_depends_on_the_content_and_on_nothing_else() {
        let key = |base, agent| image_key(base, agent, &[]);
        assert_eq!(key("base", b"agent"), "2784910d519c28e0");
        assert_ne!(key("base", b"agent"), key("base", b"agents"));
        assert_ne!(key("base", b"agent"), key("base2", b"agent"));
        let bundled = [("extra/a.ko".to_owned(), b"module".to_vec())];
        assert_ne!(key("base", b"agent"), image_key("base", b"agent", &bundled));
    }

    #[test]
    fn only_the_newest_initramfs_are_kept_and_those_in_use() {
        let dir = tempfile::tempdir().unwrap();
        let half = UNUSED_FOR / 2;
        for n in 0..6u32 {
            let path = dir.path().join(format!("initramfs-{n}.cpio"));
            let file = fs::File::create(path).unwrap();
            file.set_modified(SystemTime::now() - half * (6 - n).saturating_sub(3)).unwrap();
        }
        fs::write(dir.path().join("vmlinux"), "").unwrap();
        prune_initramfs(dir.path());
        let mut left: Vec<_> =
            fs::read_dir(dir.path()).unwrap().flatten().map(|e| e.file_name()).collect();
        left.sort();
        assert_eq!(
            left,
            [
                "initramfs-2.cpio",
                "initramfs-3.cpio",
                "initramfs-4.cpio",
                "initramfs-5.cpio",
                "vmlinux"
            ]
        );
    }
}
