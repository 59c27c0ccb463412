//! Versions of the guest's software: for which versions something is expected, and for which it is
//! known to fail.

use std::sync::Arc;

use super::{Context, Expected, Symptom};
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::{At, VersionRange},
};

/// The versions of the guest's software.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    /// The kernel's `uname -r`.
    pub kernel: String,
    /// The version of multipath-tools; `None` if they are not installed, or if the guest was not
    /// asked.
    pub multipath_tools: Option<String>,
}

/// Ranges of software versions, all of which must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges {
    /// The range of kernel versions; `None` matches any.
    pub kernel: Option<VersionRange>,
    /// The range of multipath-tools versions; `None` matches any.
    pub multipath_tools: Option<VersionRange>,
}

/// Versions with which an expectation is known to fail, with the reason and the symptom.
#[derive(Debug, Clone)]
pub struct Known {
    /// The affected versions.
    pub on: Ranges,
    /// The reason: a commit, a report or a sentence.
    pub because: String,
    /// The conditions that hold instead, at least one.
    pub seen: Vec<Arc<dyn Expected>>,
}

impl Ranges {
    /// Whether every given range contains the version. An unknown version is in no range.
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
    /// Versions with which an expectation is known to fail: of the kernel, of multipath-tools, or
    /// of both.
    pub(super) struct KnownFailure, "a table such as { kernel = \"< 6.7\", because = \"2274bd5e3a2c\" }" {
        /// The affected kernels.
        kernel: Option<Name<VersionRange>>,
        /// The affected versions of multipath-tools.
        multipath_tools: Option<Name<VersionRange>>,
        /// The reason: a commit, a report or a sentence.
        because: String,
        /// The symptom: what is seen instead when the expectation fails.
        seen: At<Symptom>,
    }
}

impl At<KnownFailure> {
    /// Validates the entry and converts it. `context` is that of the expectation, and `expected` are
    /// its conditions.
    pub(super) fn check(
        &self,
        context: &Context,
        expected: &[Arc<dyn Expected>],
        checker: &mut Checker<'_>,
    ) -> Known {
        let on = Ranges::of(&self.kernel, &self.multipath_tools);
        if on == Ranges::default() {
            let problem = "a failure that is known everywhere is what should be expected";
            let help = "write `kernel`, `multipath_tools` or both into `known`";
            checker.refuse(&self.span, problem, help);
        }
        let seen = self.seen.check(context, checker);
        if seen.is_empty() {
            let help = "write what is seen instead, such as seen = { paths = { failed = 1 } }";
            checker.refuse(&self.seen.span, "no symptom is given here", help);
        } else if !context.is_never() {
            let foreseen: Vec<_> = seen.iter().flat_map(|it| it.subjects()).collect();
            let mut subjects = expected.iter().flat_map(|it| it.subjects());
            if !expected.is_empty() && !subjects.any(|subject| foreseen.contains(&subject)) {
                let about: Vec<_> = expected.iter().flat_map(|it| it.subjects()).collect();
                let help = format!("say what is seen of {}", about.join(", or of "));
                let problem = "the symptom is about nothing that is expected here";
                checker.refuse(&self.seen.span, problem, help);
            }
        }
        Known { on, because: self.because.clone(), seen }
    }
}

impl KnownFailure {
    /// The table that would be read as `known`.
    pub(super) fn of(known: &Known) -> Self {
        KnownFailure {
            kernel: known.on.kernel.clone().map(name),
            multipath_tools: known.on.multipath_tools.clone().map(name),
            because: known.because.clone(),
            seen: At::nowhere(Symptom::of(&known.seen)),
        }
    }
}
