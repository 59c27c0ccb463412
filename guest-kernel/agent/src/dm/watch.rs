//! Watches all multipath maps: for events, and for changes that raise no event.
//!
//! `poll` on the control device waits for the events of all maps at once (DM_DEV_ARM_POLL, since Linux
//! 4.13). One thread is enough, where DM_DEV_WAIT would need one per map, and removing a map needs no
//! thread to be woken first. The rounds of pg_init and the QUEUE_IO bit raise no event, so the status is
//! also read every [`LOOK`]; in exact time only every [`SELDOM`] while no command is sent or completed.
//! Nothing is polled while there is no map.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use sansim_protocol::{Happening, PathAddress};

use super::ioctl::{DmCommand, DmRequest, flags};
use super::status::Status;
use super::{Dm, Result};
use crate::bell::Bell;
use crate::clock::wait_ready;
use crate::outbox::Outbox;
use crate::scan;
use crate::thread;

/// Interval at which the status of the maps is read.
const LOOK: Duration = Duration::from_millis(50);

/// The same in exact time while no command is sent or completed. A device handler that sends no command can
/// begin pg_init even then.
const SELDOM: Duration = Duration::from_secs(1);

/// Starts the watching thread once dm_mod is loaded.
pub(crate) struct Watch {
    started: AtomicBool,
    eyes: Arc<Eyes>,
}

/// State shared by the watching thread and callers of [`Watch::look`].
struct Eyes {
    outbox: Outbox,
    /// Exact time only: rung when a command is sent or completed. Otherwise maps change by events only.
    activity: Option<Arc<Bell>>,
    seen: Mutex<Seen>,
}

/// What was last reported.
#[derive(Default)]
struct Seen {
    maps: BTreeMap<String, Told>,
    /// The address of each disk of a map, by `major:minor`.
    disks: BTreeMap<String, PathAddress>,
}

/// What was last reported about one map.
#[derive(Default)]
struct Told {
    event_nr: u32,
    status: Option<Status>,
}

impl Watch {
    /// Creates a watch without its thread. Events go to `outbox`.
    pub(crate) fn new(outbox: Outbox, activity: Option<Arc<Bell>>) -> Watch {
        let eyes = Eyes { outbox, activity, seen: Mutex::default() };
        Watch { started: AtomicBool::new(false), eyes: Arc::new(eyes) }
    }

    /// Starts the thread if dm_mod is loaded and the thread does not run yet.
    pub(crate) fn ensure(&self) -> Result<()> {
        if !Dm::is_loaded() || self.started.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let (dm, eyes) = (Dm::open()?, Arc::clone(&self.eyes));
        thread::start("dm-watch", move || -> () { eyes.watch(&dm) }).map(drop)
    }

    /// Reads all maps now. A call uses this to report the changes it made before it returns.
    pub(crate) fn look(&self) {
        if self.started.load(Ordering::SeqCst)
            && let Ok(dm) = Dm::open()
        {
            self.eyes.look(&dm);
        }
    }
}

impl Eyes {
    fn watch(&self, dm: &Dm) -> ! {
        let mut moved = true;
        loop {
            if moved {
                // Armed before the status is read, so that an event in between ends the wait.
                let _ = dm.ask(DmRequest::new(DmCommand::ArmPoll, ""));
                self.relist(dm);
            }
            if let Some(activity) = &self.activity {
                activity.hush();
            }
            let any = self.look(dm);
            moved = match &self.activity {
                Some(activity) => wait_for_activity(dm, activity, any),
                None => wait_ready(&mut [control(dm)], any.then_some(LOOK)),
            };
        }
    }

    /// Adds new maps. Removed maps are dropped when they are next read.
    fn relist(&self, dm: &Dm) {
        let Ok(answer) = dm.ask(DmRequest::new(DmCommand::ListDevices, "")) else { return };
        let mut seen = self.seen();
        for name in answer.names() {
            seen.maps.entry(name).or_default();
        }
    }

    /// Reports the changes of all maps. Returns whether there are any maps.
    fn look(&self, dm: &Dm) -> bool {
        let mut seen = self.seen();
        let Seen { maps, disks } = &mut *seen;
        maps.retain(|map, told| look(dm, map, told, disks, &self.outbox));
        !maps.is_empty()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn control(dm: &Dm) -> PollFd<'_> {
    PollFd::new(&dm.control, PollFlags::IN)
}

/// Waits for an event, or until [`LOOK`] after some activity if there is a map. Returns whether there was
/// an event.
fn wait_for_activity(dm: &Dm, activity: &Bell, any: bool) -> bool {
    let mut fds = [control(dm), PollFd::new(activity, PollFlags::IN)];
    wait_ready(&mut fds[..1 + usize::from(any)], any.then_some(SELDOM));
    !fds[0].revents().is_empty() || wait_ready(&mut [control(dm)], Some(LOOK))
}

/// Reports the disks of a map that were not reported before, or have another address now. What is looked at
/// does not depend on how many disks there are.
fn tell_of_disks(told: &mut BTreeMap<String, PathAddress>, status: &Status, outbox: &Outbox) {
    let mut disks = Vec::new();
    for dev in status.devs() {
        let address = scan::address_of(dev);
        if address.is_some()
            && told.get(dev) != address.as_ref()
            && let Some(disk) = scan::disk_of(dev)
        {
            told.insert(dev.to_owned(), disk.path.clone());
            disks.push(disk);
        }
    }
    if !disks.is_empty() {
        outbox.event(Happening::Disks { disks });
    }
}

/// Reports the changes of one map. Returns whether to keep watching it: true for a multipath map and for a
/// map that may still become one. Another type of device costs one status per interval.
fn look(
    dm: &Dm,
    map: &str,
    told: &mut Told,
    disks: &mut BTreeMap<String, PathAddress>,
    outbox: &Outbox,
) -> bool {
    let Ok((line, device)) = dm.line(map, flags::NOFLUSH) else {
        let is_there = dm.find(map).is_ok();
        if !is_there && told.status.is_some() {
            outbox.event(Happening::MapRemoved { map: map.to_owned() });
        }
        return is_there;
    };
    if device.event_nr != told.event_nr {
        told.event_nr = device.event_nr;
        outbox.event(Happening::DmEvent { map: map.to_owned(), number: device.event_nr });
    }
    // The parsed status leaves out the bytes in flight, so they cause no event.
    let Ok(status) = line.text.parse::<Status>() else { return true };
    if told.status.as_ref() != Some(&status) {
        if told.status.as_ref().is_none_or(|before| !before.has_paths_of(&status)) {
            tell_of_disks(disks, &status, outbox);
        }
        told.status = Some(status.clone());
        if let Ok(full) = dm.full_status(map, &device, &line, status) {
            outbox.event(Happening::Map(full));
        }
    }
    true
}
