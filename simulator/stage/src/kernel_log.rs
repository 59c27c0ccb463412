//! Recognises lines of the guest's kernel log which mean that the kernel itself is in trouble.

/// Substrings of such lines, each with the name of the problem. From `lib/bug.c`, `kernel/panic.c`,
/// `arch/x86/kernel/dumpstack.c`, `kernel/hung_task.c`, `kernel/watchdog.c`,
/// `kernel/rcu/tree_stall.h`, `kernel/locking/lockdep.c`, `mm/kasan/report.c`.
const COMPLAINTS: [(&str, &str); 14] = [
    ("WARNING: CPU:", "a kernel WARNING"),
    ("WARNING: possible", "a lockdep report"),
    ("WARNING: bad unlock balance", "a lockdep report"),
    ("kernel BUG at", "a kernel BUG"),
    ("BUG: ", "a kernel BUG"),
    ("Oops: ", "a kernel oops"),
    ("general protection fault", "a kernel oops"),
    ("Kernel panic", "a kernel panic"),
    ("Unable to handle kernel", "a kernel oops"),
    ("blocked for more than", "a hung task"),
    ("soft lockup", "a soft lockup"),
    ("self-detected stall", "an RCU stall"),
    ("detected stalls on CPUs", "an RCU stall"),
    ("refcount_t: ", "a refcount error"),
];

/// The problem that a line reports, if any.
pub(crate) fn complaint(line: &str) -> Option<&'static str> {
    COMPLAINTS.iter().find(|(mark, _)| line.contains(mark)).map(|(_, name)| *name)
}

/// The part of a line of the log by which it is a complaint of the kernel's, or tells of a program's crash.
pub fn complaint_mark(line: &str) -> Option<&'static str> {
    let mut marks = COMPLAINTS.iter().map(|(mark, _)| *mark).chain(["segfault at"]);
    marks.find(|mark| line.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn trouble_is_told_from_ordinary_lines() {
        let warning =
            "WARNING: CPU: 0 PID: 71 at drivers/scsi/scsi_lib.c:1210 scsi_dispatch+0x1/0x2";
        assert_eq!(complaint(warning), Some("a kernel WARNING"));
        let hung = "INFO: task kworker/u2:1:22 blocked for more than 120 seconds.";
        assert_eq!(complaint(hung), Some("a hung task"));
        for ordinary in [
            "device-mapper: multipath: 254:0: Failing path 8:16.",
            "sd 0:0:0:0: [sda] Warning! Received an indication that the operating parameters",
            "sd 0:0:1:0: rdac: array sansim, ctlr 1, MODE_SELECT completed",
        ] {
            assert_eq!(complaint(ordinary), None, "{ordinary}");
        }
    }
}
