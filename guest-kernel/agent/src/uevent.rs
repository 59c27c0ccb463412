//! Kernel uevents (netlink, NETLINK_KOBJECT_UEVENT): path failures and reinstatements, disks added and
//! removed.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with, sockopt,
};
use sansim_protocol::{DiskAction, Happening};

use crate::clock::{now_ns, wait_ready};
use crate::fail::{Doing, Result};
use crate::outbox::Outbox;
use crate::scan;

/// Longest gap between the path events of one burst.
const REORDER: Duration = Duration::from_millis(5);

/// Most path events in one burst.
const MAX_BURST: usize = 1024;

/// Receive buffer in bytes: room for some thousands of events.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Reports path and disk events; returns only on error.
pub(crate) fn follow(outbox: &Outbox) -> Result<()> {
    let socket = open()?;
    let mut burst: Vec<(u64, Happening)> = Vec::new();
    let mut buffer = vec![0; 16 << 10];
    loop {
        let mut fds = [PollFd::new(&socket, PollFlags::IN)];
        let timeout = (!burst.is_empty()).then_some(REORDER);
        if !wait_ready(&mut fds, timeout) {
            in_order(&mut burst);
            burst.drain(..).for_each(|(at_ns, event)| outbox.event_at(at_ns, event));
            continue;
        }
        match recv(&socket, buffer.as_mut_slice(), RecvFlags::DONTWAIT) {
            Ok((len, _)) => match parse(&buffer[..len]) {
                Some(event @ Happening::PathUevent { .. }) if burst.len() < MAX_BURST => {
                    burst.push((now_ns(), event));
                }
                Some(event) => outbox.event(with_disk(event)),
                None => {}
            },
            // The kernel dropped events; it does not say how many.
            Err(Errno::NOBUFS) => outbox.count_lost(1),
            Err(_) => {}
        }
    }
}

/// The event, with the disk that was added.
fn with_disk(event: Happening) -> Happening {
    match event {
        Happening::Disk { action: DiskAction::Add, name, dev, .. } => {
            let disk = scan::disk_of(&dev);
            Happening::Disk { action: DiskAction::Add, name, dev, disk }
        }
        event => event,
    }
}

fn open() -> Result<OwnedFd> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(KOBJECT_UEVENT),
    );
    let socket = socket.doing(|| "open a uevent socket".to_owned())?;
    // Multicast group 1 is the kernel's, group 2 is udev's.
    bind(&socket, &SocketAddrNetlink::new(0, 1)).doing(|| "bind a uevent socket".to_owned())?;
    // Ignored on failure: the default is enough except for event storms.
    let _ = sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER);
    Ok(socket)
}

/// Sorts the path events of a burst by the order in which they occurred. `dm.c:dm_uevent_add` sends events
/// that were queued together in reverse; DM_SEQNUM numbers them for each map.
fn in_order(burst: &mut [(u64, Happening)]) {
    burst.sort_by_key(|(_, event)| match event {
        Happening::PathUevent { map, seqnum, .. } => (map.clone(), *seqnum),
        _ => (String::new(), 0),
    });
}

/// Parses a uevent: `ACTION@DEVPATH`, then `KEY=value` pairs, each NUL-terminated.
fn parse(message: &[u8]) -> Option<Happening> {
    let pairs =
        || message.split(|b| *b == 0).filter_map(|p| std::str::from_utf8(p).ok()?.split_once('='));
    let get = |key: &str| pairs().find(|pair| pair.0 == key).map(|pair| pair.1);
    if get("SUBSYSTEM") != Some("block") {
        return None;
    }
    if let Some(action) = get("DM_ACTION") {
        return Some(Happening::PathUevent {
            map: get("DM_NAME")?.to_owned(),
            action: action.to_owned().into(),
            seqnum: get("DM_SEQNUM")?.parse().ok()?,
            path: get("DM_PATH")?.to_owned(),
            valid_paths: get("DM_NR_VALID_PATHS")?.parse().ok()?,
        });
    }
    let action = match get("ACTION")? {
        "add" => DiskAction::Add,
        "remove" => DiskAction::Remove,
        _ => return None,
    };
    let name = get("DEVNAME")?;
    (get("DEVTYPE") == Some("disk") && name.starts_with("sd")).then_some(())?;
    let dev = format!("{}:{}", get("MAJOR")?, get("MINOR")?);
    Some(Happening::Disk { action, name: name.to_owned(), dev, disk: None })
}

#[cfg(test)]
mod tests {
    use sansim_protocol::PathUeventAction;

    use super::*;

    fn message(lines: &[&str]) -> Vec<u8> {
        lines.iter().flat_map(|line| [line.as_bytes(), &[0]].concat()).collect()
    }

    fn path_event(map: &str, seqnum: u64, valid_paths: u32) -> Happening {
        Happening::PathUevent {
            map: map.into(),
            action: PathUeventAction::Failed,
            seqnum,
            path: "8:16".into(),
            valid_paths,
        }
    }

    #[test]
    fn path_events_are_read() {
        let bytes = message(&[
            "change@/devices/virtual/block/dm-0",
            "ACTION=change",
            "SUBSYSTEM=block",
            "DEVNAME=dm-0",
            "DEVTYPE=disk",
            "DM_TARGET=multipath",
            "DM_ACTION=PATH_FAILED",
            "DM_SEQNUM=3",
            "DM_PATH=8:16",
            "DM_NR_VALID_PATHS=1",
            "DM_NAME=lun0",
            "DM_UUID=",
        ]);
        assert_eq!(parse(&bytes), Some(path_event("lun0", 3, 1)));
        assert_eq!(parse(&bytes[..bytes.len() - 40]), None, "cut short");
    }

    #[test]
    fn disks_are_read_and_everything_else_is_left_out() {
        let disk = |name: &str, kind: &str, action: &str| {
            let lines = [
                "x@/devices/y",
                &format!("ACTION={action}"),
                "SUBSYSTEM=block",
                &format!("DEVNAME={name}"),
                &format!("DEVTYPE={kind}"),
                "MAJOR=8",
                "MINOR=32",
            ]
            .map(str::to_owned);
            parse(&message(&lines.iter().map(String::as_str).collect::<Vec<_>>()))
        };
        let (action, name, dev) = (DiskAction::Add, "sdc".into(), "8:32".into());
        assert_eq!(
            disk("sdc", "disk", "add"),
            Some(Happening::Disk { action, name, dev, disk: None })
        );
        assert_eq!(disk("sdc", "disk", "change"), None);
        assert_eq!(disk("sdc1", "partition", "add"), None);
        assert_eq!(disk("dm-0", "disk", "add"), None);
        assert_eq!(parse(b""), None);
        assert_eq!(parse(&[0xff, 0, b'=', 0]), None);
    }

    #[test]
    fn a_burst_is_put_in_order() {
        let (first, second) = (path_event("a", 8, 1), path_event("a", 9, 0));
        let other = path_event("b", 1, 0);
        let mut burst = vec![(1, second.clone()), (2, other.clone()), (3, first.clone())];
        in_order(&mut burst);
        assert_eq!(burst, [(3, first), (1, second), (2, other)]);
    }
}
