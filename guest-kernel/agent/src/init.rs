//! The duties of the first process: file systems, the base modules, and never to exit.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::Duration;

use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, reboot};

use crate::exact;
use crate::modprobe::Modules;

/// What is mounted: type and place.
const MOUNTS: [(&str, &str); 5] = [
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("tmpfs", "/run"),
    ("tmpfs", "/tmp"),
];

/// What is needed to talk to the lab, in this order: in real time there is a port, too. Some kernels have
/// some of them built in. Not the driver of the userland's disk: it reads the disk at once, which in exact
/// time somebody must keep the clock for.
const BASE_MODULES: [&str; 1] = ["virtio_pci"];
const PORT_MODULES: [&str; 1] = ["virtio_console"];

/// Sets up what every part of the agent relies on.
pub(crate) fn set_up() {
    std::panic::set_hook(Box::new(|info| die(&info.to_string())));
    for (kind, place) in MOUNTS {
        let _ = fs::create_dir_all(place);
        // Some kernels mount devtmpfs themselves; what is really missing shows soon enough.
        let _ = mount(kind, place, kind, MountFlags::empty(), None);
    }
    load_base_modules();
}

fn load_base_modules() {
    exact::before_drivers();
    let modules = match Modules::open() {
        Ok(modules) => modules,
        Err(error) => return say(&error.to_string()),
    };
    let port: &[&str] = if exact::is_exact() { &[] } else { &PORT_MODULES };
    for name in BASE_MODULES.iter().chain(port) {
        if let Err(error) = modules.load(name) {
            say(&error.to_string());
        }
    }
}

/// Writes a line to the console.
pub(crate) fn say(text: &str) {
    if let Ok(mut console) = OpenOptions::new().write(true).open("/dev/console") {
        let _ = writeln!(console, "sansim-agent: {text}");
    }
}

/// Says what is wrong and ends the guest: without its agent it is of no use to anyone.
pub(crate) fn die(text: &str) -> ! {
    say(&format!("fatal: {text}"));
    power_off()
}

/// Switches the machine off, which ends QEMU.
pub(crate) fn power_off() -> ! {
    let _ = reboot(RebootCommand::PowerOff);
    // A machine that cannot be switched off may at least stop.
    let _ = reboot(RebootCommand::Halt);
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}
