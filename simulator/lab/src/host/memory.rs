//! The host's memory.

use super::cgroup;

/// Memory that programs can still use without the host swapping and within the limits of this process's
/// control groups, in bytes; `None` if it cannot be read.
pub fn available_memory() -> Option<u64> {
    let host = std::fs::read_to_string("/proc/meminfo").ok();
    let host = host.and_then(|meminfo| available(&meminfo));
    let group = cgroup::left(&cgroup::MEMORY).map(|memory| memory.left);
    host.into_iter().chain(group).min()
}

/// MemAvailable of proc_meminfo(5).
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found() {
        let meminfo = "MemTotal:       24683000 kB\nMemAvailable:   23950532 kB\nBuffers: 1 kB\n";
        assert_eq!(available(meminfo), Some(23_950_532 << 10));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
        assert_eq!(available("MemAvailable: much\n"), None);
    }
}
