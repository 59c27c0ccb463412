//! What a text is: by its name in a sosreport, and by what it looks like.

use std::sync::LazyLock;

use regex::Regex;

use crate::{conf, pattern::pattern};

/// What a text can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `multipath -ll` of any generation, `-v4` included.
    MultipathLl,
    /// `multipathd show maps json`.
    MapsJson,
    /// multipath.conf.
    Conf,
    /// `multipathd show config`, `multipath -t`: with the built-in table.
    ShownConfig,
    /// `dmsetup table` or `dmsetup status`.
    Dm,
    /// `lsscsi`.
    Lsscsi,
    /// /proc/scsi/scsi.
    ProcScsi,
    /// `uname -a`, /proc/version.
    Uname,
    /// Lists of packages.
    Packages,
    /// `sg_rtpg`.
    Rtpg,
    /// `sg_inq`, decoded.
    Inquiry,
    /// A page as bytes: `sg_inq --hex`, `sg_vpd --hex`, and the decoded page 83h.
    Page,
}

/// Files of a sosreport that are of use: beginnings of the last parts of their paths. sos calls the output of a
/// command by the command with underscores for spaces.
const WANTED: [&str; 20] = [
    "multipath_-",
    "multipathd_show",
    "multipath.conf",
    "dmsetup_table",
    "dmsetup_status",
    "dmsetup_-v",
    "lsscsi",
    "uname",
    "installed-rpms",
    "installed-debs",
    "dpkg_-l",
    "rpm_-qa",
    "package-data",
    "sg_inq",
    "sg_vpd",
    "sg_rtpg",
    "proc/scsi/scsi",
    "proc/version",
    "os-release",
    "multipathd_-k",
];

/// Whether a file of this name is read. The others of a sosreport, thousands, are not.
pub(crate) fn is_wanted(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    let in_conf_d = name.contains("etc/multipath/conf.d/") && last.ends_with(".conf");
    in_conf_d
        || WANTED.iter().any(|wanted| match wanted.contains('/') {
            true => name.ends_with(wanted),
            false => last.starts_with(wanted),
        })
}

/// Whether a file of this name is a log that can tell of a failover.
pub(crate) fn is_log(name: &str) -> bool {
    const LOGS: [&str; 3] = ["var/log/messages", "var/log/syslog", "var/log/kern.log"];
    LOGS.iter().any(|log| name.ends_with(log)) || name.contains("sos_commands/logs/journalctl_")
}

static MAP_LINE: LazyLock<Regex> =
    pattern!(r"(?m)^.{0,200}(\bdm-\d+\b.*,|\[size=|size=\S+ features=)");
static DM_LINE: LazyLock<Regex> = pattern!(r"(?m)^(\S+: )?\d+ \d+ multipath \d");
static LSSCSI_LINE: LazyLock<Regex> = pattern!(r"(?m)^\[\d+:\d+:\d+:\d+\]\s");
static UNAME: LazyLock<Regex> = pattern!(r"(?m)^Linux (version )?\S+");
static PACKAGE: LazyLock<Regex> =
    pattern!(r"(?m)^(ii\s+)?(device-mapper-multipath|multipath-tools)[\s\-:]");
static HEX_LINE: LazyLock<Regex> = pattern!(r"(?m)^\s*[0-9a-fA-F]{2,8}:?\s+([0-9a-fA-F]{2}\s+){4}");
static PAGE: LazyLock<Regex> = pattern!(r"(?i)VPD Page|VPD page|designat(ion|or)");

/// What a text looks like; `None` if nothing known begins so.
pub(crate) fn of(name: &str, text: &str) -> Option<Kind> {
    let head: String = text.chars().take(1 << 16).collect();
    let start = head.trim_start();
    if start.starts_with('{') && head.contains("\"maps\"") {
        return Some(Kind::MapsJson);
    }
    if conf::looks_like(&head) && !MAP_LINE.is_match(&head) {
        let shown = name.contains("show") || name.contains("_-t") || conf::has_table(text);
        return Some(if shown { Kind::ShownConfig } else { Kind::Conf });
    }
    let known: [(bool, Kind); 9] = [
        (DM_LINE.is_match(text), Kind::Dm),
        (MAP_LINE.is_match(text), Kind::MultipathLl),
        (head.contains("Attached devices:"), Kind::ProcScsi),
        (LSSCSI_LINE.is_match(&head), Kind::Lsscsi),
        (head.contains("target port group id"), Kind::Rtpg),
        (head.contains("Vendor identification:"), Kind::Inquiry),
        (HEX_LINE.is_match(&head) || PAGE.is_match(&head), Kind::Page),
        (PACKAGE.is_match(text), Kind::Packages),
        (UNAME.is_match(&head), Kind::Uname),
    ];
    known.into_iter().find(|(is, _)| *is).map(|(_, kind)| kind)
}
