//! The images that are known by name.

use serde::Serialize;

/// What an image is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Spec {
    /// Its name.
    pub(crate) name: &'static str,
    /// One line for the list.
    pub(crate) description: &'static str,
    /// The distribution's suite, as mmdebstrap takes it.
    pub(crate) suite: &'static str,
    /// The packages, the kernel's among them; what they depend on comes along.
    pub(crate) packages: &'static [&'static str],
}

/// The image whose userland those with a kernel of the user's own get.
pub(crate) const DEFAULT: &str = "bookworm";

/// All of them. The kernel must not be a `-cloud` one: those have no device handlers.
pub(crate) const SPECS: &[Spec] = &[Spec {
    name: DEFAULT,
    description: "Debian 12 (bookworm) with its kernel and multipath-tools",
    suite: "bookworm",
    packages: &["linux-image-amd64", "udev", "multipath-tools", "kmod", "sg3-utils", "dmsetup"],
}];

/// The specification of that name.
pub(crate) fn find(name: &str) -> Option<&'static Spec> {
    SPECS.iter().find(|spec| spec.name == name)
}
