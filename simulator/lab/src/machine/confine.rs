//! How QEMU is confined: a guest that breaks out of its machine finds a process that can do little.
//!
//! QEMU gets its guest's memory as standard input and the console's file as standard output, so that it needs
//! no rights on this process to open them. Besides that it reads the image, and uses the sockets of its work
//! directory.

use std::{
    ffi::OsString,
    os::unix::fs::MetadataExt,
    path::Path,
    process::{Command, Stdio},
    sync::OnceLock,
};

use rustix::process::{Resource, geteuid, getrlimit};

use super::{MachineConfig, console::CONSOLE};
use crate::{
    Result,
    host::{
        programs,
        qemu::{SANDBOX, has_sandbox},
    },
};

/// What this host allows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confinement {
    /// The options of unshare(1) for a network namespace of QEMU's own; none if the host refuses.
    network: &'static [&'static str],
    /// Whether QEMU is started without capabilities, if this process has any.
    capabilities: bool,
    /// Whether QEMU filters its system calls.
    pub system_calls: bool,
}

/// From the strongest confinement to the weakest. Whoever may, gets a namespace directly, others in a user
/// namespace. Containers often refuse it, and may keep back the right to give up capabilities.
const LADDER: [(&[&str], bool); 5] = [
    (&["--net"], true),
    (&["--map-current-user", "--net"], true),
    (&["--map-current-user", "--net"], false),
    (&[], true),
    (&[], false),
];

impl Confinement {
    /// The strongest confinement that works on this host. It is tried once.
    ///
    /// # Errors
    /// `MissingTool`.
    pub fn of_this_host() -> Result<Confinement> {
        static FOUND: OnceLock<(&[&str], bool)> = OnceLock::new();
        programs::find("setpriv")?;
        let (network, capabilities) = *FOUND.get_or_init(|| {
            let works = |(network, capabilities): &(&'static [&'static str], bool)| {
                let tried =
                    Confinement { network, capabilities: *capabilities, system_calls: false };
                let words = tried.wrapper(false);
                let mut command = Command::new(&words[0]);
                command.args(&words[1..]).arg("true").stdin(Stdio::null());
                command.stdout(Stdio::null()).stderr(Stdio::null());
                command.status().is_ok_and(|status| status.success())
            };
            LADDER.into_iter().find(works).unwrap_or((&[], false))
        });
        Ok(Confinement { network, capabilities, system_calls: has_sandbox()? })
    }

    /// The words before QEMU's: programs that each confine themselves, and run the next.
    ///
    /// SIGXFSZ is ignored, so that a write beyond the limit only fails. setpriv(1) comes last: it takes what
    /// the others need.
    fn wrapper(&self, reads_everything: bool) -> Vec<OsString> {
        // A lower limit of the user's stays.
        let console = getrlimit(Resource::Fsize).maximum.map_or(CONSOLE, |most| most.min(CONSOLE));
        let mut words = vec!["env".to_owned(), "--ignore-signal=XFSZ".to_owned()];
        if !self.network.is_empty() {
            words.push("unshare".to_owned());
            words.extend(self.network.iter().map(|&word| word.to_owned()));
        }
        words.extend(["prlimit".to_owned(), format!("--fsize={console}"), "--".to_owned()]);
        words.extend(["setpriv", "--pdeathsig", "KILL", "--no-new-privs"].map(str::to_owned));
        if self.capabilities && geteuid().is_root() {
            let kept = if reads_everything { "-all,+dac_read_search" } else { "-all" };
            words.extend(["--bounding-set", kept].map(str::to_owned));
            words.extend(["--inh-caps", "-all", "--ambient-caps", "-all"].map(str::to_owned));
        }
        words.push("--".to_owned());
        words.into_iter().map(OsString::from).collect()
    }

    /// The words before QEMU's, for this machine.
    pub(super) fn before_qemu(&self, config: &MachineConfig) -> Vec<OsString> {
        let image = &config.image;
        let paths = [&image.kernel, &image.initramfs, &image.userland, &config.work_dir];
        // root reads other users' directories by a capability only.
        self.wrapper(!paths.into_iter().all(|path| is_within_reach(path)))
    }

    /// QEMU's own arguments.
    pub(super) fn arguments(&self) -> impl Iterator<Item = OsString> {
        let words = if self.system_calls { &SANDBOX[..] } else { &[] };
        words.iter().map(OsString::from)
    }

    /// What is in force, in words, and what is not.
    pub fn in_words(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let each = [
            ("no new privileges", true),
            ("no capabilities", self.capabilities || !geteuid().is_root()),
            ("a network of its own without devices", !self.network.is_empty()),
            ("filtered system calls", self.system_calls),
        ];
        let (is, not): (Vec<_>, Vec<_>) = each.into_iter().partition(|(_, is)| *is);
        (is.into_iter().map(|it| it.0).collect(), not.into_iter().map(|it| it.0).collect())
    }
}

/// Whether this user reaches a path without a capability.
fn is_within_reach(path: &Path) -> bool {
    let user = geteuid().as_raw();
    path.ancestors().filter(|path| !path.as_os_str().is_empty()).all(|path| {
        path.metadata().is_ok_and(|meta| {
            let needed = if meta.is_dir() { 0o1 } else { 0o4 };
            let bits = if meta.uid() == user { meta.mode() >> 6 } else { meta.mode() };
            bits & needed != 0
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_started_in_it_has_no_rights_and_may_write_so_much() {
        let confinement = Confinement::of_this_host().unwrap();
        let words = confinement.wrapper(false);
        let mut command = Command::new(&words[0]);
        let script = "cat /proc/self/status /proc/self/limits; cat /proc/self/net/dev";
        let output = command.args(&words[1..]).args(["sh", "-c", script]).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let has = |line: &str| said.lines().any(|found| found.replace('\t', " ").starts_with(line));
        assert!(has("NoNewPrivs: 1"), "{said}");
        assert_eq!(
            has("CapEff: 0000000000000000"),
            confinement.in_words().0.contains(&"no capabilities")
        );
        assert!(has(&format!("Max file size             {CONSOLE}")), "{said}");
        let devices = said
            .lines()
            .filter(|line| line.trim_start().contains(": ") && line.contains("0       0"));
        if !confinement.network.is_empty() {
            assert!(devices.count() >= 1 && !said.contains("eth"), "{said}");
        }
    }

    #[test]
    fn a_directory_of_somebody_else_is_out_of_reach() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        assert!(is_within_reach(&dir.path().join("file")));
        assert!(!is_within_reach(&dir.path().join("none")));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(dir.path(), mode).unwrap();
        assert!(!is_within_reach(&dir.path().join("file")));
    }
}
