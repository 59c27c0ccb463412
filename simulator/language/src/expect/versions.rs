//! Versions of what runs in a guest: where something is expected, and where it is known to fail.

use crate::{
    check::Checker,
    form::{Name, name, table},
    value::{At, VersionRange},
};

/// What runs in a guest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    /// The kernel's `uname -r`.
    pub kernel: String,
    /// That of multipath-tools; `None` when there are none, or nobody has asked.
    pub multipath_tools: Option<String>,
}

/// Versions of what runs in a guest: all that are given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges {
    /// Of the kernel.
    pub kernel: Option<VersionRange>,
    /// Of multipath-tools.
    pub multipath_tools: Option<VersionRange>,
}

/// Versions that are known to break an expectation, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Which.
    pub on: Ranges,
    /// Why: a commit, a report, a sentence.
    pub because: String,
}

impl Ranges {
    /// Whether all of them fit. A version that is not known fits nothing.
    pub fn contain(&self, versions: &Versions) -> bool {
        let tools = versions.multipath_tools.as_deref();
        self.kernel.as_ref().is_none_or(|range| range.contains(&versions.kernel))
            && self
                .multipath_tools
                .as_ref()
                .is_none_or(|range| tools.is_some_and(|version| range.contains(version)))
    }

    pub(super) fn of(
        kernel: &Option<Name<VersionRange>>,
        multipath_tools: &Option<Name<VersionRange>>,
    ) -> Self {
        let range = |given: &Option<Name<VersionRange>>| given.as_ref().map(|it| it.0.clone());
        Ranges { kernel: range(kernel), multipath_tools: range(multipath_tools) }
    }
}

table! {
    /// Versions that are known to fail an expectation: of the kernel, of multipath-tools, or of both.
    pub(super) struct KnownFailure, "a table such as { kernel = \"< 6.7\", because = \"2274bd5e3a2c\" }" {
        /// Which kernels.
        kernel: Option<Name<VersionRange>>,
        /// Which versions of multipath-tools.
        multipath_tools: Option<Name<VersionRange>>,
        /// Why: a commit, a report, a sentence.
        because: String,
    }
}

impl At<KnownFailure> {
    pub(super) fn check(&self, checker: &mut Checker<'_>) -> Known {
        let on = Ranges::of(&self.kernel, &self.multipath_tools);
        if on == Ranges::default() {
            let problem = "a failure that is known everywhere is what should be expected";
            let help = "write `kernel`, `multipath_tools` or both into `known`";
            checker.refuse(&self.span, problem, help);
        }
        Known { on, because: self.because.clone() }
    }
}

impl KnownFailure {
    /// The way back.
    pub(super) fn of(known: &Known) -> Self {
        KnownFailure {
            kernel: known.on.kernel.clone().map(name),
            multipath_tools: known.on.multipath_tools.clone().map(name),
            because: known.because.clone(),
        }
    }
}
