//! Multipath maps: building, asking, telling, removing, watching.

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

/// How long a map that is still open is waited for before its removal is left to the last close.
const BUSY_PATIENCE: Duration = Duration::from_secs(3);

/// The control device, `/dev/mapper/control`; devtmpfs makes it when dm_mod is loaded.
const CONTROL: &str = "/dev/mapper/control";

/// The device-mapper of this kernel, by its control device.
pub(crate) struct Dm {
    control: File,
}

/// The dm device of a map.
pub(crate) struct MapDevice {
    dev: (u32, u32),
    event_nr: u32,
}

impl MapDevice {
    /// The node that devtmpfs makes: `/dev/dm-0`.
    pub(crate) fn node(&self) -> String {
        format!("/dev/{}", self.kernel_name())
    }

    fn kernel_name(&self) -> String {
        format!("dm-{}", self.dev.1)
    }

    /// The size of the map in bytes, as sysfs has it.
    pub(crate) fn bytes(&self) -> Result<u64> {
        let path = format!("/sys/block/{}/size", self.kernel_name());
        let text = fs::read_to_string(&path).doing(|| format!("read {path}"))?;
        let sectors: u64 = text.trim().parse().doing(|| format!("read {path}"))?;
        Ok(sectors * 512)
    }
}

impl Dm {
    /// Whether the device-mapper is there at all.
    pub(crate) fn is_loaded() -> bool {
        Path::new(CONTROL).exists()
    }

    /// Opens the control device, which must be there.
    pub(crate) fn open() -> Result<Dm> {
        let control = OpenOptions::new().read(true).write(true).open(CONTROL);
        Ok(Dm { control: control.doing(|| format!("open {CONTROL} (is dm_mod loaded?)"))? })
    }

    /// The device of a map.
    pub(crate) fn find(&self, map: &str) -> Result<MapDevice> {
        let answer = self.ask(DmRequest::new(DmCommand::Status, map));
        let answer = answer.map_err(|errno| no_map(map, errno))?;
        Ok(MapDevice { dev: answer.dev(), event_nr: answer.event_nr() })
    }

    fn ask(&self, request: DmRequest<'_>) -> std::result::Result<DmAnswer, Errno> {
        request.send(&self.control)
    }

    /// Creates a map, loads its table and activates it. A map whose table is refused is removed
    /// again.
    pub(crate) fn build(&self, spec: &MapSpec) -> Result<MapStatus> {
        let map = &*spec.map;
        if map.is_empty() || map.contains('/') {
            return Err(Failure::new(format!("\"{map}\" cannot be the name of a map")));
        }
        let disks = scan::disks()?;
        let (text, sectors) = table::compose(spec, |path| {
            let disk = disks.iter().find(|disk| disk.path == *path);
            let disk = disk.ok_or_else(|| {
                let (hba, target, lun) = (&path.target.hba, path.target.target, path.lun);
                Failure::new(format!("there is no disk at HBA {hba}, target {target}, LUN {lun}"))
            })?;
            Ok(table::PathDevice { dev: disk.dev.clone(), sectors: disk.sectors })
        })?;
        let target = Target { start: 0, sectors, kind: "multipath".to_owned(), text };
        self.ask(DmRequest::new(DmCommand::Create, map)).doing(|| format!("create map {map}"))?;
        self.activate(map, &target).inspect_err(|_| {
            // Nobody has opened it, so this succeeds at once; the first error is the one to tell.
            let _ = self.ask(DmRequest::new(DmCommand::Remove, map));
        })?;
        link(map, &self.find(map)?)?;
        self.status(map)
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

    /// What the kernel shows of a multipath map.
    pub(crate) fn status(&self, map: &str) -> Result<MapStatus> {
        let (line, device) = self.line(map, flags::NOFLUSH)?;
        let parsed: Status = line.text.parse().map_err(Failure::new)?;
        self.full_status(map, &device, &line, parsed)
    }

    /// A status that was read and parsed, with what else there is to say about its map.
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
            table: format!("{} {}", table.kind, table.text.trim_end()),
            line: format!("{} {}", line.kind, line.text.trim_end()),
            rounds: parsed.rounds,
            queueing: parsed.queueing,
            current_group: parsed.current_group,
            groups: parsed.groups,
        })
    }

    /// The status or table line of a map, and its device.
    fn line(&self, map: &str, flags: u32) -> Result<(Target, MapDevice)> {
        let answer = self.ask(DmRequest::new(DmCommand::TableStatus, map).flags(flags));
        let answer = answer.map_err(|errno| no_map(map, errno))?;
        let device = MapDevice { dev: answer.dev(), event_nr: answer.event_nr() };
        match answer.targets().into_iter().next() {
            Some(target) if target.kind == "multipath" => Ok((target, device)),
            Some(target) => Err(Failure::new(format!("map {map} is of type {}", target.kind))),
            None => Err(Failure::new(format!("map {map} has no table"))),
        }
    }

    /// Sends a message to the map's target.
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

    /// Removes a map. What it queues must have been failed before; a map that stays open goes when
    /// it is closed.
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

/// The kernel's own words about what it refused: the device-mapper's last line, without the part
/// that only says who speaks.
fn reason(lines: &[String]) -> Option<String> {
    const WHO: [&str; 3] =
        ["device-mapper: table: ", "device-mapper: multipath: ", "device-mapper: "];
    let strip =
        |line: &String| WHO.iter().find_map(|who| line.strip_prefix(who)).map(str::to_owned);
    let table = lines.iter().rev().find(|line| line.starts_with(WHO[0]));
    let any = || lines.iter().rev().find(|line| line.starts_with(WHO[2]));
    table.or_else(any).and_then(strip)
}

/// `/dev/mapper/NAME`, as udev would make it; where udev runs, it may be faster.
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
    // Gone already where udev runs.
    let _ = fs::remove_file(format!("/dev/mapper/{map}"));
}

/// Loads what the ioctl interface needs; the multipath target and its path selectors are left to
/// the kernel's own requests.
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
