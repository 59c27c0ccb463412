//! Which controller a target belongs to, and which one owns a LUN: the targets whose paths are in a map's better
//! group are one controller's.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use crate::facts::{Map, Path, PathState, Remote};

/// A controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    A,
    B,
}

impl Side {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Side::A => "A",
            Side::B => "B",
        }
    }

    pub(crate) fn other(self) -> Side {
        match self {
            Side::A => Side::B,
            Side::B => Side::A,
        }
    }
}

/// The controller of each target.
#[derive(Debug, Default)]
pub(crate) struct Sides {
    sides: BTreeMap<Remote, Side>,
}

impl Sides {
    /// The controllers by the maps' groups; `apart` are the targets that the log tells apart from the others.
    pub(crate) fn of(maps: &[Map], apart: &BTreeSet<Remote>, guesses: &mut Vec<String>) -> Sides {
        let mut sides: BTreeMap<Remote, Side> = BTreeMap::new();
        let mut told = false;
        for map in maps {
            let Some((better, others)) = classes(map) else { continue };
            told = true;
            // By what is known already the better class is one side's, or the first map decides.
            let votes = |class: &BTreeSet<Remote>, side| {
                class.iter().filter(|it| sides.get(it) == Some(&side)).count()
            };
            let for_a = votes(&better, Side::A) + votes(&others, Side::B);
            let for_b = votes(&better, Side::B) + votes(&others, Side::A);
            let side = if for_a >= for_b { Side::A } else { Side::B };
            for (class, side) in [(better, side), (others, side.other())] {
                for remote in class {
                    sides.entry(remote).or_insert(side);
                }
            }
        }
        let rest: BTreeSet<Remote> = maps.iter().flat_map(remotes).collect();
        if !told && rest.iter().any(|it| !apart.contains(it)) && !rest.is_disjoint(apart) {
            let why = "the log tells of the access state of one controller's targets alone";
            guesses.push(format!("controllers: {why}"));
            let side = |remote| if apart.contains(remote) { Side::B } else { Side::A };
            sides.extend(rest.iter().map(|remote| (*remote, side(remote))));
        }
        let rest: Vec<Remote> = rest.into_iter().filter(|it| !sides.contains_key(it)).collect();
        if !rest.is_empty() {
            let why = match told {
                true => "nothing tells whose these targets are",
                false => "all paths are in one group, so that nothing tells the controllers apart",
            };
            guesses.push(format!("controllers: targets of an HBA are A's and B's by turns; {why}"));
        }
        let hosts: BTreeSet<u32> = rest.iter().map(|it| it.host).collect();
        let host_at = |host| hosts.iter().position(|it| *it == host).unwrap_or_default();
        let mut seen: BTreeMap<(u32, Side), usize> = BTreeMap::new();
        for (remote, side) in &sides {
            *seen.entry((remote.host, *side)).or_default() += 1;
        }
        let one_each = rest.len() == hosts.len();
        for remote in rest {
            // An HBA sees as many ports of one controller as of the other.
            let of = |side| seen.get(&(remote.host, side)).copied().unwrap_or_default();
            let side = match of(Side::A).cmp(&of(Side::B)) {
                Ordering::Greater => Side::B,
                Ordering::Less => Side::A,
                Ordering::Equal if one_each && host_at(remote.host) % 2 == 1 => Side::B,
                Ordering::Equal => Side::A,
            };
            *seen.entry((remote.host, side)).or_insert(0) += 1;
            sides.insert(remote, side);
        }
        Sides { sides }
    }

    pub(crate) fn side(&self, remote: Remote) -> Side {
        self.sides.get(&remote).copied().unwrap_or(Side::A)
    }

    /// The owner of a map's LUN: the controller of its better group.
    pub(crate) fn owner(&self, map: &Map) -> Side {
        let Some((better, _)) = classes(map) else { return Side::A };
        let of_b = better.iter().filter(|it| self.side(**it) == Side::B).count();
        if of_b * 2 > better.len() { Side::B } else { Side::A }
    }
}

fn remotes(map: &Map) -> impl Iterator<Item = Remote> {
    let paths = map.groups.iter().flat_map(|group| &group.paths);
    paths.filter_map(|path| path.address).map(|address| address.remote())
}

/// The targets of a map's better paths, and the others: by priority where groups have different ones, or else the
/// group in use and the rest. `None` if they are all alike.
fn classes(map: &Map) -> Option<(BTreeSet<Remote>, BTreeSet<Remote>)> {
    if map.groups.len() < 2 {
        return None;
    }
    let best = map.groups.iter().filter_map(|group| group.priority).max();
    let differ = map.groups.iter().any(|group| group.priority != best);
    let in_use = map.groups.iter().position(|group| group.active).unwrap_or_default();
    let mut classes = (BTreeSet::new(), BTreeSet::new());
    for (at, group) in map.groups.iter().enumerate() {
        let better = match differ {
            true => group.priority == best,
            // A group for each path, all alike: failover by hand, which tells nothing.
            false if map.groups.len() > 2 => return None,
            false => at == in_use,
        };
        let class = if better { &mut classes.0 } else { &mut classes.1 };
        // A path that is down has lost its priority, and is in the worse group for that.
        let tells = |path: &&Path| better || !differ || path.state != PathState::Down;
        let paths = group.paths.iter().filter(tells);
        class.extend(paths.filter_map(|it| it.address).map(|it| it.remote()));
    }
    (!classes.0.is_empty() && !classes.1.is_empty()).then_some(classes)
}
