//! The duties of PID 1: mounting file systems, loading the base modules, and never exiting.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::Duration;

use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, reboot};

use crate::exact;
use crate::modprobe::Modules;

/// File systems to mount: type and mount point.
const MOUNTS: [(&str, &str); 5] = [
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("tmpfs", "/run"),
    ("tmpfs", "/tmp"),
];

/// Modules needed to talk to the lab, in load order; in real time also those of the virtio-serial port.
/// Some kernels have some of them built in. The driver of the userland's disk is not among them: it reads
/// the disk when it is loaded, and in exact time the keeper must run by then.
const BASE_MODULES: [&str; 1] = ["virtio_pci"];
const PORT_MODULES: [&str; 1] = ["virtio_console"];

/// Mounts the file systems and loads the base modules. A panic of the agent powers the guest off.
pub(crate) fn set_up() {
    std::panic::set_hook(Box::new(|info| die(&info.to_string())));
    for (kind, place) in MOUNTS {
        let _ = fs::create_dir_all(place);
        // Some kernels mount devtmpfs themselves. A mount that is really missing is noticed soon after.
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

pub(crate) fn say(text: &str) {
    if let Ok(mut console) = OpenOptions::new().write(true).open("/dev/console") {
        let _ = writeln!(console, "sansim-agent: {text}");
    }
}

/// Prints the reason and powers the guest off: without its agent the guest is useless.
pub(crate) fn die(text: &str) -> ! {
    say(&format!("fatal: {text}"));
    power_off()
}

/// Powers the guest off, which ends QEMU.
pub(crate) fn power_off() -> ! {
    let _ = reboot(RebootCommand::PowerOff);
    // Halts if powering off failed.
    let _ = reboot(RebootCommand::Halt);
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}
