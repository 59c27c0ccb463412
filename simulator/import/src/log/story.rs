//! The story that would make happen again what a log tells: steps for what was done to the SAN, fault rules for
//! what the array answered, and expectations of what would have been right.
//!
//! What follows from a step by itself (a path that dm-multipath fails, an array that says that it does not own a LUN)
//! becomes neither: the guest's kernel and sansim's array do it again, or that is the finding.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    lines::{Happened, Named, Sense, What},
    words::{self, HostByte},
};
use crate::{
    anonymous::Names,
    facts::Facts,
    family::Family,
    san::{self, Nexus, San, Side},
};

/// When the first thing happens, in seconds of the story.
const BEGINS: f64 = 1.0;
/// What happens later than this after the first thing belongs to another story, in seconds.
const LONGEST: f64 = 3600.0;
/// What happens within this many seconds has one cause.
const TOGETHER: f64 = 5.0;
/// The longest that a transition lasts which only its failed paths tell of, in seconds.
const TRANSITION: f64 = 10.0;
/// Most steps and fault rules.
const MOST: usize = 60;
/// The time that multipathd has for taking back a path whose link is up again, in seconds: its longest polling
/// interval is 20 s by default.
const PATIENCE: f64 = 60.0;

/// A step or a fault rule, with the log lines that it is made from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) at: f64,
    /// The keys of the table, one a line.
    pub(crate) body: String,
    pub(crate) is_rule: bool,
    pub(crate) lines: Vec<String>,
}

/// A story made from a log.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Story {
    pub(crate) entries: Vec<Entry>,
    /// Expectations: comments and keys.
    pub(crate) expectations: Vec<(Vec<String>, String)>,
    /// Further lines of the log, for readers: their time, and the line.
    pub(crate) seen: Vec<(f64, String)>,
    pub(crate) guesses: Vec<String>,
    /// The LUN of the workload.
    pub(crate) lun: Option<u64>,
    /// How long the story may take, in seconds.
    pub(crate) limit: f64,
}

struct Teller<'a> {
    san: &'a San,
    facts: &'a Facts,
    story: Story,
    /// When each nexus went down, with the line.
    down: BTreeMap<Nexus, (f64, String)>,
    /// The nexuses that the log gives a reason for.
    explained: BTreeSet<Nexus>,
    /// Those that dm-multipath has failed: when, and the line, for the first time.
    failed: BTreeMap<Nexus, (f64, String)>,
    /// The access state that the log tells of a controller's target port group.
    access: BTreeMap<Side, &'static str>,
    /// When each nexus was taken back last.
    taken_back: BTreeMap<Nexus, f64>,
    io_error: Option<String>,
    no_path: Option<String>,
    /// The controller that was lost, if one was.
    lost: Option<Side>,
}

impl Story {
    pub(crate) fn of(happened: &[Happened], facts: &Facts, san: &San, names: &mut Names) -> Story {
        let mut teller = Teller {
            san,
            facts,
            story: Story::default(),
            down: BTreeMap::new(),
            explained: BTreeSet::new(),
            failed: BTreeMap::new(),
            access: BTreeMap::new(),
            taken_back: BTreeMap::new(),
            io_error: None,
            no_path: None,
            lost: None,
        };
        let Some(zero) = happened.iter().find(|it| teller.begins(it)).map(|it| it.t) else {
            return teller.story;
        };
        let story: Vec<(f64, &Happened)> = happened
            .iter()
            .map(|it| (it.t - zero + BEGINS, it))
            .filter(|(t, _)| (BEGINS..BEGINS + LONGEST).contains(t))
            .collect();
        teller.choose_lun(&story);
        teller.downs_and_ups(&story);
        teller.silent_transition();
        teller.answers(&story);
        teller.expect();
        teller.finish(&story, names)
    }
}

impl Teller<'_> {
    fn place(&self, disk: &Named) -> Option<Nexus> {
        let address = match disk {
            Named::At(address) => Some(*address),
            Named::Name(name) => self.facts.named(name),
            Named::Number(number) => self.facts.numbered(number),
        };
        self.san.place(address?)
    }

    /// Whether a story can begin with it: something goes wrong with a disk of the array.
    fn begins(&self, happened: &Happened) -> bool {
        match &happened.what {
            What::Failed { disk, .. } | What::Failing(disk) | What::Down(disk) => {
                self.place(disk).is_some()
            }
            What::HostDown(host) => !self.san.of_host(*host).is_empty(),
            What::Refused { .. } => true,
            What::Back(_) | What::Activating(_) | What::IoError | What::NoPath => false,
        }
    }

    /// The LUN that most lines are about.
    fn choose_lun(&mut self, story: &[(f64, &Happened)]) {
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        for (_, happened) in story {
            if let What::Failed { disk: Named::At(address), .. } = &happened.what {
                *counts.entry(address.lun).or_default() += 1;
            }
        }
        let there = |lun: &u64| self.san.luns.iter().any(|it| it.number == *lun);
        let most = counts.into_iter().filter(|(lun, _)| there(lun)).max_by_key(|(_, count)| *count);
        self.story.lun = most.map(|(lun, _)| lun).or(self.san.luns.first().map(|lun| lun.number));
    }

    /// Links and controllers that are lost and come back.
    fn downs_and_ups(&mut self, story: &[(f64, &Happened)]) {
        // Nexuses that went down together, with the time and lines.
        let mut waiting: Vec<(Nexus, f64, String)> = Vec::new();
        for (t, happened) in story {
            if waiting.first().is_some_and(|(_, since, _)| t - since > TOGETHER) {
                self.lose(std::mem::take(&mut waiting));
            }
            match &happened.what {
                What::Failed { disk, sense: Some(sense), .. } if self.is_access(*sense) => {
                    if let Some((_, port)) = self.place(disk) {
                        self.goes_into(port.side, *sense, *t, &happened.line);
                    }
                }
                What::Failed { disk, host: HostByte::Gone, .. } | What::Down(disk) => {
                    if let Some(nexus) = self.place(disk) {
                        self.goes_down(nexus, *t, &happened.line, &mut waiting);
                    }
                }
                What::HostDown(host) => {
                    for nexus in self.san.of_host(*host) {
                        self.goes_down(nexus, *t, &happened.line, &mut waiting);
                    }
                }
                What::Failing(disk) => {
                    if let Some(nexus) = self.place(disk) {
                        self.failed.entry(nexus).or_insert_with(|| (*t, happened.line.clone()));
                    }
                }
                What::Back(disk) => {
                    if let Some(nexus) = self.place(disk) {
                        self.lose(std::mem::take(&mut waiting));
                        self.comes_back(nexus, *t, &happened.line);
                    }
                }
                What::IoError => drop(self.io_error.get_or_insert_with(|| happened.line.clone())),
                What::NoPath => drop(self.no_path.get_or_insert_with(|| happened.line.clone())),
                What::Failed { .. } | What::Activating(_) | What::Refused { .. } => {}
            }
        }
        self.lose(waiting);
    }

    /// Whether an answer tells of an access state, and the array is one that has them.
    fn is_access(&self, sense: Sense) -> bool {
        self.san.family == Family::Alua && words::access_state(sense).is_some()
    }

    /// The target port group of a controller comes into another access state.
    fn goes_into(&mut self, side: Side, sense: Sense, t: f64, line: &str) {
        let Some(state) = words::access_state(sense) else { return };
        self.explained.extend(self.san.ports_of(side));
        if self.access.insert(side, state) != Some(state) {
            self.entry(t, port_group(side, Some(state)), false, vec![line.to_owned()]);
        }
    }

    /// A controller whose paths all fail, and no command of theirs does, while the other one's access state changes:
    /// the handler refuses I/O by itself, as it does in a transition (scsi_dh_alua.c:alua_prep_fn).
    fn silent_transition(&mut self) {
        for side in [Side::A, Side::B] {
            let all = self.san.ports_of(side);
            let first = all.iter().filter_map(|it| self.failed.get(it)).map(|it| it.0);
            let at = first.fold(f64::MAX, f64::min);
            let is_silent =
                all.iter().all(|it| self.failed.contains_key(it) && !self.explained.contains(it));
            if !is_silent || all.is_empty() || !self.access.contains_key(&side.other()) {
                continue;
            }
            let lines = all.iter().filter_map(|it| self.failed.get(it)).map(|it| it.1.clone());
            let lines = lines.collect();
            let back = all.iter().filter_map(|it| self.taken_back.get(it)).copied();
            let ends = back.fold(f64::MAX, f64::min).clamp(at + 1.0, at + TRANSITION);
            let name = side.name();
            self.story.guesses.push(format!(
                "controller {name} is in transition: all its paths failed, and no command of theirs; it lasts {:.0} s",
                ends - at
            ));
            self.entry(at, port_group(side, Some("transitioning")), false, lines);
            self.entry(ends, port_group(side, None), false, Vec::new());
        }
    }

    fn goes_down(
        &mut self,
        nexus: Nexus,
        t: f64,
        line: &str,
        waiting: &mut Vec<(Nexus, f64, String)>,
    ) {
        self.explained.insert(nexus);
        if self.down.insert(nexus, (t, line.to_owned())).is_none() {
            waiting.push((nexus, t, line.to_owned()));
        }
    }

    /// Steps for what went down together: a controller if all its paths did, or else links.
    fn lose(&mut self, mut down: Vec<(Nexus, f64, String)>) {
        for side in [Side::A, Side::B] {
            let all = self.san.ports_of(side);
            let whole = all.iter().all(|nexus| down.iter().any(|(it, ..)| it == nexus));
            let other_is_there =
                self.san.ports_of(side.other()).iter().any(|it| !self.down.contains_key(it));
            if !whole || all.len() < 2 || !other_is_there {
                continue;
            }
            let of_side: Vec<_> = down.extract_if(.., |(nexus, ..)| all.contains(nexus)).collect();
            let at = of_side.iter().map(|(_, t, _)| *t).fold(f64::MAX, f64::min);
            let lines = of_side.into_iter().map(|(.., line)| line).collect();
            let why =
                "all its paths were lost within seconds; a switch or a cable would look the same";
            self.story.guesses.push(format!("controller {} fails: {why}", side.name()));
            self.entry(at, format!("fail = \"controller {}\"", side.name()), false, lines);
            self.lost = Some(side);
        }
        for ((hba, port), at, line) in down {
            let body = format!("link = {{ port = \"{port}\", hba = {hba}, up = false }}");
            self.entry(at, body, false, vec![line]);
        }
    }

    fn comes_back(&mut self, nexus: Nexus, t: f64, line: &str) {
        self.taken_back.insert(nexus, t);
        let side = nexus.1.side;
        if self.access.remove(&side).is_some() {
            self.entry(t, port_group(side, None), false, vec![line.to_owned()]);
        }
        if self.down.remove(&nexus).is_none() {
            return;
        }
        let (hba, port) = nexus;
        if self.lost == Some(port.side) {
            self.lost = None;
            let body = format!("restore = \"controller {}\"", port.side.name());
            self.entry(t, body, false, vec![line.to_owned()]);
            self.down.retain(|(_, other), _| other.side != port.side);
            return;
        }
        let body = format!("link = {{ port = \"{port}\", hba = {hba}, up = true }}");
        self.entry(t, body, false, vec![line.to_owned()]);
    }

    /// Fault rules for what the array, or the way to it, answered and would not answer by itself.
    fn answers(&mut self, story: &[(f64, &Happened)]) {
        let activation = self.san.family.activation();
        // By operation, place and answer: the first time, how often, the lines.
        let mut rules: BTreeMap<(String, String), (f64, usize, Vec<String>)> = BTreeMap::new();
        for (t, happened) in story {
            let (when, then) = match &happened.what {
                What::Refused { disk, sense } => {
                    let controller = self.place(disk).map(|(_, port)| port.side);
                    let of = controller.map_or(String::new(), |side| {
                        format!(", controller = \"{}\"", side.name())
                    });
                    (format!("op = \"{activation}\"{of}"), sense_of(*sense))
                }
                What::Failed { disk, host, sense, op } => {
                    let Some((hba, port)) = self.place(disk) else { continue };
                    let op = match op.as_deref() {
                        Some(op) if op.starts_with("READ(") => "READ",
                        Some(op) if op.starts_with("WRITE(") => "WRITE",
                        _ => "medium",
                    };
                    let from = (t - 0.5).max(0.0);
                    let when = format!(
                        "op = \"{op}\", hba = {hba}, port = \"{port}\", from = \"{from:.0}s\""
                    );
                    match (sense, host) {
                        (Some(sense), _) if !words::is_the_arrays_own(*sense) => {
                            (when, sense_of(*sense))
                        }
                        (None, HostByte::Response(name)) => {
                            (when, format!("response = \"{name}\""))
                        }
                        (None, HostByte::Silent) => (when, "lose = \"command\"".to_owned()),
                        _ => continue,
                    }
                }
                _ => continue,
            };
            if let What::Failed { disk, .. } = &happened.what {
                self.explained.extend(self.place(disk));
            }
            // Answers of one kind at one place are one rule, however far apart.
            let place = when.split(", from").next().unwrap_or_default().to_owned();
            let rule = rules.entry((place, then)).or_insert((*t, 0, Vec::new()));
            rule.1 += 1;
            if rule.2.len() < 3 {
                rule.2.push(happened.line.clone());
            }
        }
        for ((when, then), (at, count, lines)) in rules {
            // A command that moves a LUN comes when the guest sends it, which can be earlier than it was.
            let from = match when.contains("port =") {
                true => format!(", from = \"{:.0}ms\"", (at * 1000.0 - 100.0).max(0.0)),
                false => String::new(),
            };
            let body = format!(
                "when = {{ {when}{from}, first = {count} }}\nthen = {{ {then} }}\noptional = true"
            );
            self.entry(at, body, true, lines);
        }
    }

    fn entry(&mut self, at: f64, body: String, is_rule: bool, lines: Vec<String>) {
        self.story.entries.push(Entry { at, body, is_rule, lines });
    }

    /// What would have been right.
    fn expect(&mut self) {
        let every = || [Side::A, Side::B].into_iter().flat_map(|side| self.san.ports_of(side));
        let never_down: Vec<Nexus> = every().filter(|it| !self.explained.contains(it)).collect();
        let mut expectations = Vec::new();
        if never_down.is_empty() {
            let why = "the log has a reason for every path: whether I/O fails depends on no_path_retry; data must be \
                       intact in any case";
            expectations.push((vec![why.to_owned()], "io = { corrupt = 0 }".to_owned()));
        } else {
            let mut comments =
                vec!["a path was left all the time: no I/O fails, whatever was logged".to_owned()];
            comments.extend(self.io_error.iter().chain(&self.no_path).cloned());
            expectations.push((comments, "io = { errors = 0, corrupt = 0 }".to_owned()));
        }
        for nexus in never_down {
            let Some((_, line)) =
                self.failed.get(&nexus).filter(|_| !self.taken_back.contains_key(&nexus))
            else {
                continue;
            };
            let (hba, port) = nexus;
            let why = format!(
                "nothing in the log says what was wrong with {port} at HBA {hba}, and yet it failed"
            );
            let body = format!("path = {{ port = \"{port}\", hba = {hba}, state = \"active\" }}");
            expectations.push((vec![why, line.clone()], body));
        }
        expectations.extend(self.stays_failed());
        for ((hba, port), t) in self.taken_back.iter().filter(|(it, _)| !self.down.contains_key(it))
        {
            let at = (t + PATIENCE).ceil();
            let why = vec![format!("{port} at HBA {hba} is taken back, as it was")];
            let path = format!("path = {{ port = \"{port}\", hba = {hba}, state = \"active\" }}");
            expectations.push((why, format!("at = \"{at:.0}s\"\n{path}")));
        }
        if let Some(side) = self.lost
            && self.san.family != Family::Alua
            && let Some(lun) = self.story.lun
        {
            let other = side.other().name();
            let body = format!("owner = {{ lun = {lun}, controller = \"{other}\" }}");
            expectations.push((vec!["the other controller takes the LUN".to_owned()], body));
        }
        self.story.expectations = expectations;
    }

    /// The paths that the log says are down, and of which it tells nothing more: the guest must have noticed.
    fn stays_failed(&self) -> Option<(Vec<String>, String)> {
        let is_unavailable = |nexus: &Nexus| self.access.get(&nexus.1.side) == Some(&"unavailable");
        let refused = self.failed.iter().filter(|(nexus, _)| is_unavailable(nexus));
        let mut down: BTreeMap<Nexus, f64> = refused.map(|(nexus, it)| (*nexus, it.0)).collect();
        down.extend(self.down.iter().map(|(nexus, it)| (*nexus, it.0)));
        // Without multipathd, a path without I/O stays as it is.
        if down.is_empty() || self.facts.only_dm {
            return None;
        }
        let last = down.values().copied().fold(BEGINS, f64::max);
        let why = "what is down, and does not come back in the log, is failed".to_owned();
        let by = (last + PATIENCE).ceil();
        Some((vec![why], format!("at = \"{by:.0}s\"\n{}", san::failed(down.keys()))))
    }

    fn finish(mut self, story: &[(f64, &Happened)], names: &mut Names) -> Story {
        let mut out = std::mem::take(&mut self.story);
        out.entries.sort_by(|a, b| a.at.total_cmp(&b.at));
        if out.entries.len() > MOST {
            let left = out.entries.len() - MOST;
            out.entries.truncate(MOST);
            out.guesses.push(format!("{left} further steps and rules are left out"));
        }
        let shown: BTreeSet<&str> =
            out.entries.iter().flat_map(|entry| &entry.lines).map(String::as_str).collect();
        let rest = story.iter().filter(|(_, it)| !shown.contains(it.line.as_str()));
        out.seen = rest.take(MOST).map(|(t, it)| (*t, names.text(&it.line))).collect();
        for entry in &mut out.entries {
            entry.lines.iter_mut().for_each(|line| *line = names.text(line));
        }
        for (comments, _) in &mut out.expectations {
            comments.iter_mut().for_each(|line| *line = names.text(line));
        }
        let last = out.entries.last().map_or(BEGINS, |entry| entry.at);
        let last = self.taken_back.values().copied().fold(last, f64::max);
        out.limit = (last + 2.0 * PATIENCE).ceil();
        out
    }
}

/// A step: the target port group of a controller (the array's first has number 1) comes into a state, or has its own.
fn port_group(side: Side, state: Option<&str>) -> String {
    let group = if side == Side::A { 1 } else { 2 };
    let state = state.map_or(String::new(), |state| format!(", state = \"{state}\""));
    format!("port_group = {{ group = {group}{state} }}")
}

fn sense_of((key, asc, ascq): Sense) -> String {
    format!("sense = \"{key:02x}/{asc:02x}/{ascq:02x}\"")
}
