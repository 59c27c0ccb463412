//! `multipath -ll`, `-l` and `-v4 -ll`, of the three generations.
//!
//! A map has a line with its name, one with its size and features, a line for each path group, and one for each
//! path. Red Hat 4's tools (0.4.5) know no `dm-0`; those of Red Hat 5 (0.4.7) put everything into brackets; since
//! 0.4.9 it is a tree with words like `size=`. As people send it, it is indented, has empty lines between, and shows
//! a map several times, as it was before and after something.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;

use super::{features, handler, size};
use crate::facts::{Address, Disk, Facts, Group, Map, Path, PathState};
use crate::pattern::pattern;

/// `[create: ]mpatha (3600…) dm-2 IBM,1814 FAStT`. The `dm-2` is missing in the oldest, `undef` for a map to be.
static HEAD: LazyLock<Regex> = pattern!(
    r"^(?:\w+: )?(?P<name>[^\s\[:]+)\s*(?:\((?P<wwid>[^)\s]+)\))?\s*(?:(?:dm-\d+|undef)\s+(?P<vendor>[^,\[]{0,16}),(?P<product>.{0,40}?))?\s*$"
);
static SIZE: LazyLock<Regex> = pattern!(r"\bsize=\s*(?P<size>[\d.]+\s?[KMGTP])");
static FEATURES: LazyLock<Regex> =
    pattern!(r#"\bfeatures=(?:'([^']*)'|"([^"]*)"|([^\]\s][^\]]*))"#);
static HANDLER: LazyLock<Regex> = pattern!(r#"\bhwhandler=(?:'([^']*)'|"([^"]*)"|([^\]]*))"#);
/// `|-+- policy='service-time 0' prio=50 status=active`, `\_ round-robin 0 [prio=50][active]`.
static GROUP: LazyLock<Regex> =
    pattern!(r"(?:policy='[^']*'|\\?_ [a-z-]+ \d+)\s*\[?(?:prio=(?P<prio>-?\d+))?");
/// `0:0:0:0 sda 8:0 active ready running`, `\_ 0:0:0:0 sda 8:0 [active][ready]`.
static PATH: LazyLock<Regex> = pattern!(
    r"(?P<address>(?:\d+|#):(?:\d+|#):(?:\d+|#):(?:\d+|#))\s+(?P<disk>\S+)\s+(?P<number>\S+)(?P<states>.*)$"
);
/// `0:0:0:0 sda 8:0 -1 undef undef IBM,1814 FAStT unknown` in the list of paths of `-v3` and above; `uuid` before
/// it can be empty.
static LISTED: LazyLock<Regex> = pattern!(
    r"^\S*\s+(?P<address>\d+:\d+:\d+:\d+)\s+(?P<disk>[a-z]\w*)\s+\d+:\d+\s+-?\d+\s+\w+\s+\w+\s+(?P<vendor>[^,]{1,8}),(?P<product>.{1,16}?)\s+\w+\s*$"
);

/// What the shell of `multipathd -k` writes in front of an answer.
const PROMPT: &str = "multipathd> ";

/// Adds the maps of the text.
pub(super) fn read(text: &str, facts: &mut Facts) {
    let mut map: Option<Map> = None;
    // The line before, which may be the head of a map.
    let mut before: Option<Map> = None;
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let mut done = |map: Map, facts: &mut Facts| {
        let time = times.entry(map.name.clone()).or_default();
        match time.checked_sub(1) {
            None => facts.map(map),
            Some(again) => facts.map_again(again, map),
        }
        *time += 1;
    };
    let lines = text.lines().map(|line| line.strip_prefix(PROMPT).unwrap_or(line).trim_end());
    for line in lines.filter(|line| !line.is_empty()) {
        if let Some((address, disk)) = listed(line) {
            facts.disk(address, disk);
            continue;
        }
        if let Some(found) = SIZE.captures(line) {
            if let Some(map) = map.take() {
                done(map, facts);
            }
            map = before.take().map(|head| Map {
                size: size(&found["size"]),
                features: quoted(&FEATURES, line).map(features).unwrap_or_default(),
                handler: quoted(&HANDLER, line).and_then(handler),
                ..head
            });
            continue;
        }
        before = head(line);
        let Some(map) = &mut map else { continue };
        // The oldest tools have a line for each.
        if map.groups.is_empty() && line.trim_start().starts_with('[') {
            if let Some(text) = quoted(&FEATURES, line) {
                map.features = features(text);
            }
            map.handler = map.handler.take().or(quoted(&HANDLER, line).and_then(handler));
            continue;
        }
        if let Some(found) = PATH.captures(line) {
            if let Some(group) = map.groups.last_mut() {
                group.paths.push(path(
                    &found["address"],
                    &found["disk"],
                    &found["number"],
                    &found["states"],
                ));
            }
        } else if let Some(found) = GROUP.captures(line) {
            let active = line.contains("status=active")
                || line.contains("[active]")
                || line.contains("[first]");
            let priority = found.name("prio").and_then(|it| it.as_str().parse().ok());
            map.groups.push(Group { priority, active, paths: Vec::new() });
        }
    }
    if let Some(map) = map {
        done(map, facts);
    }
}

fn quoted<'t>(pattern: &Regex, line: &'t str) -> Option<&'t str> {
    let found = pattern.captures(line)?;
    (1..=3).find_map(|at| found.get(at)).map(|it| it.as_str())
}

fn head(line: &str) -> Option<Map> {
    // Lines of -v4, times in front and all, are no heads.
    if line.contains(" | ") || line.trim_start().starts_with(['|', '`', '\\', '[', '=']) {
        return None;
    }
    let found = HEAD.captures(line.trim_start())?;
    // What is indented can be anything, unless it names a map in full.
    if line.starts_with([' ', '\t']) && found.name("vendor").is_none() {
        return None;
    }
    let text = |name| found.name(name).map_or("", |it| it.as_str().trim()).to_owned();
    let name = text("name");
    // Where names are not friendly, the name is the WWID.
    let is_wwid = name.len() >= 17 && name.chars().skip(1).all(|it| it.is_ascii_hexdigit());
    let wwid = Some(text("wwid")).filter(|it| !it.is_empty()).or(is_wwid.then(|| name.clone()));
    Some(Map { name, wwid, vendor: text("vendor"), product: text("product"), ..Map::default() })
}

/// A path with its states: `active ready running`, or `[active][ready]`.
fn path(address: &str, disk: &str, number: &str, states: &str) -> Path {
    let says = |words: &[&str]| states.split([' ', '[', ']']).any(|state| words.contains(&state));
    let state = match (says(&["faulty", "i/o-error", "offline"]), says(&["failed"])) {
        (true, _) => PathState::Down,
        (false, true) => PathState::GivenUp,
        (false, false) => PathState::Good,
    };
    Path {
        address: Address::read(address),
        disk: Some(disk.to_owned())
            .filter(|disk| disk.starts_with(|it: char| it.is_ascii_lowercase())),
        number: Some(number.to_owned()).filter(|number| number.contains(':')),
        state,
        port_name: None,
    }
}

fn listed(line: &str) -> Option<(Address, Disk)> {
    let found = LISTED.captures(line)?;
    let text = |name: &str| found[name].trim().to_owned();
    let disk = Disk {
        vendor: text("vendor"),
        product: text("product"),
        name: Some(text("disk")),
        ..Disk::default()
    };
    Some((Address::read(&found["address"])?, disk))
}
