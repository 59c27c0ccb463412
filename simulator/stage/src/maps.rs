//! Compares successive statuses of a multipath map and returns the changes as events.

use std::collections::BTreeMap;

use sansim_protocol::MapStatus;

use crate::{Paths, event::What};

/// The last known status of every map.
#[derive(Debug, Default)]
pub struct Maps {
    last: BTreeMap<String, MapStatus>,
    most_rounds: u32,
}

impl Maps {
    /// Stores a new status and returns the changes; of the first status of a map, that it came.
    pub fn update(&mut self, status: &MapStatus, paths: &Paths) -> Vec<What> {
        self.most_rounds = self.most_rounds.max(status.rounds);
        let Some(before) = self.last.insert(status.map.clone(), status.clone()) else {
            return vec![What::Map {
                map: status.map.clone(),
                wwid: status.wwid().map(str::to_owned),
                paths: Some(status.paths().count()),
            }];
        };
        let mut changes = Vec::new();
        // A switch of path groups resets the count, so round 1 there is a new event after round 1
        // here.
        if (before.rounds, before.current_group) != (status.rounds, status.current_group) {
            changes.push(What::PgInit { map: status.map.clone(), rounds: status.rounds });
        }
        let same_table = shape(&before) == shape(status);
        if !same_table {
            changes.push(What::Table { map: status.map.clone(), table: status.table.clone() });
        }
        // A reloaded table can have its groups in another order.
        let was = |dev: &str| before.groups.iter().flat_map(|g| &g.paths).find(|p| p.dev == dev);
        for (index, new) in status.groups.iter().enumerate() {
            let group = index + 1;
            for is in &new.paths {
                let was = was(&is.dev).map(|was| (was.state, was.fail_count));
                if was.is_some_and(|was| was != (is.state, is.fail_count)) {
                    changes.push(What::Path {
                        dev: is.dev.clone(),
                        path: paths.nexus(&is.dev).map_or("?".into(), |nexus| nexus.to_string()),
                        state: is.state,
                        fails: is.fail_count,
                        group,
                        group_state: new.state,
                    });
                }
            }
            let old = before.groups.get(index).map(|old| old.state);
            if !same_table || old != Some(new.state) {
                changes.push(What::Group { group, state: new.state });
            }
        }
        changes
    }

    /// Forgets a map that is there no more. Returns that, if it was known.
    pub fn remove(&mut self, map: &str) -> Option<What> {
        let status = self.last.remove(map)?;
        let wwid = status.wwid().map(str::to_owned);
        Some(What::Map { map: status.map, wwid, paths: None })
    }

    /// The last known statuses, ordered by the name of the map.
    pub fn statuses(&self) -> impl Iterator<Item = &MapStatus> {
        self.last.values()
    }

    /// The highest number of pg_init rounds among the maps.
    pub fn most_rounds(&self) -> u32 {
        self.most_rounds
    }
}

/// The paths of each group of a map.
fn shape(status: &MapStatus) -> Vec<Vec<&str>> {
    let groups = status.groups.iter();
    groups.map(|group| group.paths.iter().map(|path| path.dev.as_str()).collect()).collect()
}

#[cfg(test)]
mod tests {
    use GroupState::{Current, Enabled};
    use PathState::{Active, Failed};
    use sansim_protocol::{GroupState, GroupStatus, PathState, PathStatus};

    use super::*;

    fn status(rounds: u32, state: PathState, group: GroupState) -> MapStatus {
        let path = PathStatus { dev: "8:0".into(), state, fail_count: u32::from(state == Failed) };
        MapStatus {
            map: "lun0".into(),
            name: "dm-0".into(),
            uuid: String::new(),
            table: String::new(),
            line: String::new(),
            rounds,
            queueing: false,
            current_group: 1,
            groups: vec![GroupStatus { state: group, paths: vec![path] }],
        }
    }

    #[test]
    fn only_differences_are_told() {
        let (mut maps, paths) = (Maps::default(), Paths::default());
        assert!(matches!(maps.update(&status(0, Active, Enabled), &paths)[..], [What::Map { .. }]));
        assert!(maps.update(&status(0, Active, Enabled), &paths).is_empty());
        assert_eq!(maps.update(&status(3, Failed, Current), &paths).len(), 3);
        assert_eq!(maps.update(&status(0, Failed, Current), &paths).len(), 1);
        assert_eq!(maps.most_rounds(), 3);
    }
    #[test]
    fn a_table_with_its_groups_in_another_order_is_no_news_of_its_paths() {
        let (mut maps, paths) = (Maps::default(), Paths::default());
        let mut status = status(1, Active, Current);
        let second = PathStatus { dev: "8:16".into(), state: Failed, fail_count: 1 };
        status.groups.push(GroupStatus { state: Enabled, paths: vec![second] });
        maps.update(&status, &paths);
        status.groups.reverse();
        let told = maps.update(&status, &paths);
        assert!(matches!(told[0], What::Table { .. }), "{told:?}");
        assert!(!told.iter().any(|what| matches!(what, What::Path { .. })), "{told:?}");
    }
}
