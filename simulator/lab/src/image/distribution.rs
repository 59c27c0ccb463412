//! The images that are known by name.

use serde::Serialize;

/// What an image is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Spec {
    /// The name that `--image` takes.
    pub(crate) name: &'static str,
    /// One line for the list.
    pub(crate) description: &'static str,
    /// The distribution's suite, as mmdebstrap takes it.
    pub(crate) suite: &'static str,
    /// Where packages come from besides the suite itself.
    pub(crate) extra: Extra,
    /// The packages, the kernel's among them; what they depend on comes along.
    pub(crate) packages: &'static [&'static str],
}

/// Where packages come from besides the suite itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Extra {
    /// From nowhere else.
    None,
    /// From the suite's backports, for everything that they have: the kernel, mostly.
    Backports,
    /// Nowhere. The suite changes every day, and its index expires after a week: one that the mirror
    /// has not renewed yet is taken all the same, and its signature is checked.
    Rolling,
}

/// The image whose userland those with a kernel of the user's own get.
pub(crate) const DEFAULT: &str = "bookworm";

/// The kernel must not be a `-cloud` one: those have no device handlers.
const PACKAGES: &[&str] = &[
    "linux-image-amd64",
    "udev",
    "multipath-tools",
    "kmod",
    "sg3-utils",
    "dmsetup",
    // Not in every suite do the others need them; scenarios run `cat`, `dd` and `perl`.
    "coreutils",
    "perl-base",
    // Every Debian has them; udev's rules call `logger`, and people who look into a guest the rest.
    "bash",
    "bsdutils",
    "dash",
    "grep",
    "ncurses-base",
    "procps",
    "sed",
    "util-linux",
];

/// All of them, by the age of their kernels.
pub(crate) const SPECS: &[Spec] = &[
    Spec {
        name: "bullseye",
        description: "Debian 11 (bullseye) with its kernel, 5.10, and multipath-tools 0.8",
        suite: "bullseye",
        extra: Extra::None,
        packages: PACKAGES,
    },
    Spec {
        name: DEFAULT,
        description: "Debian 12 (bookworm) with its kernel, 6.1, and multipath-tools 0.9",
        suite: "bookworm",
        extra: Extra::None,
        packages: PACKAGES,
    },
    Spec {
        name: "bookworm-backports",
        description: "Debian 12 (bookworm) with the kernel of its backports, 6.12",
        suite: "bookworm",
        extra: Extra::Backports,
        packages: PACKAGES,
    },
    Spec {
        name: "trixie",
        description: "Debian 13 (trixie) with its kernel, 6.12, and multipath-tools 0.11",
        suite: "trixie",
        extra: Extra::None,
        packages: PACKAGES,
    },
    Spec {
        name: "trixie-backports",
        description: "Debian 13 (trixie) with the newest kernel of its backports",
        suite: "trixie",
        extra: Extra::Backports,
        packages: PACKAGES,
    },
    Spec {
        name: "sid",
        description: "Debian unstable (sid) as it is on the day of the build",
        suite: "sid",
        extra: Extra::Rolling,
        packages: PACKAGES,
    },
];

/// The specification of that name.
pub(crate) fn find(name: &str) -> Option<&'static Spec> {
    SPECS.iter().find(|spec| spec.name == name)
}

impl Spec {
    /// Options of mmdebstrap besides suite and packages.
    pub(crate) fn options(&self) -> Vec<String> {
        match self.extra {
            Extra::None => Vec::new(),
            Extra::Rolling => vec!["--aptopt=Acquire::Check-Valid-Until \"false\"".to_owned()],
            Extra::Backports => {
                let suite = self.suite;
                // From the same mirror as the suite, which mmdebstrap knows.
                let line = format!(
                    "sed -n 's/^\\(deb .*\\) {suite} \\(.*\\)$/\\1 {suite}-backports \\2/p' \
                     \"$1/etc/apt/sources.list\" > \"$1/etc/apt/sources.list.d/backports.list\""
                );
                vec![
                    format!("--setup-hook={line}"),
                    format!("--aptopt=APT::Default-Release \"{suite}-backports\""),
                ]
            }
        }
    }
}
