//! Taking in what has happened: the world, the maps and the disks follow it.

use std::sync::Arc;

use sansim_protocol::{Disk, DiskAction, Event as AgentEvent, Happening, ProgramEnd};

use super::{Incoming, Stage};
use crate::{Brought, event::What, kernel_log::complaint};

impl Stage<'_> {
    /// Updates the world with what happened, and returns further events that follow from it.
    pub fn take(&mut self, incoming: &Incoming) -> Vec<What> {
        match incoming {
            Incoming::Command(record) => {
                self.world.on_command(record);
                self.count_rules();
            }
            Incoming::Change(change) => {
                self.world.on_state(change);
                self.count_rules();
            }
            Incoming::Agent(event) => return self.take_agent(event),
            Incoming::Done { name, brought: Ok(brought) } => {
                self.world.on_done(name);
                self.take_brought(name, brought);
            }
            Incoming::Alarm => self.armed_for = None,
            Incoming::Done { .. } | Incoming::TerminalEnded { .. } | Incoming::Settled => {}
        }
        Vec::new()
    }

    fn take_brought(&mut self, name: &str, brought: &Brought) {
        match brought {
            Brought::Ran(ProgramEnd { ended, stdout, stderr, .. }) => {
                self.world.on_ran(name, *ended, &format!("{stdout}{stderr}"));
            }
            Brought::Started { lun } => self.workload_started(*lun),
            Brought::Stopped { lun, report } => self.workload_stopped(*lun, (**report).clone()),
            Brought::Nothing => {}
        }
    }

    fn take_agent(&mut self, event: &AgentEvent) -> Vec<What> {
        self.world.on_agent_event(event);
        match &event.what {
            Happening::Map(status) => return self.maps.update(status, &self.paths),
            Happening::MapRemoved { map } => return self.maps.remove(map).into_iter().collect(),
            Happening::Disks { disks } => disks.iter().for_each(|disk| self.add_disk(disk)),
            Happening::Disk { action, name, dev, disk } => {
                self.take_disk(*action, dev, disk.as_ref());
                let place = self.paths.place(dev);
                return vec![What::Disk {
                    action: *action,
                    name: name.clone(),
                    dev: dev.clone(),
                    path: place.map(|(nexus, _)| nexus.to_string()),
                    lun: place.map(|(_, lun)| lun.0),
                }];
            }
            Happening::Log { text, .. } => {
                if let Some(kind) = complaint(text)
                    && !self.setup.guest.allow.iter().any(|allowed| allowed.is_in(text))
                {
                    self.complaint.get_or_insert(format!("{kind} in the guest: {text}"));
                }
            }
            Happening::PathUevent { action, seqnum, path, valid_paths, .. } => {
                return vec![What::Uevent {
                    action: action.clone(),
                    path: self.paths.nexus(path).map_or(path.clone(), |n| n.to_string()),
                    seqnum: *seqnum,
                    valid_paths: *valid_paths,
                }];
            }
            _ => {}
        }
        Vec::new()
    }

    fn take_disk(&mut self, action: DiskAction, dev: &str, disk: Option<&Disk>) {
        match (action, disk) {
            (DiskAction::Add, Some(disk)) => self.add_disk(disk),
            (DiskAction::Add, None) => {}
            (DiskAction::Remove, _) => {
                Arc::make_mut(&mut self.paths).remove(dev);
                self.world.on_disk_removed(dev);
            }
        }
    }

    fn add_disk(&mut self, disk: &Disk) {
        let place = Arc::make_mut(&mut self.paths).add(&self.setup, &self.array, disk.clone());
        if let Some(place) = place {
            self.world.on_disk(disk.dev.clone(), place);
        }
    }
}
