//! Watching every multipath map: events, and what no event tells.
//!
//! `poll` on the control device waits for the events of all maps at once (DM_DEV_ARM_POLL, since
//! Linux 4.13), so that one thread does what a DM_DEV_WAIT would need one a map for, and a map can
//! be removed without waking anybody up first. The rounds of pg_init and the QUEUE_IO bit raise no
//! event, so the status is read every [`LOOK`] as well; while there is no map nothing is polled.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use sansim_protocol::{Disk, Happening};

use super::ioctl::{Command, Request, flags};
use super::status::Status;
use super::{Dm, Result};
use crate::clock::wait_ready;
use crate::fail::Doing;
use crate::outbox::Outbox;
use crate::scan;

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
    status: Option<Status>,
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
    let mut maps: BTreeMap<String, Told> = BTreeMap::new();
    let mut disks = Vec::new();
    let mut moved = true;
    loop {
        if moved {
            // Armed before looking, so that what happens in between ends the wait.
            let _ = dm.ask(Request::new(Command::ArmPoll, ""));
            relist(dm, &mut maps);
        }
        maps.retain(|map, told| look(dm, map, told, &mut disks, outbox));
        let mut fds = [PollFd::new(&dm.control, PollFlags::IN)];
        moved = wait_ready(&mut fds, (!maps.is_empty()).then_some(LOOK));
    }
}

/// Adds maps that are new; those that are gone fall out when they are looked at.
fn relist(dm: &Dm, maps: &mut BTreeMap<String, Told>) {
    let Ok(answer) = dm.ask(Request::new(Command::ListDevices, "")) else { return };
    for name in answer.names() {
        maps.entry(name).or_default();
    }
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
