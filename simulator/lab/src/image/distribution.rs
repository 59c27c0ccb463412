//! The images that sansim knows by name.

use serde::Serialize;

/// How to build an image from packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Spec {
    /// The name for `--image`.
    pub(crate) name: &'static str,
    /// One line for the list of images.
    pub(crate) description: &'static str,
    /// The distribution's suite, as for mmdebstrap(1).
    pub(crate) suite: &'static str,
    pub(crate) extra: Extra,
    /// The packages, including the kernel's. Their dependencies are installed, too.
    pub(crate) packages: &'static [&'static str],
}

/// Sources of packages in addition to the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Extra {
    None,
    /// The suite's backports, for every package that is there: mostly the kernel.
    Backports,
    /// No other source. A rolling suite changes every day, and its index expires after a week. An index
    /// that the mirror has not renewed is used anyway; its signature is still checked.
    Rolling,
}

/// The image whose userland is used with a user's kernel.
pub(crate) const DEFAULT: &str = "bookworm";

/// The kernel must not be a `-cloud` one: those lack the device handlers.
const PACKAGES: &[&str] = &[
    "linux-image-amd64",
    "udev",
    "multipath-tools",
    "kmod",
    "sg3-utils",
    "dmsetup",
    // The other packages do not depend on these in every suite. Scenarios run `cat`, `dd` and `perl`.
    "coreutils",
    "perl-base",
    // Every Debian system has these. udev rules call `logger`; the others are for interactive use.
    "bash",
    "bsdutils",
    "dash",
    "grep",
    "ncurses-base",
    "procps",
    "sed",
    "util-linux",
];

/// The known images, ordered by the age of their kernels.
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

pub(crate) fn find(name: &str) -> Option<&'static Spec> {
    SPECS.iter().find(|spec| spec.name == name)
}

impl Spec {
    /// Options for mmdebstrap in addition to suite and packages.
    pub(crate) fn options(&self) -> Vec<String> {
        match self.extra {
            Extra::None => Vec::new(),
            Extra::Rolling => vec!["--aptopt=Acquire::Check-Valid-Until \"false\"".to_owned()],
            Extra::Backports => {
                let suite = self.suite;
                // From the same mirror as the suite, which mmdebstrap has determined.
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
