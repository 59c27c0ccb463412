//! Lists of disks: `lsscsi`, /proc/scsi/scsi.

use std::sync::LazyLock;

use regex::Regex;

use crate::facts::{Address, Disk, Facts};
use crate::pattern::pattern;

/// `[0:0:0:1]  disk  IBM      1814      FAStT  0916  /dev/sdb`: vendor, product and revision are padded to 8, 16
/// and 4 characters.
static LINE: LazyLock<Regex> = pattern!(
    r"^\[(?P<address>\d+:\d+:\d+:\d+)\]\s+disk\s{1,4}(?P<vendor>.{8}) (?P<product>.{16}) (?P<revision>.{4})\s+(?P<dev>\S+)"
);

pub(super) fn lsscsi(text: &str, facts: &mut Facts) {
    for found in text.lines().filter_map(|line| LINE.captures(line)) {
        let trimmed = |name: &str| found[name].trim().to_owned();
        let name = found["dev"].strip_prefix("/dev/").map(str::to_owned);
        let disk = Disk {
            vendor: trimmed("vendor"),
            product: trimmed("product"),
            revision: trimmed("revision"),
            name,
            size: None,
        };
        if let Some(address) = Address::read(&found["address"]) {
            facts.disk(address, disk);
        }
    }
}

static HOST: LazyLock<Regex> = pattern!(
    r"Host: scsi(?P<host>\d+) Channel: (?P<channel>\d+) Id: (?P<target>\d+) Lun: (?P<lun>\d+)"
);
static NAMES: LazyLock<Regex> =
    pattern!(r"Vendor: (?P<vendor>.{8}) Model: (?P<product>.{16}) Rev: (?P<revision>.{0,4})");

pub(super) fn proc_scsi(text: &str, facts: &mut Facts) {
    let (mut address, mut disk) = (None, None);
    for line in text.lines() {
        if let Some(found) = HOST.captures(line) {
            let number = |name: &str| found[name].parse().ok();
            let lun = found["lun"].parse().ok();
            let all = (number("host"), number("channel"), number("target"), lun);
            address = match all {
                (Some(host), Some(channel), Some(target), Some(lun)) => {
                    Some(Address { host, channel, target, lun })
                }
                _ => None,
            };
        } else if let Some(found) = NAMES.captures(line) {
            let trimmed = |name: &str| found[name].trim().to_owned();
            let (vendor, product) = (trimmed("vendor"), trimmed("product"));
            let revision = trimmed("revision");
            disk = Some(Disk { vendor, product, revision, ..Disk::default() });
        } else if line.contains("Direct-Access")
            && let (Some(address), Some(disk)) = (address.take(), disk.take())
        {
            facts.disk(address, disk);
        }
    }
}
