//! The cache disk: a small tmpfs where it can be mounted, else the user's cache.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

/// Where sansim's cache is during a soak.
pub(crate) struct Disk {
    /// The directory; none: the user's own cache.
    at: Option<PathBuf>,
    mib: u64,
    /// Why it could not be mounted.
    refused: String,
}

impl Disk {
    /// Mounts the disk at a directory that is there and empty.
    pub(crate) fn mount(at: &Path, mib: u64) -> Disk {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "sansim-soak"]).arg(at);
        let refused = match mount.output() {
            Ok(output) if output.status.success() => String::new(),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        let at = refused.is_empty().then(|| at.to_owned());
        Disk { at, mib, refused }
    }

    /// Has sansim's commands use it.
    pub(crate) fn given_to(&self, command: &mut Command) {
        if let Some(at) = &self.at {
            command.env("SANSIM_CACHE", at);
        }
    }

    /// What is in use, in MiB; 0 for the user's own cache, where others put things, too.
    pub(crate) fn used_mib(&self) -> u64 {
        let used = self.at.as_ref().and_then(|at| rustix::fs::statvfs(at).ok());
        used.map_or(0, |vfs| ((vfs.f_blocks - vfs.f_bfree) * vfs.f_frsize) >> 20)
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(_) => write!(f, "a cache disk of {} MiB", self.mib),
            None => write!(f, "the user's cache: no small disk was tried ({})", self.refused),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(at) = &self.at {
            // An error means that something still uses it: the soak has said what.
            let _ = Command::new("umount").arg("-l").arg(at).status();
        }
    }
}
