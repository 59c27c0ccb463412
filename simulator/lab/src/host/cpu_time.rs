//! CPU time of processes.

use std::{fs, time::Duration};

use rustix::{
    param::clock_ticks_per_second,
    time::{ClockId, clock_gettime},
};

/// CPU time of this process with all its threads, user and system.
pub fn own_cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// CPU time of another process, with a resolution of one clock tick (10 ms); `None` once it has ended.
pub(crate) fn cpu_time(pid: u32) -> Option<Duration> {
    let ticks = ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
    Some(Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64))
}

/// utime + stime of proc_pid_stat(5), in clock ticks.
fn ticks(stat: &str) -> Option<u64> {
    // The command name in parentheses may contain anything. After it: state (field 3), …, utime (14), stime
    // (15).
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1500 0 0 0 310 42 0 0 20 0 3 0 9000 1 2";
        assert_eq!(ticks(stat), Some(352));
        assert_eq!(ticks("7 (short) S 1 2"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn this_process_is_told_of_and_an_ended_one_is_not() {
        let before = own_cpu_time();
        let mut sum = 0u64;
        while own_cpu_time() == before {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(cpu_time(std::process::id()).is_some());
        assert_eq!(cpu_time(u32::MAX), None);
    }
}
