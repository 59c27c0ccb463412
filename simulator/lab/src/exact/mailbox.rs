//! The lab's view of the mailbox: a range of the file with the guest's memory.

use std::{fs::File, io};

use sansim_protocol::hypercall::{Ask, Go, Mailbox};
use vm_memory::{Bytes, FileOffset, GuestAddress, GuestMemoryMmap};

/// Reads questions and writes answers. Only used while a question is open: the guest's processor stands
/// still, and all its writes are visible.
pub(super) struct LabMailbox(GuestMemoryMmap<()>);

impl LabMailbox {
    /// Maps the mailbox. `ram` is the file with the guest's memory, whose first region begins at physical
    /// address 0.
    pub(super) fn of(ram: File) -> io::Result<LabMailbox> {
        let file = FileOffset::new(ram, Mailbox::AT);
        let range = (GuestAddress(0), Mailbox::BYTES, Some(file));
        GuestMemoryMmap::from_ranges_with_files([range]).map(LabMailbox).map_err(io::Error::other)
    }

    /// Reads the question and its text.
    pub(super) fn question(&self) -> io::Result<(Ask, Vec<u8>)> {
        let mut head = [0; Ask::HEAD];
        self.read(0, &mut head)?;
        let ask = Ask::decode(&head);
        let mut text = vec![0; ask.len];
        self.read(Mailbox::TEXT, &mut text)?;
        Ok((ask, text))
    }

    /// Writes the answer and its text, which has at most [`Mailbox::ROOM`] bytes.
    pub(super) fn answer(&self, go: &Go, text: &[u8]) -> io::Result<()> {
        self.write(Mailbox::ANSWER + Mailbox::TEXT, text)?;
        self.write(Mailbox::ANSWER, &go.encode())
    }

    fn read(&self, at: usize, bytes: &mut [u8]) -> io::Result<()> {
        self.0.read_slice(bytes, GuestAddress(at as u64)).map_err(io::Error::other)
    }

    fn write(&self, at: usize, bytes: &[u8]) -> io::Result<()> {
        self.0.write_slice(bytes, GuestAddress(at as u64)).map_err(io::Error::other)
    }
}
