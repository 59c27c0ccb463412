//! A capture file from the array's reports.

use std::{
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use sansim_array::{Changed, CommandRecord, Nexus, StateChange};
use sansim_time::Time;

use crate::{
    packet::{Function, Leg, Packet, Place, Turn},
    pcapng, pdu,
    task_tag::TaskTag,
    window::Window,
    wire::Wire,
};

/// The timestamp of the story's beginning. One day after 1970, so that discovery, which comes
/// before, has timestamps too.
const STORY_BEGINS: Duration = Duration::from_secs(24 * 60 * 60);

/// The maximum number of packets that wait for earlier ones, about 50 MB.
const WAITING: usize = 1 << 18;

const COMMENT: &str = "The story begins at 1970-01-02 00:00:00 UTC. SCSI commands are shown as \
                       iSCSI; everything below them is made up. Data is captured as far as it was asked for.";

/// The bytes of a file that are kept for the packet that says that it ends early.
const FOR_THE_END: u64 = 512;

/// A capture that is being written: pcapng, as Wireshark and tshark read it.
///
/// Packets are in the order of time, except that a request can come late: see [`Capture::command`].
/// The TCP sequence numbers of a path follow the order in the file.
#[derive(Debug)]
pub struct Capture<W> {
    writer: W,
    story_begins: Time,
    wire: Wire,
    window: Window,
    /// The number of task management functions so far.
    functions: u64,
    /// The number of bytes that can still be written.
    room: u64,
    full: bool,
}

impl<W: Write> Capture<W> {
    /// Begins a capture of at most `limit` bytes. Each of `nexuses` is an interface of the file;
    /// other nexuses are not captured. The file begins with a section header, the interfaces and
    /// the names of HBAs and ports, whatever the limit. Each packet is one write: a file should be
    /// in a [`std::io::BufWriter`].
    ///
    /// `story_begins` is the time of 1970-01-02 00:00:00 UTC in the file. Earlier commands have
    /// earlier timestamps, but none before 1970. `first` is the number of the first command to be
    /// captured; one that arrived earlier and ends later comes late, with its own time.
    ///
    /// # Errors
    /// If the beginning of the file cannot be written.
    pub fn new(
        mut writer: W,
        nexuses: impl IntoIterator<Item = Nexus>,
        story_begins: Time,
        first: u64,
        limit: u64,
    ) -> io::Result<Self> {
        let wire = Wire::new(nexuses.into_iter().collect());
        let mut start = pcapng::section_header(COMMENT);
        for name in wire.interfaces() {
            start.extend(pcapng::interface(&name));
        }
        start.extend(pcapng::names(wire.names()));
        writer.write_all(&start)?;
        let room = limit.saturating_sub(start.len() as u64);
        let window = Window::new(WAITING, first);
        Ok(Capture { writer, story_begins, wire, window, functions: 0, room, full: false })
    }

    /// Adds a completed command: the request at its arrival, the response at its completion.
    /// Commands are expected from the first number on, in any order, and each once.
    ///
    /// Packets are written when all commands that arrived before them have been added, at the
    /// latest when about 250000 packets wait. A request that comes later than that is written with
    /// its own time, but after others.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn command(&mut self, record: &CommandRecord) -> io::Result<()> {
        if self.full {
            return Ok(());
        }
        self.window.reported(record.seq, record.at);
        if self.wire.has(record.nexus) {
            let record = Arc::new(record.clone());
            let turn = Turn::Command(record.seq);
            let place = Place { at: record.at, turn, leg: Leg::Request };
            self.window.hold(place, Packet::Command(Arc::clone(&record)));
            if pdu::has_response(&record) {
                let at = record.at + record.latency;
                let place = |leg| Place { at, turn, leg };
                if pdu::has_data_in(&record) {
                    self.window.hold(place(Leg::Data), Packet::DataIn(Arc::clone(&record)));
                }
                self.window.hold(place(Leg::Response), Packet::Response(record));
            }
        }
        self.write_ready()
    }

    /// Adds a change of the array's state. Only task management functions are shown: a request, and
    /// at the same time its response, if there is one.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn change(&mut self, change: &StateChange) -> io::Result<()> {
        let Changed::TaskManagement { nexus, addressed, function, response, fault, .. } =
            &change.what
        else {
            return Ok(());
        };
        if self.full || !self.wire.has(*nexus) {
            return Ok(());
        }
        let number = self.functions;
        self.functions += 1;
        let function = Arc::new(Function {
            nexus: *nexus,
            lun: *addressed,
            function: *function,
            response: *response,
            fault: fault.clone(),
            tag: TaskTag::of_function(number),
        });
        let place = |leg| Place { at: change.at, turn: Turn::Function(number), leg };
        self.window.hold(place(Leg::Request), Packet::Function(Arc::clone(&function)));
        if response.is_some() {
            self.window.hold(place(Leg::Response), Packet::FunctionResponse(function));
        }
        self.write_ready()
    }

    /// Whether the capture reached its limit. The last packet then says so, and nothing more is written.
    pub fn full(&self) -> bool {
        self.full
    }

    /// Writes all packets that wait, flushes the writer and returns it, with whether the capture is full after
    /// all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(mut self) -> io::Result<(W, bool)> {
        while let Some((place, packet)) = self.window.take() {
            self.write(place, &packet)?;
        }
        self.writer.flush()?;
        Ok((self.writer, self.full))
    }

    fn write_ready(&mut self) -> io::Result<()> {
        while let Some((place, packet)) = self.window.take_ready() {
            self.write(place, &packet)?;
        }
        Ok(())
    }

    /// Writes a packet. If it does not fit, the capture is full, and ends with a packet that says so.
    fn write(&mut self, place: Place, packet: &Packet) -> io::Result<()> {
        let Some(block) = self.block(place.at, packet) else { return Ok(()) };
        let room = self.room.checked_sub(block.len() as u64);
        if let Some(room) = room.filter(|room| *room >= FOR_THE_END) {
            self.room = room;
            return self.writer.write_all(&block);
        }
        self.full = true;
        self.window.clear();
        let why = "not from the guest: the capture ends here, since it has reached its limit";
        let end = self.block(place.at, &Packet::End(packet.nexus(), why.to_owned()));
        match end.filter(|end| end.len() as u64 <= self.room) {
            Some(end) => self.writer.write_all(&end),
            None => Ok(()),
        }
    }

    /// The block of a packet; `None` if there is none: see [`Wire::frame`].
    fn block(&mut self, at: Time, packet: &Packet) -> Option<Vec<u8>> {
        let frame = self.wire.frame(packet)?;
        let comment = frame.comment.as_deref();
        Some(pcapng::packet(frame.interface, self.timestamp(at), &frame.bytes, comment))
    }

    /// Nanoseconds since 1970.
    fn timestamp(&self, at: Time) -> u64 {
        let begins = STORY_BEGINS.as_nanos() as u64;
        begins.saturating_add(at.as_nanos()).saturating_sub(self.story_begins.as_nanos())
    }
}

#[cfg(test)]
mod tests;
