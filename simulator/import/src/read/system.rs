//! The kernel and the packages.

use std::sync::LazyLock;

use regex::Regex;

use crate::facts::Facts;
use crate::pattern::pattern;

/// `Linux host 5.14.0-362.el9.x86_64 #1 SMP …`, `Linux version 5.14.0-…`, `5.14.0-…` alone.
static RELEASE: LazyLock<Regex> =
    pattern!(r"(?m)^(?:Linux (?:version |\S+ ))?(?P<release>\d+\.\d+(?:\.\d+)?[\w.+~-]*)");

pub(super) fn uname(text: &str, facts: &mut Facts) {
    let release = RELEASE.captures(text).map(|found| found["release"].to_owned());
    facts.kernel = facts.kernel.take().or(release);
}

/// `device-mapper-multipath-0.8.7-22.el9.x86_64`, `ii  multipath-tools  0.9.4-3+deb12u1  amd64 …`.
static TOOLS: LazyLock<Regex> = pattern!(
    r"(?m)^(?:ii\s+)?(?:device-mapper-multipath|multipath-tools)(?::\w+)?[\s-]+(?P<version>\d[\w.+~:-]*)"
);

pub(super) fn packages(text: &str, facts: &mut Facts) {
    let version = TOOLS.captures(text).map(|found| found["version"].to_owned());
    facts.tools = facts.tools.take().or(version);
}
