//! Watching every multipath map: events, and what no event tells.
//!
//! `poll` on the control device waits for the events of all maps at once (DM_DEV_ARM_POLL, since
//! Linux 4.13), so that one thread does what a DM_DEV_WAIT would need one a map for, and a map can
//! be removed without waking anybody up first. The rounds of pg_init and the QUEUE_IO bit raise no
//! event, so the status is read every [`LOOK`] as well, and in exact time only every [`SELDOM`] while nothing
//! goes to any device or comes back; while there is no map nothing is polled.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use sansim_protocol::{Disk, Happening};

use super::ioctl::{DmCommand, DmRequest, flags};
use super::status::Status;
use super::{Dm, Result};
use crate::bell::Bell;
use crate::clock::wait_ready;
use crate::outbox::Outbox;
use crate::scan;
use crate::thread;

/// How often the status of the maps is read.
const LOOK: Duration = Duration::from_millis(50);

/// How often it is read, in exact time, while nothing goes to any device or comes back. A handler that
/// sends no command can begin pg_init all the same.
const SELDOM: Duration = Duration::from_secs(1);

/// Starts the watching thread once there is a device-mapper.
pub(crate) struct Watch {
    started: AtomicBool,
    eyes: Arc<Eyes>,
}

/// What the thread shares with those who want the maps to be looked at now.
struct Eyes {
    outbox: Outbox,
    /// In exact time: without any of it no map changes but by an event.
    activity: Option<Arc<Bell>>,
    seen: Mutex<Seen>,
}

/// What was told so far.
#[derive(Default)]
struct Seen {
    maps: BTreeMap<String, Told>,
    disks: Vec<Disk>,
}

/// What was last told about a map.
#[derive(Default)]
struct Told {
    event_nr: u32,
    status: Option<Status>,
}

impl Watch {
    /// Watches nothing yet; events go to `outbox`.
    pub(crate) fn new(outbox: Outbox, activity: Option<Arc<Bell>>) -> Watch {
        let eyes = Eyes { outbox, activity, seen: Mutex::default() };
        Watch { started: AtomicBool::new(false), eyes: Arc::new(eyes) }
    }

    /// Starts watching if the device-mapper is loaded and nobody watches.
    pub(crate) fn ensure(&self) -> Result<()> {
        if !Dm::is_loaded() || self.started.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let (dm, eyes) = (Dm::open()?, Arc::clone(&self.eyes));
        thread::start("dm-watch", move || -> () { eyes.watch(&dm) }).map(drop)
    }

    /// Looks at the maps now: what something has changed is told before it is answered.
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
                // Armed before looking, so that what happens in between ends the wait.
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

    /// Adds maps that are new; those that are gone fall out when they are looked at.
    fn relist(&self, dm: &Dm) {
        let Ok(answer) = dm.ask(DmRequest::new(DmCommand::ListDevices, "")) else { return };
        let mut seen = self.seen();
        for name in answer.names() {
            seen.maps.entry(name).or_default();
        }
    }

    /// Tells what is new about all maps. Answers whether there are any.
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

/// Waits for an event, or until some activity is [`LOOK`] ago, if there is a map that it can change.
/// Returns whether there was an event.
fn wait_for_activity(dm: &Dm, activity: &Bell, any: bool) -> bool {
    let mut fds = [control(dm), PollFd::new(activity, PollFlags::IN)];
    wait_ready(&mut fds[..1 + usize::from(any)], any.then_some(SELDOM));
    !fds[0].revents().is_empty() || wait_ready(&mut [control(dm)], Some(LOOK))
}

/// Tells which disks there are, if they are others than those told of.
fn tell_of_disks(told: &mut Vec<Disk>, outbox: &Outbox) {
    let Ok(disks) = scan::disks() else { return };
    let same = |(was, is): (&Disk, &Disk)| (&was.dev, &was.path) == (&is.dev, &is.path);
    if told.len() != disks.len() || !told.iter().zip(&disks).all(same) {
        *told = disks.clone();
        outbox.event(Happening::Disks { disks });
    }
}

/// Tells what is new about a map. Returns whether it is a multipath map that still exists, or may
/// become one: a device of another type costs a look now and then.
fn look(dm: &Dm, map: &str, told: &mut Told, disks: &mut Vec<Disk>, outbox: &Outbox) -> bool {
    let Ok((line, device)) = dm.line(map, flags::NOFLUSH) else { return dm.find(map).is_ok() };
    if device.event_nr != told.event_nr {
        told.event_nr = device.event_nr;
        outbox.event(Happening::DmEvent { map: map.to_owned(), number: device.event_nr });
    }
    // Bytes in flight are not part of the parsed status: they are not worth an event.
    let Ok(status) = line.text.parse::<Status>() else { return true };
    if told.status.as_ref() != Some(&status) {
        if told.status.as_ref().is_none_or(|before| !before.has_paths_of(&status)) {
            tell_of_disks(disks, outbox);
        }
        told.status = Some(status.clone());
        if let Ok(full) = dm.full_status(map, &device, &line, status) {
            outbox.event(Happening::Map(full));
        }
    }
    true
}
