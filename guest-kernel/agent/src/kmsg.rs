//! The kernel log (`/dev/kmsg`, Documentation/ABI/testing/dev-kmsg).

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::OFlags;
use sansim_protocol::Happening;

use crate::clock::{now_ns, wait_ready};
use crate::fail::{Doing, Result};
use crate::outbox::Outbox;

/// Longest record that the kernel returns, in bytes (CONSOLE_EXT_LOG_MAX).
const MAX_RECORD: usize = 8192;

/// One record of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    /// syslog severity, 0 (emergency) to 7 (debug).
    level: u8,
    /// Sequence number, counted from boot.
    sequence: u64,
    /// Timestamp in nanoseconds. The kernel's log clock is close to CLOCK_MONOTONIC.
    at_ns: u64,
    text: String,
}

/// An open reader, at some position in the log.
pub(crate) struct KernelLog {
    file: File,
}

impl KernelLog {
    /// Opens the log at its oldest record.
    fn from_boot() -> Result<KernelLog> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits() as i32)
            .open("/dev/kmsg");
        Ok(KernelLog { file: file.doing(|| "open /dev/kmsg".to_owned())? })
    }

    /// Opens the log at its end: only later records are read.
    pub(crate) fn from_now() -> Result<KernelLog> {
        let mut log = KernelLog::from_boot()?;
        log.file.seek(SeekFrom::End(0)).doing(|| "seek in /dev/kmsg".to_owned())?;
        Ok(log)
    }

    /// The text of all records up to now.
    pub(crate) fn lines(mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next()).map(|record| record.text).collect()
    }

    /// The next record, or `None` at the end of the log.
    fn next(&mut self) -> Option<Record> {
        let mut buffer = [0; MAX_RECORD];
        loop {
            match self.file.read(&mut buffer) {
                Ok(0) => return None,
                Ok(len) => {
                    if let Some(record) = parse(&String::from_utf8_lossy(&buffer[..len])) {
                        return Some(record);
                    }
                }
                // EPIPE: records were overwritten before they were read. The next read continues after
                // them.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }
}

/// `<facility and level>,<sequence>,<microseconds>,<flags>…;<text>`, then lines with properties (the
/// `dev-kmsg` ABI document).
fn parse(record: &str) -> Option<Record> {
    let (prefix, text) = record.split_once(';')?;
    let mut fields = prefix.split(',');
    let priority: u32 = fields.next()?.parse().ok()?;
    let sequence: u64 = fields.next()?.parse().ok()?;
    let micros: u64 = fields.next()?.parse().ok()?;
    let text = unescape(text.lines().next().unwrap_or_default());
    let (level, at_ns) = ((priority & 7) as u8, micros.saturating_mul(1000));
    Some(Record { level, sequence, at_ns, text })
}

/// Decodes `\x5c` escapes: the kernel writes backslashes and unprintable bytes that way.
fn unescape(text: &str) -> String {
    let mut parts = text.split("\\x");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.filter(u8::is_ascii) {
            Some(byte) => {
                plain.push(char::from(byte));
                plain.push_str(&part[2..]);
            }
            None => {
                plain.push_str("\\x");
                plain.push_str(part);
            }
        }
    }
    plain
}

/// Sends the log from boot on, and then each record as it is written.
pub(crate) fn follow(outbox: &Outbox) -> Result<()> {
    let mut log = KernelLog::from_boot()?;
    let mut expected = 0;
    let mut from_boot = true;
    loop {
        while let Some(record) = log.next() {
            let lost = record.sequence.saturating_sub(expected);
            expected = record.sequence + 1;
            if lost > 0 {
                outbox.count_lost(lost);
            }
            let now = now_ns();
            let at_ns = if from_boot { record.at_ns.min(now) } else { now };
            outbox.event_at(at_ns, Happening::Log { level: record.level, text: record.text });
        }
        from_boot = false;
        let mut fds = [PollFd::new(&log.file, PollFlags::IN)];
        if !wait_ready(&mut fds, None) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_without_its_properties() {
        let record = parse(
            "28,1234,5140900,-,caller=T1;254:0: Failing path 8:16.; again\n SUBSYSTEM=block\n",
        );
        let text = "254:0: Failing path 8:16.; again".to_owned();
        assert_eq!(record, Some(Record { level: 4, sequence: 1234, at_ns: 5_140_900_000, text }));
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescape(r"\x5c_SB_.GSIH:\x09on"), "\\_SB_.GSIH:\ton");
        assert_eq!(unescape(r"\xzz \xff \x4"), r"\xzz \xff \x4");
        assert_eq!(unescape("é"), "é");
    }

    #[test]
    fn what_is_no_record_is_left_out() {
        for text in ["", "no prefix", "x,1,2,-;text", "6;text", "6,1;text"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
