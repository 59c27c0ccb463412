//! The paths of the workload's LUN: which of them the array has given a reason to be failed.

use std::collections::{BTreeMap, BTreeSet};

use sansim_array::{Groups, PersonalityConfig, Tpgs};
use sansim_stage::{
    Manager, Setup,
    event::{CommandEvent, PathState},
};

use crate::answer::Grade;

/// The paths of the workload's LUN.
pub(super) struct Paths {
    lun: u16,
    paths: BTreeMap<String, Path>,
    /// The state of each path of any map, by path and disk.
    states: BTreeMap<(String, String), PathState>,
    /// How often an activation may be tried again.
    retries: u32,
    /// Whether I/O waits for a path rather than fail.
    queues: bool,
    /// Who owns the LUN, if only the owner's paths can serve, and a host cannot change that.
    only_owner: Option<String>,
    /// The controllers, by target port group, if each has one.
    of_group: BTreeMap<u16, String>,
    /// Of these, those whose group was put into a state in which it does not serve.
    closed: BTreeSet<String>,
    /// And those that are not online.
    away: BTreeSet<String>,
    /// Those of either that serve again, and through which nothing has gone since: a host knows what REPORT TARGET PORT
    /// GROUPS has told it last.
    reopened: BTreeSet<String>,
    /// Whether an answer permits that I/O fails on every path.
    permitted: bool,
    all: usize,
}

/// A path, as the array has treated it since it was last in service.
#[derive(Debug, Default, Clone, Copy)]
struct Path {
    /// Whether an answer gave a reason to fail it.
    excused: bool,
    /// The answers that asked for the command to be sent again: to medium accesses, and to others.
    again: [u32; 2],
    /// Whether it is active only because its table was loaded. Its first I/O puts it into service.
    loaded: bool,
}

/// How often a command is sent again before its path may be failed: sd and the handlers try five times at least
/// (SD_MAX_RETRIES, RDAC_RETRIES, ALUA_FAILOVER_RETRIES), hp_sw three times. Once in any case, whatever the settings say: a
/// unit attention is a notification (SAM-5 5.14).
const AGAIN: u32 = 3;

/// The owner of the workload's LUN on an array on which other controllers do not serve and no command of a host makes
/// them: a path of theirs that is failed is no loss.
fn of_owner_only(setup: &Setup) -> Option<String> {
    let array = &setup.first_array().personality;
    let hosts_move = match array {
        PersonalityConfig::Alua(alua) => matches!(alua.tpgs, Tpgs::Explicit | Tpgs::Both),
        _ => true,
    };
    let owner = setup.first_array().lun(setup.main_lun())?.owner.to_string();
    (!hosts_move && !array.others_serve()).then_some(owner)
}

/// The controllers by target port group; empty if groups are of ports.
fn by_group(setup: &Setup) -> BTreeMap<u16, String> {
    let array = setup.first_array();
    match &array.personality {
        PersonalityConfig::Alua(alua) if matches!(alua.groups, Groups::Controller) => {
            (alua.first_group..).zip(array.controller_ids().map(|it| it.to_string())).collect()
        }
        _ => BTreeMap::new(),
    }
}

/// Whether a path is through this controller.
fn is_through(path: &str, controller: &str) -> bool {
    path.split(':').nth(1).is_some_and(|port| port.starts_with(controller))
}

/// Whether this is a command by which a host has a LUN moved to the path's controller.
pub(super) fn activates(op: &str) -> bool {
    op.starts_with("MODE SELECT") || matches!(op, "START STOP UNIT" | "SET TARGET PORT GROUPS")
}

impl Paths {
    pub(super) fn of(setup: &Setup) -> Self {
        let lun = setup.main_lun();
        let paths: BTreeMap<_, _> =
            setup.paths_of(lun).map(|nexus| (nexus.to_string(), Path::default())).collect();
        let all = setup.first_array().luns.iter().map(|it| setup.paths_of(it.lun).count()).sum();
        let multipath = &setup.guest.multipath;
        Paths {
            lun: lun.0,
            paths,
            states: BTreeMap::new(),
            // What multipathd's hardware table says is at least this.
            retries: match setup.guest.manager {
                Manager::Dmsetup => multipath.pg_init_retries.map_or(0, u32::from),
                Manager::Multipathd(_) => AGAIN,
            },
            queues: multipath.queue_if_no_path,
            only_owner: of_owner_only(setup),
            of_group: by_group(setup),
            closed: BTreeSet::new(),
            away: BTreeSet::new(),
            reopened: BTreeSet::new(),
            permitted: false,
            all,
        }
    }

    pub(super) fn command(&mut self, command: &CommandEvent, grade: Grade) {
        if command.lun != self.lun {
            return;
        }
        let medium = command.is_io();
        self.permitted |= medium && grade == Grade::Target;
        let retries = self.retries;
        let name = command.path();
        if medium && grade == Grade::Good {
            self.reopened.remove(&command.controller);
        }
        let Some(path) = self.paths.get_mut(&name) else { return };
        match grade {
            // The array says that it serves through this path now.
            Grade::Good if activates(&command.op) => *path = Path::default(),
            Grade::Good if medium && path.loaded => *path = Path::default(),
            Grade::Good => path.again[usize::from(medium)] = 0,
            Grade::Again => {
                let again = &mut path.again[usize::from(medium)];
                *again += 1;
                let most = if medium { AGAIN } else { AGAIN.min(retries.max(1)) };
                path.excused |= *again > most;
            }
            Grade::Path => path.excused = true,
            // A handler's command that the array does not take: the path cannot be activated.
            Grade::Target => path.excused |= !medium,
        }
    }

    /// A path has another state, or the same in a table that is loaded anew. Returns whether it was failed without
    /// a reason.
    pub(super) fn state(&mut self, path: &str, dev: &str, state: PathState, loaded: bool) -> bool {
        let before = self.states.insert((path.to_owned(), dev.to_owned()), state);
        let fails = state == PathState::Failed && before != Some(PathState::Failed);
        let sound = self.paths.get(path).is_some_and(|path| !path.excused);
        let passive = self.is_passive(path);
        let for_nothing = fails && sound && !self.may_seem_passive(path);
        if state == PathState::Active && !loaded {
            self.reopened.retain(|controller| !is_through(path, controller));
        }
        if let Some(path) = self.paths.get_mut(path) {
            match state {
                PathState::Active if loaded => path.loaded = true,
                PathState::Active => *path = Path::default(),
                // It stays failed until somebody reinstates it, whatever its group is by then.
                PathState::Failed => {
                    path.excused |= passive;
                    path.loaded = false;
                }
            }
        }
        for_nothing
    }

    /// Whether a path is active only because its table was loaded: nobody has put it into service.
    pub(super) fn is_only_loaded(&self, path: &str) -> bool {
        self.paths.get(path).is_some_and(|path| path.loaded)
    }

    /// Why I/O need not fail now; `None` if there is a reason for it to fail.
    pub(super) fn no_reason_to_fail(&self) -> Option<String> {
        if self.permitted {
            return None;
        }
        let sound =
            self.paths.iter().filter(|(name, it)| !it.excused && !self.may_seem_passive(name));
        let sound: Vec<&str> = sound.map(|(name, _)| name.as_str()).collect();
        match sound.is_empty() {
            false => Some(format!("the array has given no reason to fail {}", sound.join(", "))),
            true if self.queues => Some("it is to be queued while no path serves".to_owned()),
            true => None,
        }
    }

    /// Whether a path is through a controller that does not serve, and that no host can make serve; or through a group
    /// that does not serve, which REPORT TARGET PORT GROUPS tells: a handler then need not send I/O to be refused.
    fn is_passive(&self, name: &str) -> bool {
        self.only_owner.as_ref().is_some_and(|owner| !is_through(name, owner))
            || self.closed.union(&self.away).any(|controller| is_through(name, controller))
    }

    /// Whether a host may believe that it is so, since it was.
    fn may_seem_passive(&self, name: &str) -> bool {
        self.is_passive(name) || self.reopened.iter().any(|it| is_through(name, it))
    }

    /// The failed paths.
    pub(super) fn failed(&self) -> Vec<String> {
        let failed = self.states.iter().filter(|(_, state)| **state == PathState::Failed);
        failed.map(|((path, dev), _)| format!("{path} ({dev})")).collect()
    }

    /// The failed paths that the array has given no reason to fail since everything was healed.
    pub(super) fn failed_for_nothing(&self) -> Vec<String> {
        let mut failed = self.failed();
        failed.retain(|it| {
            let name = it.split(' ').next().unwrap_or_default();
            !self.is_passive(name) && self.paths.get(name).is_none_or(|path| !path.excused)
        });
        failed
    }

    /// The LUN has another owner.
    pub(super) fn owner(&mut self, lun: u16, to: &str) {
        if lun == self.lun
            && let Some(owner) = &mut self.only_owner
        {
            to.clone_into(owner);
        }
    }

    /// A controller has another state.
    pub(super) fn controller(&mut self, controller: &str, to: &str) {
        match to {
            _ if !self.of_group.values().any(|it| it == controller) => {}
            "online" => self.reopened.extend(self.away.take(controller)),
            _ => _ = self.away.insert(controller.to_owned()),
        }
    }

    /// A target port group has another state.
    pub(super) fn group(&mut self, lun: u16, group: u16, state: Option<&str>) {
        let Some(controller) = self.of_group.get(&group).filter(|_| lun == self.lun) else {
            return;
        };
        match state {
            None | Some("active/optimized" | "active/non-optimized" | "transitioning") => {
                self.reopened.extend(self.closed.take(controller));
            }
            Some(_) => _ = self.closed.insert(controller.clone()),
        }
    }

    /// Everything is healed: what was a reason to fail a path is none any more.
    pub(super) fn forgive(&mut self) {
        self.paths.values_mut().for_each(|path| *path = Path::default());
        self.permitted = false;
    }

    pub(super) fn all(&self) -> usize {
        self.all
    }

    pub(super) fn active(&self) -> usize {
        self.all.saturating_sub(self.failed().len())
    }
}
