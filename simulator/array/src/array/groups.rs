//! Changes of asymmetric access states: by SET TARGET PORT GROUPS, by a step, or because a LUN has moved.

use sansim_time::Time;

use super::{report::Report, state::State};
use crate::{
    access_state::{AccessState, Altered},
    ids::{Lun, Nexus},
    observe::{Changed, LunChange},
    personality::GroupChange,
};

impl State {
    /// Sets or clears explicit states of a LUN's target port groups and ports, and then moves the LUN.
    /// Every nexus except the requesting one gets a unit attention.
    pub(super) fn change_groups(
        &mut self,
        now: Time,
        lun: Lun,
        change: GroupChange,
        by: Option<Nexus>,
        report: &mut Report,
    ) {
        let before = self.group_states(lun);
        let Some(unit) = self.units.get_mut(&lun) else { return };
        let mut changes = Vec::new();
        for (group, state) in change.states {
            let before = match state {
                Some(state) => unit.group_states.insert(group, state),
                None => unit.group_states.remove(&group),
            };
            if before != state {
                changes.push(LunChange::PortGroup { group, state });
            }
        }
        for (port, offline) in change.offline {
            let changed =
                if offline { unit.offline.insert(port) } else { unit.offline.remove(&port) };
            if changed {
                changes.push(LunChange::PortOffline { port, offline });
            }
        }
        let news = !changes.is_empty();
        for change in changes {
            report.change(now, Changed::Lun { lun, change });
        }
        if let Some(sense) = self.family_owning(lun).owner_changed().filter(|_| news) {
            self.push_attention(Some(lun), sense, |nexus| Some(nexus) != by);
        }
        self.note_altered(lun, &before, by);
        if let Some(to) = change.to {
            self.move_lun(now, lun, to, by, report);
        }
    }

    /// The access state of each target port group of a LUN.
    pub(super) fn group_states(&self, lun: Lun) -> Vec<(u16, AccessState)> {
        let Some(unit) = self.units.get(&lun) else { return Vec::new() };
        let views = self.family_of(unit.owner).group_views(&self.site_of(unit), unit);
        views.into_iter().map(|view| (view.group, view.state)).collect()
    }

    /// Records what altered the groups whose state is not as it was before. A host alters them by SET
    /// TARGET PORT GROUPS.
    pub(super) fn note_altered(
        &mut self,
        lun: Lun,
        before: &[(u16, AccessState)],
        by: Option<Nexus>,
    ) {
        let after = self.group_states(lun);
        let altered = if by.is_some() { Altered::Explicit } else { Altered::Implicit };
        let Some(unit) = self.units.get_mut(&lun) else { return };
        for (group, _) in after.iter().filter(|state| !before.contains(state)) {
            unit.altered.insert(*group, altered);
        }
    }
}
