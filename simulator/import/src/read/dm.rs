//! `dmsetup table` and `dmsetup status`.
//!
//! The arguments of a multipath target (Documentation/admin-guide/device-mapper, and dm-mpath.c:multipath_ctr and
//! multipath_status): features and device handler, each with the number of its words; the number of groups and the
//! one in use; per group its selector with its arguments, the number of paths and of their arguments, the paths.

use crate::facts::{Facts, Group, Map, Path, PathState};

/// Adds the maps of the text.
pub(super) fn read(text: &str, facts: &mut Facts) {
    let nothing_before = facts.maps.is_empty();
    for line in text.lines() {
        if let Some(map) = read_line(line) {
            facts.map(map);
        }
    }
    facts.only_dm = nothing_before || facts.only_dm;
}

fn read_line(line: &str) -> Option<Map> {
    let (before, arguments) = line.split_once(" multipath ")?;
    let (name, extent) = before.rsplit_once(": ").unwrap_or(("", before));
    let sectors: u64 = extent.split_whitespace().nth(1)?.parse().ok()?;
    let mut words = Words(arguments.split_whitespace());
    let features = words.list()?;
    let is_status = features.iter().all(|word| word.parse::<u32>().is_ok()) && !features.is_empty();
    let handler = words.list()?;
    let count = words.number()?;
    words.number()?;
    let mut groups = Vec::new();
    for _ in 0..count.min(1024) {
        groups.push(if is_status { status_group(&mut words)? } else { table_group(&mut words)? });
    }
    Some(Map {
        name: name.trim().to_owned(),
        size: sectors.checked_mul(512),
        features: if is_status { Vec::new() } else { super::features(&features.join(" ")) },
        handler: (!is_status).then(|| handler.first().cloned().unwrap_or_default()),
        groups,
        ..Map::default()
    })
}

struct Words<'t>(std::str::SplitWhitespace<'t>);

impl Words<'_> {
    fn word(&mut self) -> Option<String> {
        self.0.next().map(str::to_owned)
    }

    fn number(&mut self) -> Option<usize> {
        self.0.next()?.parse().ok()
    }

    /// Words behind their number.
    fn list(&mut self) -> Option<Vec<String>> {
        let count = self.number()?;
        (0..count.min(64)).map(|_| self.word()).collect()
    }
}

/// `service-time 0 2 1 8:0 1 8:64 1`: selector and its arguments, paths, arguments of each, then the paths.
fn table_group(words: &mut Words<'_>) -> Option<Group> {
    words.word()?;
    words.list()?;
    let (paths, arguments) = (words.number()?, words.number()?);
    let mut group = Group::default();
    for _ in 0..paths.min(4096) {
        let number = words.word()?;
        (0..arguments.min(16)).try_for_each(|_| words.word().map(drop))?;
        group.paths.push(Path { number: Some(number), ..Path::default() });
    }
    Some(group)
}

/// `A 0 2 2 8:0 A 0 0 1 8:64 F 1 0 1`: the group's state, its selector's status, paths, words of each selector's
/// status; each path has its state and how often it has failed.
fn status_group(words: &mut Words<'_>) -> Option<Group> {
    let state = words.word()?;
    words.list()?;
    let (paths, arguments) = (words.number()?, words.number()?);
    let mut group = Group { active: state == "A", ..Group::default() };
    for _ in 0..paths.min(4096) {
        let (number, state) = (words.word()?, words.word()?);
        words.number()?;
        (0..arguments.min(16)).try_for_each(|_| words.word().map(drop))?;
        // What the checker says is not told: a path that stays failed is down, as a rule.
        let state = if state == "F" { PathState::Down } else { PathState::Good };
        group.paths.push(Path { number: Some(number), state, ..Path::default() });
    }
    Some(group)
}
