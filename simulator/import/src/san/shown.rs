//! The states of a LUN's paths as a report shows them, once or several times: what it was like before, and what
//! became of it.

use std::collections::BTreeMap;

use super::{Nexus, San};
use crate::facts::{Map, PathState};

/// The state of each path of a LUN.
pub(crate) type States = BTreeMap<Nexus, PathState>;

impl San {
    /// The states of a map's paths, and those of each later time. A path that is not there later stays as it was.
    pub(super) fn shown(&self, map: &Map, later: &[Vec<Map>]) -> Vec<States> {
        let mut shown = vec![self.states(map)];
        for maps in later {
            let mut now = shown[shown.len() - 1].clone();
            if let Some(map) = maps.iter().find(|it| it.is(map)) {
                let known: Vec<_> = self.states(map).into_iter().collect();
                now.extend(known.into_iter().filter(|(nexus, _)| shown[0].contains_key(nexus)));
            }
            shown.push(now);
        }
        shown
    }

    fn states(&self, map: &Map) -> States {
        let paths = map.groups.iter().flat_map(|group| &group.paths);
        let mut states = States::new();
        for path in paths {
            if let Some(nexus) = path.address.and_then(|address| self.place(address)) {
                states.entry(nexus).or_insert(path.state);
            }
        }
        states
    }
}
