//! From one status of a multipath map to the next: what changed, as events.

use std::collections::HashMap;

use sansim_protocol::MapStatus;

use super::guest::Paths;
use crate::event::What;

/// The status of every map as it was last seen.
#[derive(Debug, Default)]
pub(super) struct Maps {
    last: HashMap<String, MapStatus>,
    most_rounds: u32,
}

impl Maps {
    /// Takes a new status and says what is different. The first status of a map is only remembered.
    pub(super) fn update(&mut self, status: &MapStatus, paths: &Paths) -> Vec<What> {
        self.most_rounds = self.most_rounds.max(status.rounds);
        let Some(before) = self.last.insert(status.map.clone(), status.clone()) else {
            return Vec::new();
        };
        let mut changes = Vec::new();
        // A switch of path groups starts the count anew: round 1 there is news after round 1 here.
        if (before.rounds, before.current_group) != (status.rounds, status.current_group) {
            changes.push(What::PgInit { map: status.map.clone(), rounds: status.rounds });
        }
        for (index, (old, new)) in before.groups.iter().zip(&status.groups).enumerate() {
            let group = index + 1;
            for (was, is) in old.paths.iter().zip(&new.paths) {
                if (was.state, was.fail_count) != (is.state, is.fail_count) {
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
            if old.state != new.state {
                changes.push(What::Group { group, state: new.state });
            }
        }
        changes
    }

    /// The last status of every map.
    pub(super) fn statuses(&self) -> impl Iterator<Item = &MapStatus> {
        self.last.values()
    }

    /// The most pg_init rounds of any map.
    pub(super) fn most_rounds(&self) -> u32 {
        self.most_rounds
    }
}

#[cfg(test)]
mod tests {
    use sansim_protocol::{GroupStatus, PathStatus};

    use super::*;

    fn status(rounds: u32, state: char, group: char) -> MapStatus {
        let path = PathStatus { dev: "8:0".into(), state, fail_count: u32::from(state == 'F') };
        MapStatus {
            map: "lun0".into(),
            name: "dm-0".into(),
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
        assert!(maps.update(&status(0, 'A', 'E'), &paths).is_empty());
        assert!(maps.update(&status(0, 'A', 'E'), &paths).is_empty());
        assert_eq!(maps.update(&status(3, 'F', 'A'), &paths).len(), 3);
        assert_eq!(maps.update(&status(0, 'F', 'A'), &paths).len(), 1);
        assert_eq!(maps.most_rounds(), 3);
    }
}
