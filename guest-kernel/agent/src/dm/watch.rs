//! Watching every multipath map: events, and what no event tells.
//!
//! `poll` on the control device waits for the events of all maps at once (DM_DEV_ARM_POLL, since
//! Linux 4.13), so that one thread does what a DM_DEV_WAIT would need one a map for, and a map can
//! be removed without waking anybody up first. The rounds of pg_init and the QUEUE_IO bit raise no
//! event, so the status is read every [`LOOK`] as well; while there is no map nothing is polled.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use sansim_protocol::{Happening, MapStatus};

use super::ioctl::{Command, Request};
use super::{Dm, Result};
use crate::clock::wait_ready;
use crate::fail::Doing;
use crate::outbox::Outbox;

/// How often the status of the maps is read.
const LOOK: Duration = Duration::from_millis(50);

/// Starts the watching thread once there is a device-mapper.
pub(crate) struct Watch {
    started: AtomicBool,
    outbox: Outbox,
}

/// What was last told about a map.
#[derive(Default)]
struct Told {
    event_nr: u32,
    status: Option<MapStatus>,
}

impl Watch {
    /// Watches nothing yet; events go to `outbox`.
    pub(crate) fn new(outbox: Outbox) -> Watch {
        Watch { started: AtomicBool::new(false), outbox }
    }

    /// Starts watching if the device-mapper is loaded and nobody watches.
    pub(crate) fn ensure(&self) -> Result<()> {
        if !Dm::is_loaded() || self.started.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let dm = Dm::open()?;
        let outbox = self.outbox.clone();
        std::thread::Builder::new()
            .name("dm-watch".to_owned())
            .spawn(move || watch(&dm, &outbox))
            .doing(|| "start a thread".to_owned())?;
        Ok(())
    }
}

fn watch(dm: &Dm, outbox: &Outbox) -> ! {
    let mut maps: HashMap<String, Told> = HashMap::new();
    let mut listed = false;
    loop {
        // Armed before looking, so that what happens in between ends the wait.
        let _ = dm.ask(Request::new(Command::ArmPoll, ""));
        if !std::mem::replace(&mut listed, true) {
            relist(dm, &mut maps);
        }
        maps.retain(|map, told| look(dm, map, told, outbox));
        let mut fds = [PollFd::new(&dm.control, PollFlags::IN)];
        if wait_ready(&mut fds, (!maps.is_empty()).then_some(LOOK)) {
            listed = false;
        }
    }
}

/// Adds maps that are new; those that are gone fall out when they are looked at.
fn relist(dm: &Dm, maps: &mut HashMap<String, Told>) {
    let Ok(answer) = dm.ask(Request::new(Command::ListDevices, "")) else { return };
    for name in answer.names() {
        maps.entry(name).or_default();
    }
}

/// Tells what is new about a map. Returns whether it still exists.
fn look(dm: &Dm, map: &str, told: &mut Told, outbox: &Outbox) -> bool {
    let Ok(device) = dm.find(map) else { return false };
    if device.event_nr != told.event_nr {
        told.event_nr = device.event_nr;
        outbox.event(Happening::DmEvent { map: map.to_owned(), number: device.event_nr });
    }
    // Without a table yet, or of another type: nothing to tell.
    let Ok(status) = dm.status(map) else { return true };
    if told.status.as_ref().is_none_or(|last| differs(last, &status)) {
        outbox.event(Happening::Map(status.clone()));
        told.status = Some(status);
    }
    true
}

/// Whether something changed that is worth telling; bytes in flight are not.
fn differs(a: &MapStatus, b: &MapStatus) -> bool {
    (a.rounds, a.queueing, a.current_group) != (b.rounds, b.queueing, b.current_group)
        || a.groups != b.groups
}
