//! What the lines of a log say.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use regex::Regex;

use super::{
    time::{Line, Times, Who},
    words::{self, HostByte},
    wrapped,
};
use crate::{
    Text,
    facts::{Address, Disk, Facts, Remote},
    pattern::pattern,
};

/// Most things of one log that are kept.
const MOST: usize = 20_000;
/// Most characters of a line that are looked at.
const LONGEST: usize = 2000;

/// A disk as a log names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    At(Address),
    /// `sdc`.
    Name(String),
    /// `8:32`.
    Number(String),
}

/// Sense key, additional sense code and qualifier.
pub(crate) type Sense = (u8, u8, u8);

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    /// A command failed.
    Failed { disk: Named, host: HostByte, sense: Option<Sense>, op: Option<String> },
    /// dm-multipath gives a path up.
    Failing(Named),
    /// dm-multipath, or multipathd, takes a path back.
    Back(Named),
    /// The path checker says that a path is down.
    Down(Named),
    /// All that is behind a host is gone.
    HostDown(u32),
    /// A device handler moves a LUN through this path.
    Activating(Named),
    /// The array refuses to move a LUN.
    Refused { disk: Named, sense: Sense },
    /// I/O on the map failed: what an application sees.
    IoError,
    /// A map has no path left.
    NoPath,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Happened {
    /// Seconds, from the log's own beginning of time.
    pub(crate) t: f64,
    pub(crate) what: What,
    /// The line without time and host.
    pub(crate) line: String,
}

static DISK: LazyLock<Regex> = pattern!(
    r"^scsi (?P<address>\d+:\d+:\d+:\d+): Direct-Access\s{1,5}(?P<vendor>.{8}) (?P<product>.{16}) (?P<revision>.{0,4}) ?PQ:"
);
static CAPACITY: LazyLock<Regex> = pattern!(
    r"^sd (?P<address>\d+:\d+:\d+:\d+): \[(?P<name>sd[a-z]+)\] (?P<blocks>\d+) (?P<size>\d+)-byte logical blocks"
);
static SD: LazyLock<Regex> = pattern!(
    r"^(?:sd|scsi) (?P<address>\d+:\d+:\d+:\d+):(?: \[(?P<name>sd[a-z]+)\])?(?: tag#\d+)? (?P<text>.*)$"
);
static OLD_SD: LazyLock<Regex> =
    pattern!(r"^(?P<name>sd[a-z]+): (?P<text>(?:Current|Deferred|Sense Key).*)$");
/// `SCSI error : <1 0 1 0> return code = 0x10000`: kernels before 2.6.10.
static OLDEST_SD: LazyLock<Regex> = pattern!(
    r"^SCSI error : <(?P<host>\d+) (?P<channel>\d+) (?P<target>\d+) (?P<lun>\d+)> (?P<text>return code.*)$"
);
static RESULT: LazyLock<Regex> = pattern!(r"[Rr]esult: hostbyte=(?P<host>DID_\w+)");
static CODE: LazyLock<Regex> = pattern!(r"return code = (?:0x)?(?P<code>[0-9a-fA-F]{1,8})");
static KEY: LazyLock<Regex> = pattern!(r"(?i)sense key\s*: (?P<key>[A-Za-z ]+)");
static CODES: LazyLock<Regex> =
    pattern!(r"ASC=(?:0x)?(?P<asc>[0-9a-fA-F]+) ASCQ=(?:0x)?(?P<ascq>[0-9a-fA-F]+)");
static ADDITIONAL: LazyLock<Regex> = pattern!(r"(?i)Add\. Sense: (?P<text>.*)$");
static CDB: LazyLock<Regex> = pattern!(r"CDB: (?P<op>[A-Za-z /]+)");
static HANDLER: LazyLock<Regex> = pattern!(r"^(?P<handler>rdac|emc|hp_sw|alua): (?P<text>.*)$");
static HANDLER_SENSE: LazyLock<Regex> = pattern!(
    r"(?i)sense(?: data| code)?:? (?:0x)?\s*(?P<key>[0-9a-f]{1,2})[/, ]+(?:0x)?\s*(?P<asc>[0-9a-f]{1,2})[/, ]+(?:0x)?\s*(?P<ascq>[0-9a-f]{1,2})"
);
static DM: LazyLock<Regex> = pattern!(
    r"^device-mapper: (?:dm-)?multipath: (?:\d+:\d+: )?(?P<what>Failing|Reinstating) path (?P<number>\d+:\d+)"
);
static RPORT: LazyLock<Regex> =
    pattern!(r"^\s*rport-(?P<host>\d+):\d+-\d+: blocked FC remote port time out");
/// `qla2xxx [0000:81:00.1]-500b:10: LOOP DOWN detected`, `lpfc 0000:04:00.0: 1:1305 Link Down Event`: the host's number.
static HOST_DOWN: LazyLock<Regex> = pattern!(
    r"^(?:qla2xxx \[[^\]]*\]-\w+:(?P<q>\d+): +LOOP DOWN|lpfc \S+ (?P<l>\d+):(?:\(\d+\):)?1305 Link Down)"
);
static OFFLINE: LazyLock<Regex> = pattern!(
    r"^(?:sd|scsi) (?P<address>\d+:\d+:\d+:\d+): rejecting I/O to (?:offline|dead) device"
);
static IO_ERROR: LazyLock<Regex> = pattern!(
    r"(?:I/O error|Buffer I/O error|lost page write|lost async page write).*\bdev(?:ice)? dm-\d+"
);
/// `sdc: tur checker reports path is down`, and `mpatha: sdc - tur checker reports path is down` since 0.6.
static CHECKER: LazyLock<Regex> = pattern!(
    r"^(?:[^:]+: )?(?P<name>sd[a-z]+)(?:(?: - \w+)?:| -) .*(?P<what>is down|path down|path offline|mark as failed|checker timed out|is up|path up|reinstated)"
);
/// `mpatha: remaining active paths: 1`, and not `sdc: …` or `8:32: …`.
static MAP_NAME: LazyLock<Regex> = pattern!(r"^(?P<name>[A-Za-z][\w.-]*|[0-9a-f]{17,}): ");
/// `array LABEL, ctlr 1, …` (scsi_dh_rdac.c).
static ARRAY_NAME: LazyLock<Regex> = pattern!(r"array (?P<name>.{1,40}?), ctlr \d");
static NO_PATH: LazyLock<Regex> = pattern!(r"remaining active paths: 0\b");
static BACK: LazyLock<Regex> = pattern!(r"(?P<number>\d+:\d+): reinstated");
static VERSION: LazyLock<Regex> = pattern!(r"^Linux version (?P<release>\d\S*)");

/// A failed command whose lines are not all read yet.
#[derive(Debug, Default)]
struct Pending {
    t: f64,
    host: Option<HostByte>,
    key: Option<u8>,
    codes: Option<(u8, u8)>,
    op: Option<String>,
    line: String,
}

#[derive(Default)]
struct Reader {
    happened: Vec<Happened>,
    pending: BTreeMap<Named, Pending>,
}

/// What happened by a log; disks and handlers that it tells of become facts.
pub(crate) fn read(log: &Text, facts: &mut Facts) -> Vec<Happened> {
    let mut times = Times::default();
    let mut reader = Reader::default();
    for line in wrapped::lines(&log.text) {
        if reader.happened.len() >= MOST {
            break;
        }
        let end = line.char_indices().nth(LONGEST).map_or(line.len(), |(at, _)| at);
        let Some(line) = times.line(&line[..end]) else { continue };
        match line.who {
            Who::Kernel => reader.kernel(&line, facts),
            Who::Multipathd => reader.daemon(&line, facts),
        }
    }
    let open = std::mem::take(&mut reader.pending);
    open.into_iter().for_each(|(disk, pending)| reader.failed(disk, pending));
    facts.apart = apart(&reader.happened);
    reader.happened.sort_by(|a, b| a.t.total_cmp(&b.t));
    reader.happened
}

/// The targets that were in standby or unavailable.
fn apart(happened: &[Happened]) -> BTreeSet<Remote> {
    let targets = happened.iter().filter_map(|it| match &it.what {
        What::Failed { disk: Named::At(address), sense: Some(sense), .. } => {
            words::access_state(*sense).filter(|it| *it != "transitioning")?;
            Some(address.remote())
        }
        _ => None,
    });
    targets.collect()
}

impl Reader {
    fn push(&mut self, line: &Line<'_>, what: What) {
        self.happened.push(Happened { t: line.t, what, line: line.text.trim_end().to_owned() });
    }

    fn kernel(&mut self, line: &Line<'_>, facts: &mut Facts) {
        if attached(line.text, facts) {
            return;
        }
        if let Some(found) = DM.captures(line.text) {
            let disk = Named::Number(found["number"].to_owned());
            let failing = &found["what"] == "Failing";
            self.push(line, if failing { What::Failing(disk) } else { What::Back(disk) });
        } else if let Some(host) = lost_host(line.text) {
            self.push(line, What::HostDown(host));
        } else if let Some(found) = OFFLINE.captures(line.text) {
            let Some(address) = Address::read(&found["address"]) else { return };
            let (disk, host) = (Named::At(address), HostByte::Gone);
            facts.disk(address, Disk::default());
            self.push(line, What::Failed { disk, host, sense: None, op: None });
        } else if IO_ERROR.is_match(line.text) {
            self.push(line, What::IoError);
        } else if let Some(found) = SD.captures(line.text) {
            let Some(address) = Address::read(&found["address"]) else { return };
            let text = found.name("text").map_or("", |it| it.as_str());
            let name = found.name("name").map(|it| it.as_str().to_owned());
            facts.disk(address, Disk { name, ..Disk::default() });
            self.of_disk(line, Named::At(address), text, facts);
        } else if let Some(found) = OLDEST_SD.captures(line.text) {
            let number = |name: &str| &found[name];
            let address = ["host", "channel", "target", "lun"].map(number).join(":");
            let Some(address) = Address::read(&address) else { return };
            facts.disk(address, Disk::default());
            let text = found.name("text").map_or("", |it| it.as_str());
            self.of_disk(line, Named::At(address), text, facts);
        } else if let Some(found) = OLD_SD.captures(line.text) {
            let text = found.name("text").map_or("", |it| it.as_str());
            self.of_disk(line, Named::Name(found["name"].to_owned()), text, facts);
        }
    }

    fn of_disk(&mut self, line: &Line<'_>, disk: Named, text: &str, facts: &mut Facts) {
        if let Some(found) = HANDLER.captures(text) {
            facts.handler_in_log.get_or_insert_with(|| found["handler"].to_owned());
            self.handler(line, disk, &found["text"], facts);
            return;
        }
        let begins = RESULT.is_match(text) || CODE.is_match(text);
        if begins && let Some(before) = self.pending.remove(&disk) {
            self.failed(disk.clone(), before);
        }
        let is_part = begins
            || self.pending.contains_key(&disk)
            || KEY.is_match(text)
            || ADDITIONAL.is_match(text);
        if !is_part {
            return;
        }
        let pending = self
            .pending
            .entry(disk.clone())
            .or_insert_with(|| Pending { t: line.t, ..Pending::default() });
        if !pending.line.is_empty() {
            pending.line.push('\n');
        }
        pending.line.push_str(line.text.trim_end());
        pending.take(text);
        if pending.op.is_some()
            && let Some(pending) = self.pending.remove(&disk)
        {
            self.failed(disk, pending);
        }
    }

    /// A failed command of which all lines are read.
    fn failed(&mut self, disk: Named, pending: Pending) {
        let host = pending.host.unwrap_or(HostByte::Other);
        // Logs are cut: the line with the sense key can be missing.
        let key = pending.key.or_else(|| words::key_of(pending.codes?));
        let sense = key.map(|key| {
            let (asc, ascq) = pending.codes.unwrap_or_default();
            (key, asc, ascq)
        });
        if host != HostByte::Other || sense.is_some() {
            let what = What::Failed { disk, host, sense, op: pending.op };
            self.happened.push(Happened { t: pending.t, what, line: pending.line });
        }
    }

    fn handler(&mut self, line: &Line<'_>, disk: Named, text: &str, facts: &mut Facts) {
        if let Some(found) = ARRAY_NAME.captures(text) {
            facts.name_in_log("array", &found["name"]);
        }
        if let Some(found) = HANDLER_SENSE.captures(text) {
            let hex = |name| u8::from_str_radix(&found[name], 16).unwrap_or_default();
            let sense = (hex("key") & 0x0f, hex("asc"), hex("ascq"));
            self.push(line, What::Refused { disk, sense });
        } else if text.contains("queueing MODE_SELECT") || text.contains("sending trespass") {
            self.push(line, What::Activating(disk));
        }
    }

    fn daemon(&mut self, line: &Line<'_>, facts: &mut Facts) {
        if let Some(found) = MAP_NAME.captures(line.text) {
            facts.name_in_log("map", &found["name"]);
        }
        if let Some(found) = CHECKER.captures(line.text) {
            let disk = Named::Name(found["name"].to_owned());
            let up = matches!(&found["what"], "is up" | "path up" | "reinstated");
            self.push(line, if up { What::Back(disk) } else { What::Down(disk) });
        } else if let Some(found) = BACK.captures(line.text) {
            self.push(line, What::Back(Named::Number(found["number"].to_owned())));
        }
        if NO_PATH.is_match(line.text) {
            self.push(line, What::NoPath);
        }
    }
}

impl Pending {
    fn take(&mut self, text: &str) {
        if let Some(found) = RESULT.captures(text) {
            self.host = Some(HostByte::of(&found["host"]));
        }
        if let Some(found) = CODE.captures(text) {
            let code = u32::from_str_radix(&found["code"], 16).unwrap_or_default();
            self.host = Some(HostByte::of(HostByte::name(code)));
        }
        if let Some(found) = KEY.captures(text) {
            self.key = words::sense_key(&found["key"]);
        }
        if let Some(found) = CODES.captures(text) {
            let hex = |name| u8::from_str_radix(&found[name], 16).unwrap_or_default();
            self.codes = Some((hex("asc"), hex("ascq")));
        } else if let Some(found) = ADDITIONAL.captures(text) {
            self.codes = words::additional(&found["text"]);
        }
        if let Some(found) = CDB.captures(text) {
            self.op = Some(found["op"].trim().to_ascii_uppercase());
        }
    }
}

/// The host of which a line tells that nothing is behind it any more.
fn lost_host(text: &str) -> Option<u32> {
    if let Some(found) = HOST_DOWN.captures(text) {
        return found.name("q").or(found.name("l"))?.as_str().parse().ok();
    }
    RPORT.captures(text)?["host"].parse().ok()
}

/// Takes what a line tells of disks and the kernel; whether it does.
fn attached(text: &str, facts: &mut Facts) -> bool {
    if let Some(found) = VERSION.captures(text) {
        facts.kernel.get_or_insert_with(|| found["release"].to_owned());
        return true;
    }
    if let Some(found) = DISK.captures(text) {
        let trimmed = |name: &str| found[name].trim().to_owned();
        let (vendor, product) = (trimmed("vendor"), trimmed("product"));
        let disk = Disk { vendor, product, revision: trimmed("revision"), ..Disk::default() };
        if let Some(address) = Address::read(&found["address"]) {
            facts.disk(address, disk);
        }
        return true;
    }
    if let Some(found) = CAPACITY.captures(text) {
        let number = |name: &str| found[name].parse::<u64>().ok();
        let size = number("blocks")
            .zip(number("size"))
            .and_then(|(blocks, size)| blocks.checked_mul(size));
        let disk = Disk { name: Some(found["name"].to_owned()), size, ..Disk::default() };
        if let Some(address) = Address::read(&found["address"]) {
            facts.disk(address, disk);
        }
        return true;
    }
    false
}
