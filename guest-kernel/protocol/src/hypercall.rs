//! The hypercall of exact time: the agent asks the lab, and the processor stands still until the lab
//! answers.
//!
//! The agent writes a [question](Ask) into the [`Mailbox`], a memory range that is reserved in the guest
//! and shared with the lab. Then it writes a byte to a device register. QEMU completes that store only
//! after the lab has answered. Until then no instruction is executed and no guest time passes. The
//! [answer](Go) is in the mailbox, too.
//!
//! Both carry text: the lines that in real time are sent over the port. Text that does not fit into one
//! question follows in the next, so a line may be split anywhere.
//!
//! All numbers are 64-bit little-endian words, at the offsets defined here.

use serde::{Deserialize, Serialize};

/// The mailbox in the guest's memory.
///
/// It is below the kernel, which is loaded at 16 MiB (CONFIG_PHYSICAL_START), and above the memory that
/// firmware and boot protocol use. Its address therefore does not depend on the size of kernel, initramfs
/// or memory.
#[derive(Debug, Clone, Copy)]
pub struct Mailbox;

impl Mailbox {
    /// Physical address in the guest.
    pub const AT: u64 = 8 << 20;
    /// Size in bytes: one half for questions, the other for answers.
    pub const BYTES: usize = 2 * Self::HALF;
    /// Offset of the answer in the mailbox.
    pub const ANSWER: usize = Self::HALF;
    /// Offset of the text in either half.
    pub const TEXT: usize = 4096;
    /// Bytes of text that one question or one answer can carry.
    pub const ROOM: usize = Self::HALF - Self::TEXT;

    const HALF: usize = 128 << 10;

    /// The kernel parameter that reserves the mailbox (`memmap=nn$ss`).
    pub fn kernel_parameter() -> String {
        format!("memmap={:#x}${:#x}", Self::BYTES, Self::AT)
    }
}

/// PCI device numbers on the root bus of the devices that exact time needs.
pub mod slot {
    /// The virtio-blk disk with the userland.
    pub const USERLAND: u8 = 0x3;
    /// The vhost-user-blk device whose register is the hypercall.
    pub const REGISTER: u8 = 0x4;
}

/// A question: the guest has sent what it had to send, and asks whether its time may continue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Sequence number of the question. The answer repeats it, so the agent knows that the lab has read
    /// this question.
    pub round: u64,
    /// When the question was asked: the guest's `CLOCK_MONOTONIC`, in nanoseconds.
    pub at_ns: u64,
    /// Bytes of text with this question, at most [`Mailbox::ROOM`].
    pub len: usize,
}

impl Ask {
    /// Size of the encoded head, at offset 0 of the mailbox.
    pub const HEAD: usize = 24;

    /// Encodes the head for the mailbox.
    pub fn encode(&self) -> [u8; Self::HEAD] {
        let mut head = [0; Self::HEAD];
        put(&mut head, 0, self.round);
        put(&mut head, 1, self.at_ns);
        put(&mut head, 2, self.len as u64);
        head
    }

    /// Decodes a head. Accepts any bytes: `len` is limited to [`Mailbox::ROOM`].
    pub fn decode(head: &[u8; Self::HEAD]) -> Ask {
        Ask {
            round: word(head, 0),
            at_ns: word(head, 1),
            len: bounded(word(head, 2), Mailbox::ROOM),
        }
    }
}

/// A virtqueue for which an interrupt is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interrupt {
    /// PCI device number on the root bus.
    pub slot: u8,
    /// Index of the virtqueue in the device.
    pub queue: u16,
}

/// An answer: everything due by the time of the question is done, and guest time continues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Go {
    /// [`Ask::round`] of the question.
    pub round: u64,
    /// When the agent must ask again at the latest: the guest's `CLOCK_MONOTONIC`, in nanoseconds. A time
    /// in the past means at once.
    pub wake_ns: Option<u64>,
    /// Bytes of text with this answer, at most [`Mailbox::ROOM`].
    pub len: usize,
    /// The interrupts to raise, in this order.
    pub interrupts: Vec<Interrupt>,
}

impl Go {
    /// Most interrupts in one answer; further ones follow with the next.
    pub const MOST_INTERRUPTS: usize = (Mailbox::TEXT - Self::FIXED) / 8;
    /// Size of the largest encoded head, at [`Mailbox::ANSWER`].
    pub const HEAD: usize = Mailbox::TEXT;

    /// Size of the head without interrupts.
    const FIXED: usize = 32;
    const NEVER: u64 = u64::MAX;

    /// Encodes the head, without unused bytes. Interrupts beyond [`Go::MOST_INTERRUPTS`] are left out.
    pub fn encode(&self) -> Vec<u8> {
        let interrupts = &self.interrupts[..self.interrupts.len().min(Self::MOST_INTERRUPTS)];
        let mut head = vec![0; Self::FIXED + 8 * interrupts.len()];
        put(&mut head, 0, self.round);
        put(&mut head, 1, self.wake_ns.unwrap_or(Self::NEVER));
        put(&mut head, 2, self.len as u64);
        put(&mut head, 3, interrupts.len() as u64);
        for (at, Interrupt { slot, queue }) in interrupts.iter().enumerate() {
            put(&mut head, 4 + at, u64::from(*slot) << 16 | u64::from(*queue));
        }
        head
    }

    /// Decodes a head. Accepts any bytes: lengths are limited to what fits.
    pub fn decode(head: &[u8; Self::HEAD]) -> Go {
        let interrupt = |at| {
            let word = word(head, 4 + at);
            Interrupt { slot: (word >> 16) as u8, queue: word as u16 }
        };
        Go {
            round: word(head, 0),
            wake_ns: Some(word(head, 1)).filter(|at| *at != Self::NEVER),
            len: bounded(word(head, 2), Mailbox::ROOM),
            interrupts: (0..bounded(word(head, 3), Self::MOST_INTERRUPTS)).map(interrupt).collect(),
        }
    }
}

fn word(head: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&head[8 * at..8 * at + 8]);
    u64::from_le_bytes(bytes)
}

fn put(head: &mut [u8], at: usize, word: u64) {
    head[8 * at..8 * at + 8].copy_from_slice(&word.to_le_bytes());
}

fn bounded(word: u64, most: usize) -> usize {
    usize::try_from(word).unwrap_or(most).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(go: &Go) -> Go {
        let mut head = [0xff; Go::HEAD];
        let bytes = go.encode();
        head[..bytes.len()].copy_from_slice(&bytes);
        Go::decode(&head)
    }

    #[test]
    fn questions_and_answers_survive_the_mailbox() {
        let ask = Ask { round: 7, at_ns: u64::MAX - 1, len: Mailbox::ROOM };
        assert_eq!(Ask::decode(&ask.encode()), ask);
        let interrupts = vec![
            Interrupt { slot: slot::USERLAND, queue: 0 },
            Interrupt { slot: 0x1e, queue: u16::MAX },
        ];
        let go = Go { round: 7, wake_ns: Some(5), len: 3, interrupts };
        assert_eq!(read(&go), go);
        let never = Go { wake_ns: None, ..Go::default() };
        assert_eq!(read(&never), never);
    }

    #[test]
    fn whatever_a_guest_writes_stays_within_the_mailbox() {
        assert_eq!(Ask::decode(&[0xff; Ask::HEAD]).len, Mailbox::ROOM);
        let go = Go::decode(&[0xff; Go::HEAD]);
        assert_eq!((go.len, go.interrupts.len()), (Mailbox::ROOM, Go::MOST_INTERRUPTS));
    }

    #[test]
    fn interrupts_that_do_not_fit_are_left_to_the_next_answer() {
        let interrupts = vec![Interrupt { slot: 1, queue: 1 }; Go::MOST_INTERRUPTS + 1];
        let go = Go { interrupts, ..Go::default() };
        assert_eq!(read(&go).interrupts.len(), Go::MOST_INTERRUPTS);
    }

    #[test]
    fn the_kernel_is_told_to_leave_it_alone() {
        assert_eq!(Mailbox::kernel_parameter(), "memmap=0x40000$0x800000");
        assert_eq!(Mailbox::AT % 4096, 0);
    }
}
