//! Who holds a lock: the processes that /proc/locks names.

use std::{fmt, fs, os::unix::fs::MetadataExt, path::Path};

/// A process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pid: u32,
    /// The beginning of its command line.
    command: String,
    /// Whether it is stopped, by a signal or a debugger.
    pub(crate) stopped: bool,
}

/// The most that is shown of a command line.
const SHOWN: usize = 80;

/// The processes, apart from this one, that hold a lock of this file. Those in other containers cannot be
/// seen.
pub(crate) fn holders(file: &Path) -> Vec<Holder> {
    let Ok(meta) = fs::metadata(file) else { return Vec::new() };
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let own = std::process::id();
    let pids = pids(&locks, meta.ino()).into_iter().filter(|pid| *pid != own);
    pids.filter_map(Holder::of).collect()
}

/// The processes in the text of /proc/locks with a lock of the file with this inode (proc_locks(5)):
/// `1: FLOCK  ADVISORY  WRITE 708 08:01:123 0 EOF`.
fn pids(locks: &str, inode: u64) -> Vec<u32> {
    let of = |line: &str| {
        // A lock that is waited for has an arrow.
        let mut words = line.split_whitespace().skip(1);
        let kind = words.next().filter(|kind| *kind == "FLOCK");
        let (pid, place) = kind.and_then(|_| words.nth(2).zip(words.next()))?;
        let found: u64 = place.rsplit(':').next()?.parse().ok()?;
        pid.parse().ok().filter(|_| found == inode)
    };
    locks.lines().filter_map(of).collect()
}

impl Holder {
    fn of(pid: u32) -> Option<Holder> {
        let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let command: String = command.trim().chars().take(SHOWN).collect();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may contain anything.
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        Some(Holder { pid, command, stopped: matches!(state, Some('T' | 't')) })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stopped = if self.stopped { ", stopped" } else { "" };
        write!(f, "process {}{stopped}: {}", self.pid, self.command)
    }
}

/// All in words, in parentheses with a space in front; empty if there are none to be seen.
pub(crate) fn in_words(holders: &[Holder]) -> String {
    if holders.is_empty() {
        return String::new();
    }
    let each: Vec<String> = holders.iter().map(ToString::to_string).collect();
    format!(" ({})", each.join("; "))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rustix::process::{Pid, Signal, kill_process};

    use super::*;

    #[test]
    fn only_locks_of_the_file_count() {
        let locks = "1: FLOCK  ADVISORY  WRITE 708 08:01:123 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 709 08:01:123 0 EOF\n\
                     2: POSIX  ADVISORY  READ 710 08:01:123 0 EOF\n\
                     3: FLOCK  ADVISORY  READ 711 08:01:1234 0 EOF\n";
        assert_eq!(pids(locks, 123), [708]);
        assert_eq!(pids("garbage\n\n9:\n", 123), [0; 0]);
    }

    #[test]
    fn a_process_is_named_and_whether_it_is_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("lock");
        fs::write(&file, "").unwrap();
        let mut child =
            Command::new("flock").arg("-F").arg(&file).args(["sleep", "600"]).spawn().unwrap();
        let pid = Pid::from_child(&child);
        let until = |done: fn(&[Holder]) -> bool| loop {
            let found = holders(&file);
            if done(&found) {
                return found;
            }
            std::thread::yield_now();
        };
        let found = until(|found| found.iter().any(|it| it.command.starts_with("sleep")));
        assert!(!found[0].stopped, "{found:?}");
        kill_process(pid, Signal::STOP).unwrap();
        let found = until(|found| found.iter().any(|it| it.stopped));
        assert_eq!(in_words(&found), format!(" (process {}, stopped: sleep 600)", child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
