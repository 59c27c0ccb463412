//! The device-mapper ioctls (`include/uapi/linux/dm-ioctl.h`), without libdevmapper.
//!
//! The argument is a buffer with a header and data. This module reads and writes both as bytes, at the
//! offsets of `struct dm_ioctl`.

use std::ffi::c_void;
use std::fs::File;
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode};

/// `sizeof(struct dm_ioctl)`.
const HEADER: usize = 312;
/// `sizeof(struct dm_target_spec)`.
const TARGET_SPEC: usize = 40;
/// Largest buffer that is tried, in bytes.
const MAX_BUFFER: usize = 1 << 20;

const AT_DATA_SIZE: usize = 12;
const AT_DATA_START: usize = 16;
const AT_TARGET_COUNT: usize = 20;
const AT_FLAGS: usize = 28;
const AT_EVENT_NR: usize = 32;
const AT_DEV: usize = 40;
const AT_NAME: usize = 48;
/// Longest name in bytes, without its NUL: `DM_NAME_LEN - 1`.
const MAX_NAME: usize = 127;
const AT_UUID: usize = AT_NAME + MAX_NAME + 1;
/// Longest UUID in bytes, without its NUL: `DM_UUID_LEN - 1`.
const MAX_UUID: usize = 128;

/// The ioctls that the agent uses, with their numbers (`DM_*_CMD`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DmCommand {
    ListDevices = 2,
    Create = 3,
    Remove = 4,
    /// `DM_DEV_SUSPEND`: suspends with `DM_SUSPEND_FLAG`, resumes without it. The agent only resumes.
    Suspend = 6,
    Status = 7,
    TableLoad = 9,
    TableStatus = 12,
    Message = 14,
    /// `DM_DEV_ARM_POLL`: `poll` on the control device then reports events that come after this call.
    ArmPoll = 16,
}

/// Flags of `struct dm_ioctl` (`DM_*_FLAG`).
pub(crate) mod flags {
    /// Return the table instead of the status.
    pub(crate) const STATUS_TABLE: u32 = 1 << 4;
    /// Set by the kernel: the buffer was too small for the answer.
    pub(super) const BUFFER_FULL: u32 = 1 << 8;
    /// Do not flush I/O before returning the status.
    pub(crate) const NOFLUSH: u32 = 1 << 11;
    /// Remove an open device on its last close.
    pub(crate) const DEFERRED_REMOVE: u32 = 1 << 17;
}

/// One target of a table to load, or of the answer to [`DmCommand::TableStatus`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// First sector in the map, in sectors of 512 bytes.
    pub(crate) start: u64,
    /// Length in sectors of 512 bytes.
    pub(crate) sectors: u64,
    /// Target type as in `dmsetup targets`: `multipath`.
    pub(crate) kind: String,
    /// The target's parameters or status: the rest of the line after the type.
    pub(crate) text: String,
}

pub(crate) struct DmRequest<'a> {
    command: DmCommand,
    name: &'a str,
    uuid: &'a str,
    flags: u32,
    targets: u32,
    data: Vec<u8>,
}

/// The buffer as the kernel returned it.
#[derive(Debug)]
pub(crate) struct DmAnswer {
    buffer: Vec<u8>,
}

impl<'a> DmRequest<'a> {
    /// A request for the device `name`. `name` is empty for requests that concern no device.
    pub(crate) fn new(command: DmCommand, name: &'a str) -> DmRequest<'a> {
        DmRequest { command, name, uuid: "", flags: 0, targets: 0, data: Vec::new() }
    }

    /// Sets [`flags`] in addition to those set before.
    pub(crate) fn flags(mut self, flags: u32) -> DmRequest<'a> {
        self.flags |= flags;
        self
    }

    /// Sets the UUID of a new device ([`DmCommand::Create`]).
    pub(crate) fn uuid(mut self, uuid: &'a str) -> DmRequest<'a> {
        self.uuid = uuid;
        self
    }

    /// Appends a target to the table ([`DmCommand::TableLoad`]).
    pub(crate) fn target(mut self, target: &Target) -> DmRequest<'a> {
        let next = (TARGET_SPEC + target.text.len() + 1).next_multiple_of(8);
        let mut spec = Vec::with_capacity(next);
        spec.extend(target.start.to_ne_bytes());
        spec.extend(target.sectors.to_ne_bytes());
        spec.extend([0; 4]);
        spec.extend((next as u32).to_ne_bytes());
        let kind = target.kind.as_bytes();
        spec.extend(&kind[..kind.len().min(15)]);
        spec.resize(TARGET_SPEC, 0);
        spec.extend(target.text.as_bytes());
        spec.resize(next, 0);
        self.data.extend(spec);
        self.targets += 1;
        self
    }

    /// Sets the message for the target at sector 0 ([`DmCommand::Message`]).
    pub(crate) fn message(mut self, message: &str) -> DmRequest<'a> {
        self.data.extend(0u64.to_ne_bytes());
        self.data.extend(message.as_bytes());
        self.data.push(0);
        self
    }

    /// Encodes the request into a buffer of at least `size` bytes, which leaves room for the answer.
    fn encode(&self, size: usize) -> Result<Vec<u8>, Errno> {
        let (name, uuid) = (self.name.as_bytes(), self.uuid.as_bytes());
        if name.len() > MAX_NAME || name.contains(&0) || uuid.len() > MAX_UUID || uuid.contains(&0)
        {
            return Err(Errno::NAMETOOLONG);
        }
        let size = size.max(HEADER + self.data.len());
        let mut buffer = vec![0; size];
        let mut put = |at: usize, value: u32| {
            buffer[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        };
        put(0, 4); // Major version of the interface. The kernel accepts minor version 0.
        put(AT_DATA_SIZE, size as u32);
        put(AT_DATA_START, HEADER as u32);
        put(AT_TARGET_COUNT, self.targets);
        put(AT_FLAGS, self.flags);
        buffer[AT_NAME..AT_NAME + name.len()].copy_from_slice(name);
        buffer[AT_UUID..AT_UUID + uuid.len()].copy_from_slice(uuid);
        buffer[HEADER..HEADER + self.data.len()].copy_from_slice(&self.data);
        Ok(buffer)
    }

    /// Issues the ioctl. Enlarges the buffer and retries while the kernel reports `DM_BUFFER_FULL_FLAG`.
    pub(crate) fn send(&self, control: &File) -> Result<DmAnswer, Errno> {
        let mut size = 2 << 10;
        loop {
            let mut buffer = self.encode(size)?;
            let call = DmIoctl { command: self.command, buffer: &mut buffer };
            // SAFETY: `DmIoctl` describes the device-mapper's commands (see its impl).
            unsafe { ioctl(control.as_fd(), call)? };
            let answer = DmAnswer { buffer };
            if answer.word(AT_FLAGS) & flags::BUFFER_FULL == 0 || size >= MAX_BUFFER {
                return Ok(answer);
            }
            size *= 4;
        }
    }
}

struct DmIoctl<'a> {
    command: DmCommand,
    buffer: &'a mut [u8],
}

// SAFETY: every dm command is _IOWR(0xfd, n, struct dm_ioctl). The kernel reads and writes at most
// the `data_size` bytes that the header names, which `DmRequest::encode` sets to the buffer's length.
unsafe impl Ioctl for DmIoctl<'_> {
    type Output = ();

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        opcode::read_write::<[u8; HEADER]>(0xfd, self.command as u8)
    }

    fn as_ptr(&mut self) -> *mut c_void {
        self.buffer.as_mut_ptr().cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, _: *mut c_void) -> rustix::io::Result<()> {
        Ok(())
    }
}

impl DmAnswer {
    fn word(&self, at: usize) -> u32 {
        word(&self.buffer, at).unwrap_or(0)
    }

    /// The device's event counter (`event_nr`).
    pub(crate) fn event_nr(&self) -> u32 {
        self.word(AT_EVENT_NR)
    }

    /// The device's UUID; empty if it has none.
    pub(crate) fn uuid(&self) -> String {
        text(self.buffer.get(AT_UUID..=AT_UUID + MAX_UUID).unwrap_or_default())
    }

    /// Major and minor. The low 32 bits of the field are in the format of the kernel's `new_encode_dev`.
    pub(crate) fn dev(&self) -> (u32, u32) {
        let dev = self.word(AT_DEV);
        ((dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xf_ff00))
    }

    /// The targets in a status or table answer.
    pub(crate) fn targets(&self) -> Vec<Target> {
        let data = self.data();
        let mut targets = Vec::new();
        let mut at = 0;
        for _ in 0..self.word(AT_TARGET_COUNT) {
            let Some(spec) = data.get(at..at + TARGET_SPEC) else { break };
            targets.push(Target {
                start: long(spec, 0).unwrap_or(0),
                sectors: long(spec, 8).unwrap_or(0),
                kind: text(&spec[24..]),
                text: text(data.get(at + TARGET_SPEC..).unwrap_or_default()),
            });
            // `next` is relative to the first target in an answer, but to its own target in a request.
            at = word(spec, 20).unwrap_or(0) as usize;
        }
        targets
    }

    /// The device names in the answer to [`DmCommand::ListDevices`].
    pub(crate) fn names(&self) -> Vec<String> {
        let data = self.data();
        let mut names = Vec::new();
        let mut at = 0;
        while let (Some(dev), Some(next)) = (long(data, at), word(data, at + 8)) {
            if dev != 0 {
                names.push(text(data.get(at + 12..).unwrap_or_default()));
            }
            if next == 0 {
                break;
            }
            at += next as usize;
        }
        names
    }

    fn data(&self) -> &[u8] {
        self.buffer.get(self.word(AT_DATA_START) as usize..).unwrap_or_default()
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// A NUL-terminated string, or the whole field if there is no NUL.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_load_is_laid_out_as_the_kernel_wants_it() {
        let target =
            Target { start: 0, sectors: 2048, kind: "multipath".into(), text: "0 0 1 1".into() };
        let request = DmRequest::new(DmCommand::TableLoad, "lun0").target(&target);
        let buffer = request.encode(0).unwrap();
        assert_eq!(buffer.len(), HEADER + 48);
        assert_eq!(word(&buffer, AT_DATA_SIZE), Some(360));
        assert_eq!(word(&buffer, AT_TARGET_COUNT), Some(1));
        assert_eq!(text(&buffer[AT_NAME..]), "lun0");
        assert_eq!(long(&buffer, HEADER + 8), Some(2048));
        assert_eq!(word(&buffer, HEADER + 20), Some(48));
        assert_eq!(text(&buffer[HEADER + 24..]), "multipath");
        assert_eq!(text(&buffer[HEADER + 40..]), "0 0 1 1");
        let call = DmIoctl { command: DmCommand::TableLoad, buffer: &mut [] };
        assert_eq!(call.opcode(), 0xc138_fd09);
    }

    #[test]
    fn a_name_that_does_not_fit_is_refused() {
        let name = "x".repeat(128);
        let refused = DmRequest::new(DmCommand::Status, &name).encode(0);
        assert_eq!(refused, Err(Errno::NAMETOOLONG));
        let create = |uuid: &str| DmRequest::new(DmCommand::Create, "m").uuid(uuid).encode(0);
        assert_eq!(create(&"x".repeat(129)), Err(Errno::NAMETOOLONG));
        let answer = DmAnswer { buffer: create("mpath-3600").unwrap() };
        assert_eq!(answer.uuid(), "mpath-3600");
    }

    /// Builds an answer with this data after the header.
    fn answer(targets: u32, data: &[u8]) -> DmAnswer {
        let mut buffer = DmRequest::new(DmCommand::TableStatus, "m").encode(0).unwrap();
        buffer[AT_TARGET_COUNT..AT_TARGET_COUNT + 4].copy_from_slice(&targets.to_ne_bytes());
        buffer.extend(data);
        DmAnswer { buffer }
    }

    fn target(next: u32, kind: &str, line: &str) -> Vec<u8> {
        let mut bytes = vec![0; 20];
        bytes.extend(next.to_ne_bytes());
        bytes.extend(kind.as_bytes());
        bytes.resize(TARGET_SPEC, 0);
        bytes.extend(line.as_bytes());
        bytes.push(0);
        bytes
    }

    #[test]
    fn the_targets_of_an_answer_are_found() {
        let mut data = target(56, "multipath", "2 0 1");
        data.resize(56, 0xff);
        data.extend(target(104, "error", ""));
        let targets = answer(2, &data).targets();
        let seen: Vec<_> = targets.iter().map(|t| (&*t.kind, &*t.text)).collect();
        assert_eq!(seen, [("multipath", "2 0 1"), ("error", "")]);
        assert_eq!(answer(9, &data[..60]).targets().len(), 1, "a cut answer is no panic");
    }

    #[test]
    fn the_names_of_a_list_are_found() {
        let mut data = Vec::new();
        for (minor, next, name) in [(0u64, 24u32, "one"), (1, 0, "two")] {
            let at = data.len();
            data.extend((0xfe00 | minor).to_ne_bytes());
            data.extend(next.to_ne_bytes());
            data.extend(name.as_bytes());
            data.resize(at + 24, 0);
        }
        assert_eq!(answer(0, &data).names(), ["one", "two"]);
        assert!(answer(0, &[0; 16]).names().is_empty());
    }

    #[test]
    fn large_minors_are_decoded() {
        let mut answer = answer(0, &[]);
        let encoded = (253u32 << 8) | 0x2c | (0x1 << 20);
        answer.buffer[AT_DEV..AT_DEV + 4].copy_from_slice(&encoded.to_ne_bytes());
        assert_eq!(answer.dev(), (253, 0x12c));
    }
}
