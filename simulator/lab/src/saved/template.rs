//! Templates: guests that were booted once, stopped when idle, and saved.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use sansim_marks::Marks;

use super::{Moment, STATE, TemplateMemory};
use crate::{
    Accel, HbaSocket, ImageStore, LabError, Machine, MachineConfig, Progress, Result,
    cache::{self, Damage, Lock, Seal, size_of_file},
    host::qemu,
    machine::{BASE_MODULES, shape},
};

/// Limits for all templates in a store: their number, and their total size in bytes.
const KEPT: usize = 12;
const KEPT_BYTES: u64 = 4 << 30;
/// How many times a guest is booted until saving it succeeds.
const TRIES: u32 = 3;
/// Files of a template in addition to the device state: the guest's memory, and the moment of saving.
const RAM: &str = "ram";
const MOMENT: &str = "moment.json";
const FILES: [&str; 3] = [STATE, RAM, MOMENT];
/// The code that was executed until then, of machines that mark it.
const MARKS: &str = "marks";
/// Names the seal over them.
const SEAL: &str = "template";
/// Increase this when templates are saved in another way. Those of other versions of this program stay for
/// them.
const FORMAT: u32 = 2;

/// A guest that was booted, became idle and was saved before any disk was scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    dir: PathBuf,
    key: String,
}

impl Template {
    /// Absolute path of the template's directory in the cache.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// The directory with the templates of all images.
    pub(crate) fn store(&self) -> Option<&Path> {
        self.dir.parent()?.parent()
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.join(STATE)
    }

    /// Opens the file with the guest's memory.
    pub(crate) fn memory(&self) -> Result<Arc<TemplateMemory>> {
        TemplateMemory::open(&self.dir.join(RAM))
    }

    /// The moment at which the guest was saved.
    pub(crate) fn moment(&self) -> Result<Moment> {
        let path = self.dir.join(MOMENT);
        let bytes = fs::read(&path).map_err(LabError::file("cannot read", &path))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| LabError::file("cannot read", path)(error.into()))
    }

    /// The code that was executed until then; none if it was not marked.
    pub(crate) fn marks(&self) -> Result<Marks> {
        let path = self.dir.join(MARKS);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Marks::default()),
            read => read.map_err(LabError::file("cannot read", &path))?,
        };
        let damaged = |_| LabError::file("cannot read", path)(io::ErrorKind::InvalidData.into());
        postcard::from_bytes(&bytes).map_err(damaged)
    }

    fn exists(&self) -> bool {
        self.seal().exists()
    }

    /// Whether its files are what was written: for an error that has another cause.
    pub(crate) fn check_fully(&self) -> Result<(), Damage> {
        self.seal().check_fully()
    }

    fn seal(&self) -> Seal<'_> {
        Seal::new(&self.dir, SEAL)
    }

    /// Identifies the image, the QEMU and the machine's shape: a hash in hex digits.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Removes the template, unless another process has its lock.
    pub(crate) fn throw_away(&self) {
        cache::throw_away(&self.dir);
    }
}

/// The templates of a store.
#[derive(Debug, Clone)]
pub struct Templates {
    store: ImageStore,
}

impl Templates {
    /// The templates of this store.
    pub fn new(store: &ImageStore) -> Templates {
        Templates { store: store.clone() }
    }

    /// The key of the template for such a machine. Paths of sockets, work directory and console do not
    /// matter; the number of HBAs and of their queues does.
    ///
    /// # Errors
    /// `MissingTool` without QEMU: its version is part of the key.
    pub fn key(config: &MachineConfig) -> Result<String> {
        Ok(key(config, &qemu::version()?, &qemu::host_processor()))
    }

    fn place(&self, config: &MachineConfig) -> Result<Template> {
        let key = Templates::key(config)?;
        let dir = self.store.template_dir(&config.image.name);
        fs::create_dir_all(&dir).map_err(LabError::file("cannot create", &dir))?;
        Ok(Template { dir: dir.join(&key), key })
    }

    /// Finds the template for such a machine. A damaged one is named and removed.
    ///
    /// # Errors
    /// `MissingTool` without QEMU, `File` when the cache cannot be used.
    pub fn find(
        &self,
        config: &MachineConfig,
        progress: &dyn Progress,
    ) -> Result<Option<Template>> {
        let template = self.place(config)?;
        if !template.exists() {
            return Ok(None);
        }
        if let Err(damage) = template.seal().check() {
            let name = &config.image.name;
            progress.stage(&format!("a template of {name} is damaged and is made again: {damage}"));
            template.throw_away();
            return Ok(None);
        }
        cache::used(&template.dir);
        Ok(Some(template))
    }

    /// Makes the template for such a machine, or takes it from the cache if another process has made it
    /// meanwhile. `config` must have HBAs, a work directory and a console for this purpose only.
    ///
    /// # Errors
    /// As [`Machine::cold`], `Qmp`; `DiskFull` if there is no room even without any other template.
    pub async fn make(&self, config: MachineConfig, progress: &dyn Progress) -> Result<Template> {
        let template = self.place(&config)?;
        let what = format!("a template of {}", config.image.name);
        let lock = Lock::take(&template.dir, &what, progress).await?;
        if template.exists() {
            return Ok(template);
        }
        progress.stage(&format!("booting {} once, to start from there later", config.image.name));
        let mut tries = TRIES;
        loop {
            let part = lock.begin()?;
            match save(&config, part.path()).await {
                Ok(true) => break part.finish()?,
                Ok(false) if tries > 1 => tries -= 1,
                Ok(false) => {
                    let why = "it cannot be stopped in time: is the host very busy?";
                    return Err(LabError::start(why));
                }
                Err(LabError::DiskFull { .. }) if self.make_room(Some(&template), progress) => {}
                Err(error) => return Err(error),
            }
        }
        self.prune(&template);
        Ok(template)
    }

    /// Removes a template.
    ///
    /// # Errors
    /// `File` when it cannot be removed.
    pub fn discard(&self, template: &Template) -> Result<()> {
        cache::remove(&template.dir)
    }

    /// Starts a machine from its template. Makes the template first if it is missing, and makes it again
    /// once if it cannot be restored. `throw_away` starts HBAs for making the template, as many and with as
    /// many queues as in `config`. It returns their sockets with a guard that stops them when dropped.
    /// Returns the machine with its template.
    ///
    /// # Errors
    /// As [`make`](Templates::make) and [`Machine::restore`], and the errors of `throw_away`.
    pub async fn start<G, E, F>(
        &self,
        config: MachineConfig,
        throw_away: F,
        progress: &dyn Progress,
    ) -> Result<(Machine, Template), E>
    where
        F: Fn() -> Result<(Vec<HbaSocket>, G), E>,
        E: From<LabError>,
    {
        let mut again = false;
        loop {
            let template = match self.find(&config, progress)? {
                Some(template) => template,
                None => {
                    let (hbas, guard) = throw_away()?;
                    let template = self.make(for_making(&config, hbas)?, progress).await?;
                    drop(guard);
                    template
                }
            };
            match Machine::restore(config.clone(), &template).await {
                Ok(machine) => return Ok((machine, template)),
                Err(LabError::BadTemplate { why, .. }) if !again => {
                    progress.stage(&format!("the template did not start and is made again: {why}"));
                    again = true;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Removes the least recently used templates when there are too many, except `keep`.
    fn prune(&self, keep: &Template) {
        let bytes = KEPT_BYTES.saturating_sub(size_without_starts(&keep.dir));
        cache::prune(self.others(Some(keep)), KEPT - 1, bytes, size_without_starts);
    }

    /// Removes the template that was not used for longest, with its checkpoints, because the disk is full.
    /// Returns whether there was one besides `keep`.
    pub fn make_room(&self, keep: Option<&Template>, progress: &dyn Progress) -> bool {
        let oldest = cache::least_recently_used(self.others(keep));
        let removed = oldest.is_some_and(|dir| cache::remove(&dir).is_ok() && !dir.exists());
        if removed {
            progress.stage(
                "the disk of the cache is full: the template not used for longest is removed",
            );
        }
        removed
    }

    /// The directories of all templates except `keep`.
    fn others(&self, keep: Option<&Template>) -> Vec<PathBuf> {
        let images = cache::inside(&self.store.path().join("templates"));
        let templates = images.iter().flat_map(|image| cache::inside(image)).filter(|dir| {
            let kept = keep.is_some_and(|keep| keep.dir == *dir);
            !kept && dir.join(STATE).is_file() && dir.extension().is_none()
        });
        templates.collect()
    }
}

/// Size of a template in bytes, without its checkpoints, which have limits of their own.
fn size_without_starts(dir: &Path) -> u64 {
    FILES.iter().map(|file| size_of_file(&dir.join(file))).sum()
}

/// Boots a guest and saves it. Returns whether it could be stopped in time.
async fn save(config: &MachineConfig, part: &Path) -> Result<bool> {
    let machine = Machine::boot(config).await?;
    let saved = machine.save(config, &part.join(STATE), part.join(RAM)).await;
    let Some((moment, marks)) = saved.map_err(|error| full_disk(error, part))? else {
        return Ok(false);
    };
    let path = part.join(MOMENT);
    let text = serde_json::to_vec(&moment).unwrap_or_default();
    fs::write(&path, text).map_err(LabError::file("cannot write", path))?;
    if let Some(marks) = &marks {
        let path = part.join(MARKS);
        let bytes = postcard::to_stdvec(marks).unwrap_or_default();
        fs::write(&path, bytes).map_err(LabError::file("cannot write", path))?;
    }
    let sealed = FILES.into_iter().chain(marks.map(|_| MARKS));
    Seal::new(part, SEAL).make(sealed)?;
    Ok(true)
}

/// The machine for making a template: the same configuration with other sockets.
fn for_making(config: &MachineConfig, hbas: Vec<HbaSocket>) -> Result<MachineConfig> {
    let queues = |hbas: &[HbaSocket]| hbas.iter().map(|h| h.request_queues).collect::<Vec<_>>();
    if queues(&hbas) != queues(&config.hbas) {
        let why = "the HBAs for its template differ from its own".into();
        return Err(LabError::BadMachine { why });
    }
    let work_dir = config.work_dir.join("t");
    fs::create_dir_all(&work_dir).map_err(LabError::file("cannot create", &work_dir))?;
    let console = work_dir.join("console.log");
    Ok(MachineConfig { hbas, work_dir, console, ..config.clone() })
}

/// On a full disk `cat` fails, and QEMU only reports a broken pipe. So this checks for free space.
fn full_disk(error: LabError, path: &Path) -> LabError {
    let free = rustix::fs::statvfs(path).map(|fs| fs.f_bavail * fs.f_frsize);
    match free {
        Ok(0..=0xf_ffff) => LabError::DiskFull { path: path.to_owned() },
        _ => error,
    }
}

fn key(config: &MachineConfig, qemu: &str, processor: &str) -> String {
    // Under KVM the guest sees the host's processor.
    let processor = match config.accel {
        Accel::Kvm => processor,
        Accel::Tcg => "",
    };
    let image = (FORMAT, &config.image.key);
    let parts = (image, qemu, processor, shape(config), BASE_MODULES, config.services);
    let text = serde_json::to_vec(&parts).unwrap_or_default();
    blake3::hash(&text).to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::{Quiet, Services, TimeMode, UdevRules, machine::sample};

    fn config() -> MachineConfig {
        sample(2)
    }

    #[test]
    fn the_key_tells_machines_apart_that_a_guest_can_tell_apart() {
        let base = key(&config(), "7.2", "cpu");
        let other_places = MachineConfig {
            work_dir: "/run/x".into(),
            console: "/y".into(),
            hbas: vec![HbaSocket { path: "/z".into(), request_queues: 1 }; 2],
            ..config()
        };
        assert_eq!(key(&other_places, "7.2", "another cpu"), base);
        let kvm = MachineConfig { accel: Accel::Kvm, ..config() };
        let with = |rules| MachineConfig { services: Services::Multipathd(rules), ..config() };
        let mut keys = vec![
            base,
            key(&config(), "7.3", "cpu"),
            key(&kvm, "7.2", "cpu"),
            key(&kvm, "7.2", "another cpu"),
            key(&MachineConfig { memory_mib: 512, ..config() }, "7.2", "cpu"),
            key(&MachineConfig { cpus: 2, ..config() }, "7.2", "cpu"),
            key(&MachineConfig { time: TimeMode::Skip, ..config() }, "7.2", "cpu"),
            key(&MachineConfig { hbas: Vec::new(), ..config() }, "7.2", "cpu"),
            key(&with(UdevRules::Stock), "7.2", "cpu"),
            key(&with(UdevRules::Lean), "7.2", "cpu"),
        ];
        let mut image = config();
        image.image.key = "l".into();
        keys.push(key(&image, "7.2", "cpu"));
        let mut queues = config();
        queues.hbas[1].request_queues = 2;
        keys.push(key(&queues, "7.2", "cpu"));
        let count = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }

    /// A store of `count` templates, the first of which was not used for longest, and where they are.
    fn store_of(count: usize, dir: &Path) -> (Templates, impl Fn(usize) -> PathBuf + use<'_>) {
        let place = move |n: usize| dir.join(format!("templates/i{}/{n:04}", n % 2));
        for n in 0..count {
            fs::create_dir_all(place(n)).unwrap();
            fs::write(place(n).join(STATE), "state").unwrap();
            let used = SystemTime::UNIX_EPOCH + Duration::from_secs(n as u64);
            fs::File::open(place(n)).unwrap().set_modified(used).unwrap();
        }
        (Templates::new(&ImageStore::at(dir).unwrap()), place)
    }

    #[test]
    fn the_templates_not_used_for_longest_are_pruned() {
        let dir = tempfile::tempdir().unwrap();
        let (templates, place) = store_of(KEPT + 3, dir.path());
        // The newest by name is the least recently used, and stays because it was just made.
        templates.prune(&Template { dir: place(0), key: "k".into() });
        let left: Vec<usize> = (0..KEPT + 3).filter(|n| place(*n).exists()).collect();
        let expected: Vec<usize> = std::iter::once(0).chain(4..KEPT + 3).collect();
        assert_eq!(left, expected);
    }

    #[test]
    fn a_full_disk_takes_the_template_not_used_for_longest_but_not_the_one_in_the_making() {
        let dir = tempfile::tempdir().unwrap();
        let (templates, place) = store_of(3, dir.path());
        let made = Template { dir: place(0), key: "k".into() };
        let busy = cache::Lock::try_take(&place(2)).unwrap().unwrap();
        assert!(templates.make_room(Some(&made), &Quiet));
        assert!(!place(1).exists() && place(2).exists());
        assert!(!templates.make_room(Some(&made), &Quiet), "another process works on it");
        drop(busy);
        assert!(templates.make_room(Some(&made), &Quiet));
        assert!(!templates.make_room(Some(&made), &Quiet));
        assert!(place(0).exists());
        assert!(templates.make_room(None, &Quiet), "an image needs the room");
        assert!(!place(0).exists());
    }
}
