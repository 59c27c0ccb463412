//! The memory of a process.

use std::fs;

/// The memory of a process that is its own, in bytes: without that of a guest, which is shared. `None` if the
/// process has ended.
pub(crate) fn own_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let anonymous = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(anonymous.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}
