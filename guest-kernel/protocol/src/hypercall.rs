//! The hypercall: how the agent asks the lab in exact time, and the processor stands still until it has
//! the answer.
//!
//! The agent writes a [question](Ask) into the [`Mailbox`], a piece of memory that the guest's kernel
//! leaves alone and the lab can see, and then a byte to a device's register. QEMU completes that store
//! only when the lab has answered: no instruction is executed meanwhile, and no time goes by. The
//! [answer](Go) lies in the mailbox as well.
//!
//! Both carry text, the lines that travel over a port in real time. What does not fit into one question
//! follows in the next: a line may be cut anywhere.
//!
//! All numbers are little-endian words of 64 bits, at offsets that both ends take from here.

use serde::{Deserialize, Serialize};

/// The mailbox in the guest's memory.
///
/// It lies below the kernel, which is loaded at 16 MiB (CONFIG_PHYSICAL_START), and above what firmware
/// and boot protocol use, so that it is at the same place whatever the size of kernel, initramfs and
/// memory.
#[derive(Debug, Clone, Copy)]
pub struct Mailbox;

impl Mailbox {
    /// Its address in the guest's physical memory.
    pub const AT: u64 = 8 << 20;
    /// Its size: a half for questions, then one for answers.
    pub const BYTES: usize = 2 * Self::HALF;
    /// Where the answer is, from the beginning of the mailbox.
    pub const ANSWER: usize = Self::HALF;
    /// Where the text is, from the beginning of a half.
    pub const TEXT: usize = 4096;
    /// The text that one question or one answer can carry, in bytes.
    pub const ROOM: usize = Self::HALF - Self::TEXT;

    const HALF: usize = 128 << 10;

    /// The kernel's parameter that keeps it free (`memmap=nn$ss`: reserved).
    pub fn kernel_parameter() -> String {
        format!("memmap={:#x}${:#x}", Self::BYTES, Self::AT)
    }
}

/// The device numbers on the root bus of what exact time needs.
pub mod slot {
    /// The disk that carries the userland.
    pub const USERLAND: u8 = 0x3;
    /// The device whose register makes the call.
    pub const REGISTER: u8 = 0x4;
}

/// "This has happened; may time go on?"
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Counts the questions. The answer repeats it, by which the agent knows that it was heard.
    pub round: u64,
    /// When it was asked, by the guest's `CLOCK_MONOTONIC`, in nanoseconds.
    pub at_ns: u64,
    /// Bytes of text that come with it, at most [`Mailbox::ROOM`].
    pub len: usize,
}

impl Ask {
    /// The size of its head, which is at the beginning of the mailbox.
    pub const HEAD: usize = 24;

    /// The head, as it lies in the mailbox.
    pub fn encode(&self) -> [u8; Self::HEAD] {
        let mut head = [0; Self::HEAD];
        put(&mut head, 0, self.round);
        put(&mut head, 1, self.at_ns);
        put(&mut head, 2, self.len as u64);
        head
    }

    /// Reads a head, whatever is in it: a length beyond the room is cut.
    pub fn decode(head: &[u8; Self::HEAD]) -> Ask {
        Ask {
            round: word(head, 0),
            at_ns: word(head, 1),
            len: bounded(word(head, 2), Mailbox::ROOM),
        }
    }
}

/// A virtqueue whose guest is to be interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interrupt {
    /// The device's number on the root bus.
    pub slot: u8,
    /// The index of the virtqueue in that device.
    pub queue: u16,
}

/// "Everything is done that was to be done by then; go on."
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Go {
    /// The question that this answers.
    pub round: u64,
    /// When the agent is to ask again if nothing happens before, by the guest's `CLOCK_MONOTONIC`, in
    /// nanoseconds. A time that has passed means at once.
    pub wake_ns: Option<u64>,
    /// Bytes of text that come with it, at most [`Mailbox::ROOM`].
    pub len: usize,
    /// The interrupts that are due, in the order in which they are to be raised.
    pub interrupts: Vec<Interrupt>,
}

impl Go {
    /// More interrupts are raised by the next answer.
    pub const MOST_INTERRUPTS: usize = (Mailbox::TEXT - Self::FIXED) / 8;
    /// The size of the largest head, which is at [`Mailbox::ANSWER`].
    pub const HEAD: usize = Mailbox::TEXT;

    /// The part of the head that is always there.
    const FIXED: usize = 32;
    const NEVER: u64 = u64::MAX;

    /// The head, without what is not used of it. Interrupts beyond [`Go::MOST_INTERRUPTS`] are left out.
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

    /// Reads a head, whatever is in it: numbers beyond the room are cut.
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
