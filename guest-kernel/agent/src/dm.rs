//! Multipath maps: create, query, message, remove, watch.

mod ioctl;
mod status;
mod table;
mod watch;

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use sansim_protocol::{MapSpec, MapStatus};

use crate::fail::{Doing, Failure, Result};
use crate::kmsg::KernelLog;
use crate::modprobe::Modules;
use crate::scan;
use ioctl::{DmAnswer, DmCommand, DmRequest, Target, flags};
use status::Status;

pub(crate) use watch::Watch;

/// How long removal is retried while the map is open. After that, `DM_DEFERRED_REMOVE` leaves it to the
/// last close.
const BUSY_PATIENCE: Duration = Duration::from_secs(3);

/// The control device. devtmpfs creates it when dm_mod is loaded.
const CONTROL: &str = "/dev/mapper/control";

/// The kernel's device-mapper, through its control device.
pub(crate) struct Dm {
    control: File,
}

/// The block device of a map.
pub(crate) struct MapDevice {
    dev: (u32, u32),
    event_nr: u32,
    uuid: String,
}

impl MapDevice {
    fn of(answer: &DmAnswer) -> MapDevice {
        MapDevice { dev: answer.dev(), event_nr: answer.event_nr(), uuid: answer.uuid() }
    }

    /// The node that devtmpfs creates: `/dev/dm-0`.
    pub(crate) fn node(&self) -> String {
        format!("/dev/{}", self.kernel_name())
    }

    fn kernel_name(&self) -> String {
        format!("dm-{}", self.dev.1)
    }

    /// The size in bytes, from `/sys/block/dm-N/size`.
    pub(crate) fn bytes(&self) -> Result<u64> {
        let path = format!("/sys/block/{}/size", self.kernel_name());
        let text = fs::read_to_string(&path).doing(|| format!("read {path}"))?;
        let sectors: u64 = text.trim().parse().doing(|| format!("read {path}"))?;
        Ok(sectors * 512)
    }
}

impl Dm {
    /// Whether dm_mod is loaded: it creates the control device.
    pub(crate) fn is_loaded() -> bool {
        Path::new(CONTROL).exists()
    }

    /// Opens the control device. dm_mod must be loaded.
    pub(crate) fn open() -> Result<Dm> {
        let control = OpenOptions::new().read(true).write(true).open(CONTROL);
        Ok(Dm { control: control.doing(|| format!("open {CONTROL} (is dm_mod loaded?)"))? })
    }

    /// Looks up a map by name (`DM_DEV_STATUS`).
    pub(crate) fn find(&self, map: &str) -> Result<MapDevice> {
        let answer = self.ask(DmRequest::new(DmCommand::Status, map));
        let answer = answer.map_err(|errno| no_map(map, errno))?;
        Ok(MapDevice::of(&answer))
    }

    fn ask(&self, request: DmRequest<'_>) -> std::result::Result<DmAnswer, Errno> {
        request.send(&self.control)
    }

    /// Creates a map, loads its table and activates it. If the kernel refuses the table, the empty map is
    /// removed again. Its UUID is that which multipath-tools would give it.
    pub(crate) fn build(&self, spec: &MapSpec) -> Result<MapStatus> {
        let map = &*spec.map;
        if map.is_empty() || map.contains('/') {
            return Err(Failure::new(format!("\"{map}\" cannot be the name of a map")));
        }
        let (text, sectors) = table::compose(spec, |path| {
            let disk = scan::disk_at(path).ok_or_else(|| {
                let (hba, target, lun) = (&path.target.hba, path.target.target, path.lun);
                Failure::new(format!("there is no disk at HBA {hba}, target {target}, LUN {lun}"))
            })?;
            Ok(table::PathDevice { dev: disk.dev, sectors: disk.sectors })
        })?;
        let target = Target { start: 0, sectors, kind: "multipath".to_owned(), text };
        let first = spec.groups.iter().flatten().next();
        let uuid = first.and_then(scan::wwid).map(|wwid| format!("mpath-{wwid}"));
        self.create(map, &uuid.unwrap_or_default())?;
        self.activate(map, &target).inspect_err(|_| {
            // Nothing has opened the map, so the removal does not fail. The error to report is the first
            // one.
            let _ = self.ask(DmRequest::new(DmCommand::Remove, map));
        })?;
        link(map, &self.find(map)?)?;
        self.status(map)
    }

    /// Creates a map without a table. Another map can have its UUID already, if two LUNs have one WWID; then
    /// it has none.
    fn create(&self, map: &str, uuid: &str) -> Result<()> {
        let created = self.ask(DmRequest::new(DmCommand::Create, map).uuid(uuid));
        let created = match created {
            Err(Errno::BUSY) if !uuid.is_empty() => {
                self.ask(DmRequest::new(DmCommand::Create, map))
            }
            created => created,
        };
        created.map(drop).doing(|| format!("create map {map}"))
    }

    fn activate(&self, map: &str, target: &Target) -> Result<()> {
        let log = KernelLog::from_now();
        let load = DmRequest::new(DmCommand::TableLoad, map).target(target);
        if let Err(errno) = self.ask(load) {
            let lines = log.map(KernelLog::lines).unwrap_or_default();
            return Err(Failure::new(format!(
                "the kernel refuses the table of map {map}: {} (table: 0 {} {} {})",
                reason(&lines).unwrap_or_else(|| errno.to_string()),
                target.sectors,
                target.kind,
                target.text
            )));
        }
        self.ask(DmRequest::new(DmCommand::Suspend, map))
            .doing(|| format!("activate map {map}"))?;
        Ok(())
    }

    /// Reads and parses a map's status and table lines.
    pub(crate) fn status(&self, map: &str) -> Result<MapStatus> {
        let (line, device) = self.line(map, flags::NOFLUSH)?;
        let parsed: Status = line.text.parse().map_err(Failure::new)?;
        self.full_status(map, &device, &line, parsed)
    }

    /// The statuses of all multipath maps that have a table, by name.
    pub(crate) fn maps(&self) -> Result<Vec<MapStatus>> {
        let listed = self.ask(DmRequest::new(DmCommand::ListDevices, ""));
        let mut names = listed.doing(|| "list the maps".to_owned())?.names();
        names.sort_unstable();
        Ok(names.iter().filter_map(|map| self.status(map).ok()).collect())
    }

    /// A parsed status, with the map's table line and device added.
    fn full_status(
        &self,
        map: &str,
        device: &MapDevice,
        line: &Target,
        parsed: Status,
    ) -> Result<MapStatus> {
        let (table, _) = self.line(map, flags::NOFLUSH | flags::STATUS_TABLE)?;
        Ok(MapStatus {
            map: map.to_owned(),
            name: device.kernel_name(),
            uuid: device.uuid.clone(),
            table: format!("{} {}", table.kind, table.text.trim_end()),
            line: format!("{} {}", line.kind, line.text.trim_end()),
            rounds: parsed.rounds,
            queueing: parsed.queueing,
            current_group: parsed.current_group,
            groups: parsed.groups,
        })
    }

    /// The status line of a map, or its table line with [`flags::STATUS_TABLE`], and its device.
    fn line(&self, map: &str, flags: u32) -> Result<(Target, MapDevice)> {
        let answer = self.ask(DmRequest::new(DmCommand::TableStatus, map).flags(flags));
        let answer = answer.map_err(|errno| no_map(map, errno))?;
        let device = MapDevice::of(&answer);
        match answer.targets().into_iter().next() {
            Some(target) if target.kind == "multipath" => Ok((target, device)),
            Some(target) => Err(Failure::new(format!("map {map} is of type {}", target.kind))),
            None => Err(Failure::new(format!("map {map} has no table"))),
        }
    }

    /// Sends a message to the target at sector 0 (`DM_TARGET_MSG`).
    pub(crate) fn message(&self, map: &str, message: &str) -> Result<()> {
        let log = KernelLog::from_now();
        let sent = self.ask(DmRequest::new(DmCommand::Message, map).message(message));
        let Err(errno) = sent else { return Ok(()) };
        if errno == Errno::NXIO {
            return Err(no_map(map, errno));
        }
        let lines = log.map(KernelLog::lines).unwrap_or_default();
        let reason = reason(&lines).unwrap_or_else(|| errno.to_string());
        Err(Failure::new(format!("map {map} refuses the message \"{message}\": {reason}")))
    }

    /// Removes a map. Its queued I/O must have been failed before. An open map is removed on its last
    /// close.
    pub(crate) fn remove(&self, map: &str) -> Result<()> {
        let give_up = Instant::now() + BUSY_PATIENCE;
        loop {
            match self.ask(DmRequest::new(DmCommand::Remove, map)) {
                Err(Errno::BUSY) if Instant::now() < give_up => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(Errno::BUSY) => break,
                Err(errno) => return Err(no_map(map, errno)),
                Ok(_) => {
                    unlink(map);
                    return Ok(());
                }
            }
        }
        let deferred = DmRequest::new(DmCommand::Remove, map).flags(flags::DEFERRED_REMOVE);
        self.ask(deferred).doing(|| format!("remove map {map}"))?;
        unlink(map);
        Err(Failure::new(format!("map {map} is still open; it goes when it is closed")))
    }
}

fn no_map(map: &str, errno: Errno) -> Failure {
    match errno {
        Errno::NXIO => Failure::new(format!("there is no map {map}")),
        errno => Failure::new(format!("the kernel refuses to work on map {map}: {errno}")),
    }
}

/// Why the kernel refused a request: the last `device-mapper: table: …` line of the log, or else the last
/// `device-mapper: …` line, without the prefix.
fn reason(lines: &[String]) -> Option<String> {
    const WHO: [&str; 3] =
        ["device-mapper: table: ", "device-mapper: multipath: ", "device-mapper: "];
    let strip =
        |line: &String| WHO.iter().find_map(|who| line.strip_prefix(who)).map(str::to_owned);
    let table = lines.iter().rev().find(|line| line.starts_with(WHO[0]));
    let any = || lines.iter().rev().find(|line| line.starts_with(WHO[2]));
    table.or_else(any).and_then(strip)
}

/// Creates `/dev/mapper/NAME`, as udev would. Where udev runs, the link may exist already.
fn link(map: &str, device: &MapDevice) -> Result<()> {
    let path = format!("/dev/mapper/{map}");
    unlink(map);
    match std::os::unix::fs::symlink(format!("../{}", device.kernel_name()), &path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(error).doing(|| format!("create {path}"))
        }
        _ => Ok(()),
    }
}

fn unlink(map: &str) {
    // udev may have removed it already.
    let _ = fs::remove_file(format!("/dev/mapper/{map}"));
}

/// Loads dm_mod. The kernel requests the multipath target and the path selectors itself.
pub(crate) fn load() -> Result<()> {
    if Dm::is_loaded() { Ok(()) } else { Modules::open()?.load("dm_mod").map(|_| ()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_reason_is_its_last_line_about_the_table() {
        let lines: Vec<String> = [
            "scsi 2:0:0:0: rdac: Attach failed (8)",
            "device-mapper: table: 254:0: multipath: error attaching hardware handler (-EINVAL)",
            "device-mapper: ioctl: error adding target to table",
        ]
        .map(str::to_owned)
        .into();
        assert_eq!(
            reason(&lines).as_deref(),
            Some("254:0: multipath: error attaching hardware handler (-EINVAL)")
        );
        assert_eq!(reason(&lines[2..]).as_deref(), Some("ioctl: error adding target to table"));
        assert_eq!(reason(&lines[..1]), None);
    }
}
