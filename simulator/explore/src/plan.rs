//! What a schedule says: settings, and what happens when.

use std::{collections::BTreeSet, time::Duration};

use sansim_array::{Groups, PersonalityConfig};
use sansim_language::{Kind, Scenario, value::TimeSpan};

use crate::{
    menu::{self, AS_WRITTEN},
    schedule::{Choice, Chooser, Schedule, Sort, Stream},
};

/// What a schedule says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// Values of the scenario that are others: `guest.multipath.pg_init_retries=3`.
    pub(crate) sets: Vec<String>,
    /// Whether the array has its first LUN only.
    pub(crate) one_lun: bool,
    /// What happens.
    pub(crate) happenings: Vec<Happening>,
    /// When the story ends; `None` if it ends when all is healed and has been quiet.
    pub(crate) end: Option<Duration>,
    /// The choices that were made.
    pub(crate) choices: Vec<Choice>,
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happening {
    /// Its name, of which those of its choices begin: `h1`.
    pub(crate) name: String,
    pub(crate) at: Duration,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A step, and the step that undoes it.
    Step {
        step: String,
        undo: Option<String>,
        /// How long it lasts; `None` until all is healed.
        lasts: Option<Duration>,
    },
    /// A fault rule.
    Fault {
        /// The keys of `when`, but for the time.
        when: String,
        then: String,
        /// How long it holds commands under its own name, if it does.
        hold: Option<Duration>,
    },
}

/// The choice of the number of HBAs, and what makes it the smallest.
const HBAS: &str = "hbas";
const FEWEST_HBAS: &str = "hba.count=1";

impl Plan {
    /// What `schedule` says about the scenario `base`.
    pub(crate) fn of(schedule: &Schedule, base: &Scenario) -> Plan {
        let mut planner = Planner { chooser: Chooser::new(schedule), base };
        let kinds = planner.swarm();
        let mut plan = Plan { sets: planner.settings(&kinds), ..Plan::default() };
        plan.one_lun = planner.one_lun();
        let count = planner.chooser.count("count", base.explore.most);
        for number in 1..=base.explore.most {
            let name = format!("h{number}");
            let (off, on) = if number <= count { (0, 1) } else { (1, 0) };
            let there =
                planner.chooser.pick(Sort::Presence, &name, &[(off, "off"), (on, "on")]) == "on";
            // What is off makes no choices that could be simplified.
            if there {
                let what = planner.what(&name, &kinds);
                let at = planner.at(&name, number, &what);
                plan.happenings.push(Happening { name, at, what });
            }
        }
        plan.end =
            schedule.overrides.get("end").and_then(|end| end.parse().ok()).map(|TimeSpan(t)| t);
        plan.choices = planner.chooser.made;
        plan
    }
}

impl Plan {
    /// Whether commands get lost, or are held until the guest may have given them up.
    pub(crate) fn loses_commands(&self) -> bool {
        self.happenings.iter().any(|happening| match &happening.what {
            What::Fault { then, .. } => then.starts_with("lose") || then == "delay = \"20s\"",
            What::Step { .. } => false,
        })
    }

    /// Whether the SAN has fewer HBAs or LUNs than its scenario says.
    pub(crate) fn is_smaller(&self) -> bool {
        self.one_lun || self.sets.iter().any(|set| set == FEWEST_HBAS)
    }
}

struct Planner<'s> {
    chooser: Chooser<'s>,
    base: &'s Scenario,
}

impl Planner<'_> {
    /// The kinds that are switched on for this schedule: about half of those that may happen. A story in
    /// which less can happen gets further into what is left.
    fn swarm(&self) -> BTreeSet<Kind> {
        let all = &self.base.explore.may;
        let on = |kind: &&Kind| self.chooser.chance(&format!("swarm.{}", kind.word()));
        let some: BTreeSet<Kind> = all.iter().filter(on).copied().collect();
        // Settings alone make no story.
        match some.iter().any(|kind| *kind != Kind::Settings) {
            true => some,
            false => all.clone(),
        }
    }

    fn settings(&mut self, kinds: &BTreeSet<Kind>) -> Vec<String> {
        let weight = u64::from(kinds.contains(&Kind::Settings));
        let mut sets = Vec::new();
        for (key, values) in menu::settings(self.base) {
            let mut options = vec![(5 * values.len() as u64, AS_WRITTEN)];
            options.extend(values.iter().map(|value| (weight, *value)));
            let word = self.chooser.pick(Sort::Setting, &format!("set.{key}"), &options);
            if word != AS_WRITTEN {
                sets.push(format!("{key}={word}"));
            }
        }
        // Fewer HBAs make a shorter story, and one in which a link is worth more. Where they are listed, they cannot be
        // counted.
        let fewer = [(weight, "1"), (2, AS_WRITTEN)];
        if self.base.setup.hbas.len() > 1 && self.chooser.pick(Sort::Setting, HBAS, &fewer) == "1" {
            sets.push(FEWEST_HBAS.to_owned());
        }
        sets
    }

    fn one_lun(&mut self) -> bool {
        let setup = &self.base.setup;
        let can = setup.first_array().luns.len() > 1
            && setup.main_lun() == setup.first_array().luns[0].lun;
        can && self.chooser.pick(Sort::Setting, "luns", &[(0, "1"), (1, AS_WRITTEN)]) == "1"
    }

    fn what(&mut self, name: &str, kinds: &BTreeSet<Kind>) -> What {
        // An override can have any kind that may happen, whether it is switched on or not.
        let weight = |kind: Kind| if kinds.contains(&kind) { of_kind(kind) } else { 0 };
        let may = self.base.explore.may.iter().filter(|kind| **kind != Kind::Settings);
        let options: Vec<_> = may.map(|kind| (weight(*kind), kind.word())).collect();
        let word = self.chooser.pick(Sort::Detail, &format!("{name}.kind"), &options);
        // Another kind is another story, not a simpler one.
        if let Some(choice) = self.chooser.made.last_mut() {
            choice.simpler.clear();
        }
        let kind = self.base.explore.may.iter().find(|kind| kind.word() == word);
        match kind.copied().unwrap_or(Kind::Controllers) {
            Kind::Links => self.link(name),
            Kind::Ownership => self.own(name),
            Kind::PortGroups => self.port_group(name),
            Kind::Attentions => self.attention(name),
            Kind::Resets => self.reset(name),
            Kind::Messages => self.message(name),
            Kind::Answers => self.answer(name),
            Kind::Delays => self.delay(name),
            Kind::Losses => self.loss(name),
            Kind::Controllers | Kind::Settings => self.controller(name),
        }
    }

    fn detail<S: AsRef<str>>(&mut self, name: &str, key: &str, options: &[(u64, S)]) -> String {
        self.chooser.pick(Sort::Detail, &format!("{name}.{key}"), options)
    }

    fn controllers(&self) -> Vec<(u64, String)> {
        self.base.setup.first_array().controller_ids().map(|it| (1, it.to_string())).collect()
    }

    /// How long something lasts. What is never undone is the simplest.
    fn lasts(&mut self, name: &str) -> Option<Duration> {
        let options = [
            (3, "for good"),
            (1, "5s"),
            (1, "2s"),
            (2, "1s"),
            (1, "500ms"),
            (1, "50ms"),
            (1, "20s"),
        ];
        let word = self.detail(name, "lasts", &options);
        word.parse::<TimeSpan>().ok().map(|TimeSpan(time)| time)
    }

    fn controller(&mut self, name: &str) -> What {
        let controllers = self.controllers();
        let which = self.detail(name, "controller", &controllers);
        let states =
            [(6, "fail"), (1, "offline"), (1, "booting"), (1, "upgrading"), (2, "quiescing")];
        let step = match &*self.detail(name, "state", &states) {
            "fail" => format!("fail = \"controller {which}\""),
            state => format!("set = {{ controller = \"{which}\", state = \"{state}\" }}"),
        };
        let undo = Some(format!("restore = \"controller {which}\""));
        What::Step { step, undo, lasts: self.lasts(name) }
    }

    fn link(&mut self, name: &str) -> What {
        let ports = self.base.setup.first_nexuses().map(|nexus| nexus.port.to_string());
        let ports: BTreeSet<_> = ports.collect();
        let ports: Vec<_> = ports.into_iter().map(|port| (1, port)).collect();
        let port = self.detail(name, "port", &ports);
        let link = format!("port = \"{port}\"");
        let undo = Some(format!("link = {{ {link}, up = true }}"));
        What::Step { step: format!("link = {{ {link} }}"), undo, lasts: self.lasts(name) }
    }

    fn own(&mut self, name: &str) -> What {
        let controllers = self.controllers();
        let to = self.detail(name, "controller", &controllers);
        let lun = self.base.setup.main_lun();
        let step = format!("own = {{ lun = {lun}, controller = \"{to}\" }}");
        What::Step { step, undo: None, lasts: None }
    }

    fn port_group(&mut self, name: &str) -> What {
        let first = match &self.base.setup.first_array().personality {
            PersonalityConfig::Alua(alua) => match &alua.groups {
                Groups::Listed(groups) => groups.first().map_or(1, |(id, _)| u64::from(*id)),
                _ => u64::from(alua.first_group),
            },
            _ => 1,
        };
        let groups: Vec<_> = (0..u64::from(self.base.setup.first_array().controllers))
            .map(|index| (1, (first + index).to_string()))
            .collect();
        let group = self.detail(name, "group", &groups);
        let states = [
            (2, "transitioning"),
            (2, "standby"),
            (2, "unavailable"),
            (2, "active/non-optimized"),
            (1, "active/optimized"),
            (1, "offline"),
        ];
        let state = self.detail(name, "state", &states);
        let step = format!("port_group = {{ group = {group}, state = \"{state}\" }}");
        let undo = Some(format!("port_group = {{ group = {group} }}"));
        What::Step { step, undo, lasts: self.lasts(name) }
    }

    /// Which nexuses are meant, as keys of a table; nothing for all of them.
    fn scope(&mut self, name: &str) -> String {
        let setup = &self.base.setup;
        let mut scopes = vec![(2, String::new())];
        scopes.extend(
            setup.first_array().controller_ids().map(|it| (3, format!("controller = \"{it}\""))),
        );
        let ports: BTreeSet<_> = setup.first_nexuses().map(|nexus| nexus.port).collect();
        scopes.extend(ports.iter().map(|port| (1, format!("port = \"{port}\""))));
        self.detail(name, "scope", &scopes)
    }

    fn attention(&mut self, name: &str) -> What {
        let senses = menu::attentions(&self.base.setup.first_array().personality);
        let sense = self.detail(name, "sense", &senses);
        let scope = self.scope(name);
        let keys = joined([format!("sense = \"{sense}\""), scope]);
        What::Step { step: format!("unit_attention = {{ {keys} }}"), undo: None, lasts: None }
    }

    fn reset(&mut self, name: &str) -> What {
        let hbas: Vec<_> =
            self.base.setup.hbas.iter().map(|hba| (1, hba.id.0.to_string())).collect();
        let hba = self.detail(name, "hba", &hbas);
        What::Step { step: format!("reset_hba = {hba}"), undo: None, lasts: None }
    }

    fn message(&mut self, name: &str) -> What {
        let groups = self.base.setup.path_groups(self.base.setup.main_lun()).len().max(1);
        let groups: Vec<_> = (1..=groups).rev().map(|group| (1, group.to_string())).collect();
        let message = self.detail(name, "message", &[(3, "switch_group"), (1, "disable_group")]);
        let group = self.detail(name, "group", &groups);
        let step = format!("message = \"{message} {group}\"");
        let undo =
            (message == "disable_group").then(|| format!("message = \"enable_group {group}\""));
        let lasts = undo.as_ref().and_then(|_| self.lasts(name));
        What::Step { step, undo, lasts }
    }

    /// The commands that a rule catches. If it `repeats`, also how many.
    fn caught(&mut self, name: &str, counts: &[(u64, &str)]) -> String {
        let ops = menu::operations(&self.base.setup.first_array().personality);
        let op = self.detail(name, "op", &ops);
        // Another operation is another story.
        if let Some(choice) = self.chooser.made.last_mut() {
            choice.simpler.clear();
        }
        let scope = self.scope(name);
        let first = format!("first = {}", self.detail(name, "first", counts));
        joined([format!("op = \"{op}\""), scope, first])
    }

    fn answer(&mut self, name: &str) -> What {
        let counts = [(6, "1"), (2, "2"), (2, "3"), (2, "6"), (1, "20"), (2, "200")];
        let when = self.caught(name, &counts);
        let answers = menu::answers(&self.base.setup.first_array().personality);
        let then = self.detail(name, "answer", &answers);
        if let Some(choice) = self.chooser.made.last_mut() {
            choice.simpler.clear();
        }
        What::Fault { when, then, hold: None }
    }

    fn delay(&mut self, name: &str) -> What {
        let when = self.caught(name, &[(4, "1"), (2, "2"), (2, "8"), (1, "100")]);
        let hows = [(3, "100ms"), (3, "1s"), (2, "5s"), (1, "20s"), (2, "hold 1s"), (2, "hold 5s")];
        let how = self.detail(name, "delay", &hows);
        let held = how.strip_prefix("hold ").and_then(|time| time.parse().ok());
        let hold = held.map(|TimeSpan(time)| time);
        let then = match hold {
            Some(_) => format!("hold = \"{name}\""),
            None => format!("delay = \"{how}\""),
        };
        What::Fault { when, then, hold }
    }

    fn loss(&mut self, name: &str) -> What {
        let when = self.caught(name, &[(4, "1"), (2, "2"), (1, "8")]);
        let lost = self.detail(name, "lose", &[(2, "command"), (1, "reply")]);
        What::Fault { when, then: format!("lose = \"{lost}\""), hold: None }
    }

    /// When it happens: at a round time, just before or after one, or so long after something else that a
    /// retry, a checker's tick or the end of a transition is due.
    fn at(&mut self, name: &str, number: u32, what: &What) -> Duration {
        let during = self.base.explore.during;
        let others: Vec<Duration> =
            (1..number).map(|other| self.base_time(&format!("h{other}.at"))).collect();
        let draw = |stream: &mut Stream| {
            let anchor = stream.one(&others).copied();
            let anchor = anchor.filter(|_| stream.below(3) < 2);
            let at = match anchor {
                Some(anchor) => anchor + after(stream),
                None => base_time(stream, during),
            };
            at.clamp(FIRST, during)
        };
        // A rule can be there from the beginning.
        let simplest: &[Duration] = match what {
            What::Fault { .. } => &[Duration::ZERO],
            What::Step { .. } => &[Duration::from_secs(1)],
        };
        // A mutation puts it near something that has happened, which may be later.
        self.chooser.time(&format!("{name}.at"), simplest, draw).min(during)
    }

    /// The time that something has if it is after nothing else. It does not depend on whether that happens.
    fn base_time(&self, name: &str) -> Duration {
        let mut stream = self.chooser.stream(name);
        stream.next();
        base_time(&mut stream, self.base.explore.during)
    }
}

/// The earliest time of a step.
const FIRST: Duration = Duration::from_millis(200);

/// How often a kind is chosen.
fn of_kind(kind: Kind) -> u64 {
    match kind {
        Kind::Controllers | Kind::Answers => 6,
        Kind::Links | Kind::Attentions | Kind::Messages => 3,
        Kind::Delays | Kind::Ownership | Kind::PortGroups => 2,
        Kind::Losses | Kind::Resets => 1,
        Kind::Settings => 0,
    }
}

/// A time in half-seconds, or any millisecond.
fn base_time(stream: &mut Stream, during: Duration) -> Duration {
    let millis = during.as_millis() as u64;
    let at = match stream.below(3) {
        0 => stream.below(millis),
        _ => stream.below(millis / 500 + 1) * 500,
    };
    Duration::from_millis(at).clamp(FIRST, during)
}

/// How long after something: at once, or about when a pg_init is retried (2 s, dm-mpath.c:
/// DM_PG_INIT_DELAY_MSECS), a path is checked again (5 s), or a transition ends.
fn after(stream: &mut Stream) -> Duration {
    const AFTER: [u64; 14] = [0, 1, 5, 10, 50, 100, 500, 1000, 1999, 2001, 2100, 4999, 5001, 5100];
    Duration::from_millis(stream.one(&AFTER).copied().unwrap_or_default())
}

fn joined(parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}
