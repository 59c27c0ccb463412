//! The virtio-serial port to the lab.
//!
//! While the host end is not connected, a read returns 0 at once and a write blocks
//! (`virtio_console.c:port_fops_read`, `wait_port_writable`).

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sansim_protocol::{LineBuffer, PORT};

use crate::fail::{Doing, Failure, Result};
use crate::outbox::Outbox;

/// How long the port may take to appear after its driver is loaded.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a port without a connected host is polled.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) struct Port {
    file: File,
    /// The host disconnected after the last line was written.
    interrupted: AtomicBool,
}

impl Port {
    /// Finds the port by its name and opens it. No udev runs that would create `/dev/virtio-ports`.
    pub(crate) fn open() -> Result<Arc<Port>> {
        let give_up = Instant::now() + PATIENCE;
        let name = loop {
            match find(Path::new("/sys/class/virtio-ports")) {
                Some(name) => break name,
                None if Instant::now() >= give_up => {
                    return Err(Failure::new(format!("there is no virtio-serial port {PORT}")));
                }
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let path = format!("/dev/{name}");
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.doing(|| format!("open {path}"))?;
        Ok(Arc::new(Port { file, interrupted: AtomicBool::new(false) }))
    }

    /// Sends the contents of the outbox; never returns.
    pub(crate) fn write_from(&self, outbox: &Outbox) -> ! {
        loop {
            self.send(&outbox.next());
        }
    }

    /// Sends whole lines. Blocks until the host is connected.
    pub(crate) fn send(&self, lines: &[u8]) {
        // A host that connects now may first read the end of a line begun before it connected. The newline
        // ends that line.
        if self.interrupted.swap(false, Ordering::SeqCst) {
            self.write(b"\n");
        }
        self.write(lines);
    }

    fn write(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match (&self.file).write(bytes) {
                Ok(len) if len > 0 => bytes = &bytes[len..],
                _ => std::thread::sleep(LOOK),
            }
        }
    }

    /// Passes every incoming line to `take`; never returns. `Err` stands for a line that was too long.
    pub(crate) fn read_lines(
        &self,
        mut take: impl FnMut(std::result::Result<Vec<u8>, String>),
    ) -> ! {
        let mut lines = LineBuffer::default();
        let mut buffer = vec![0; 32 << 10];
        loop {
            match (&self.file).read(&mut buffer) {
                Ok(len) if len > 0 => lines.push(&buffer[..len]),
                _ => {
                    self.interrupted.store(true, Ordering::SeqCst);
                    lines = LineBuffer::default();
                    std::thread::sleep(LOOK);
                }
            }
            while let Some(line) = lines.next_line() {
                take(line.map_err(|error| error.to_string()));
            }
        }
    }
}

/// The kernel's name of the port, `vport1p1`.
fn find(class: &Path) -> Option<String> {
    let mut ports = fs::read_dir(class).ok()?.flatten();
    let port = ports.find(|port| {
        fs::read_to_string(port.path().join("name")).is_ok_and(|name| name.trim() == PORT)
    })?;
    let name = port.file_name().into_string().ok()?;
    // devtmpfs creates the node slightly later.
    Path::new("/dev").join(&name).exists().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_of_another_name_is_not_taken() {
        let class = tempfile::tempdir().unwrap();
        let port = class.path().join("vport0p1");
        fs::create_dir(&port).unwrap();
        fs::write(port.join("name"), "org.qemu.guest_agent.0\n").unwrap();
        assert_eq!(find(class.path()), None);
        assert_eq!(find(&class.path().join("absent")), None);
    }
}
