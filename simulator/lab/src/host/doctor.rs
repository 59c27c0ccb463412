//! The checks of `sansim doctor`.

use std::path::Path;

use super::{
    accel::{remembered, usable},
    memory::available_memory,
    programs::{self, TOOLS},
    qemu,
};
use crate::{
    Accel, Confinement, ImageStore, LabError, Result,
    cache::write_atomically,
    image::{AgentBinary, find_agent},
};

/// Free bytes for an image, its template, and temporary files while they are built.
const ENOUGH_DISK: u64 = 2 << 30;
/// Bytes of memory for a guest of the default size and its surroundings.
const ENOUGH_MEMORY: u64 = 1 << 30;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// No problem was found.
    Good,
    /// It works, but slowly, or not for long.
    Warning,
    /// Nothing runs until this is fixed.
    Bad,
}

/// One check, with its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked: `qemu-system-x86_64`, `KVM`, `cache`…
    pub name: String,
    /// The severity of the result.
    pub health: Health,
    /// Details: a version, a path, a size, the reason of a failure.
    pub found: String,
    /// How to fix it, usually a command line; `None` when there is no problem.
    pub fix: Option<String>,
}

impl Check {
    fn good(name: &str, found: impl Into<String>) -> Check {
        Check { name: name.into(), health: Health::Good, found: found.into(), fix: None }
    }

    fn not(health: Health, name: &str, found: impl Into<String>, fix: impl Into<String>) -> Check {
        Check { name: name.into(), health, found: found.into(), fix: Some(fix.into()) }
    }
}

/// Checks everything that the lab needs. Starts no machine, and takes well under a second.
pub fn doctor(store: &ImageStore) -> Vec<Check> {
    let mut checks: Vec<Check> =
        TOOLS.iter().map(|(program, package)| tool(program, package)).collect();
    checks.push(exact_time());
    checks.push(kvm(store));
    checks.push(agent());
    checks.push(cache(store));
    checks.push(disk(store.path()));
    checks.push(memory());
    checks.push(confinement());
    checks
}

fn tool(program: &str, package: &str) -> Check {
    let found = || -> Result<String> {
        let path = programs::find(program)?;
        if program == programs::QEMU {
            return qemu::version();
        }
        // mksquashfs has its own option for this, and exits with status 1.
        let option = if program == "mksquashfs" { "-version" } else { "--version" };
        let text =
            std::process::Command::new(&path).arg(option).output().map(|output| output.stdout);
        let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
        let line = text.lines().next().unwrap_or_default().trim().to_owned();
        Ok(if line.is_empty() { path.display().to_string() } else { line })
    };
    match found() {
        Ok(found) => Check::good(program, found),
        Err(error) => {
            let found = match error {
                LabError::MissingTool { program, .. } => format!("{program} was not found"),
                error => error.to_string().lines().next().unwrap_or_default().to_owned(),
            };
            Check::not(Health::Bad, program, found, format!("apt-get install {package}"))
        }
    }
}

fn exact_time() -> Check {
    match qemu::keeps_exact_time() {
        Ok(()) => Check::good("exact time", "one seed gives one story, to the byte (--time skip)"),
        Err(error) => {
            let fix = "install QEMU 7.2.3 or later; until then stories run in real time";
            Check::not(Health::Warning, "exact time", error.to_string(), fix)
        }
    }
}

fn kvm(store: &ImageStore) -> Check {
    const WITHOUT: &str = "not needed: guests are emulated (TCG), several times slower";
    match usable(Path::new("/dev/kvm")) {
        Err(why) => Check::not(Health::Warning, "KVM", why, WITHOUT),
        Ok(()) => match remembered(store) {
            Some(decision) if decision.accel == Accel::Kvm => Check::good("KVM", decision.why),
            Some(decision) => Check::not(Health::Warning, "KVM", decision.why, WITHOUT),
            None => {
                Check::good("KVM", "/dev/kvm opens; the first run finds out whether a guest runs")
            }
        },
    }
}

fn agent() -> Check {
    match find_agent().and_then(|path| AgentBinary::read(&path).map(|_| path)) {
        Ok(path) => Check::good("agent", path.display().to_string()),
        Err(error) => {
            let fix = "cargo build --release -p sansim-agent, or set SANSIM_AGENT";
            Check::not(Health::Bad, "agent", error.to_string(), fix)
        }
    }
}

fn cache(store: &ImageStore) -> Check {
    let probe = store.path().join("probe");
    let path = store.path().display().to_string();
    match write_atomically(&probe, b"") {
        Ok(()) => {
            let _ = std::fs::remove_file(probe);
            Check::good("cache", path)
        }
        Err(error) => Check::not(
            Health::Bad,
            "cache",
            error.to_string(),
            "set SANSIM_CACHE to a directory you may write to",
        ),
    }
}

fn disk(path: &Path) -> Check {
    match rustix::fs::statvfs(path) {
        Ok(fs) => {
            let free = fs.f_bavail * fs.f_frsize;
            let found = format!("{} free for the cache", size(free));
            if free >= ENOUGH_DISK {
                Check::good("disk", found)
            } else {
                let fix = format!("an image needs up to {} while it is built", size(ENOUGH_DISK));
                Check::not(Health::Warning, "disk", found, fix)
            }
        }
        Err(error) => Check::not(
            Health::Warning,
            "disk",
            error.to_string(),
            "look at the cache's file system",
        ),
    }
}

fn memory() -> Check {
    match available_memory() {
        Some(bytes) if bytes >= ENOUGH_MEMORY => {
            Check::good("memory", format!("{} available", size(bytes)))
        }
        Some(bytes) => {
            let fix = format!("a guest needs about {}: end something else", size(ENOUGH_MEMORY));
            Check::not(Health::Warning, "memory", format!("{} available", size(bytes)), fix)
        }
        None => Check::not(Health::Warning, "memory", "unknown", "is /proc mounted?"),
    }
}

/// What a guest that breaks out of QEMU would still be kept from.
fn confinement() -> Check {
    const NAME: &str = "confinement";
    match Confinement::of_this_host().map(|it| it.in_words()) {
        Ok((is, not)) if not.is_empty() => Check::good(NAME, format!("QEMU has {}", is.join(", "))),
        Ok((is, not)) => {
            let found = format!("QEMU has {}; not {}", is.join(", "), not.join(", "));
            let fix = "not needed; where user namespaces are allowed and QEMU has seccomp, all is in force";
            Check::not(Health::Warning, NAME, found, fix)
        }
        Err(error) => {
            let fix = "apt-get install util-linux qemu-system-x86";
            Check::not(Health::Bad, NAME, error.to_string(), fix)
        }
    }
}

fn size(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_looked_at_and_what_is_not_good_has_a_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let checks = doctor(&ImageStore::at(dir.path()).unwrap());
        let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
        let tools: Vec<&str> = TOOLS.iter().map(|(program, _)| *program).collect();
        assert_eq!(names[..7], tools);
        assert_eq!(
            names[7..],
            ["exact time", "KVM", "agent", "cache", "disk", "memory", "confinement"]
        );
        for check in &checks {
            assert_eq!(check.fix.is_none(), check.health == Health::Good, "{check:?}");
            assert!(!check.found.is_empty(), "{check:?}");
        }
        let left = std::fs::read_dir(dir.path()).unwrap().flatten().map(|e| e.file_name());
        assert!(left.into_iter().all(|name| name == "images" || name == "templates"));
    }

    #[test]
    fn a_missing_tool_comes_with_its_package() {
        let check = tool("no-such-tool", "a-package");
        assert_eq!(check.health, Health::Bad);
        assert_eq!(check.found, "no-such-tool was not found");
        assert_eq!(check.fix.as_deref(), Some("apt-get install a-package"));
    }

    #[test]
    fn sizes_are_in_gibibytes() {
        assert_eq!(size(3 << 29), "1.5 GiB");
    }
}
