//! Packets in the order of time, from records in the order of completion.
//!
//! A command is reported when it ends, so its request belongs before packets that are already known.
//! The window holds packets until every command that arrived before them has been reported: the
//! numbers of commands have no gaps. A command that takes long holds back everything after it, up to
//! [`ROOM`] packets; then it is no longer waited for, and its request comes late in the file, with
//! its own time.

use std::collections::BTreeMap;

use sansim_time::Time;

use crate::packet::{Packet, Place};

/// The maximum number of packets that are held, about 30 MB.
const ROOM: usize = 1 << 18;

/// Packets that wait for earlier ones.
#[derive(Debug, Default)]
pub(crate) struct Window {
    held: BTreeMap<Place, Packet>,
    /// The number of the first command that has not been reported.
    awaited: u64,
    /// The times of arrival of commands with higher numbers that have been reported.
    ahead: BTreeMap<u64, Time>,
    /// All commands that arrived before this time have been reported, or are not waited for.
    complete: Time,
}

impl Window {
    /// Notes that a command has been reported.
    pub(crate) fn reported(&mut self, seq: u64, at: Time) {
        if seq >= self.awaited {
            self.ahead.insert(seq, at);
            self.proceed();
        }
    }

    /// Holds a packet until its turn.
    pub(crate) fn hold(&mut self, place: Place, packet: Packet) {
        self.held.insert(place, packet);
    }

    /// Takes the next packet whose turn it is.
    pub(crate) fn take_ready(&mut self) -> Option<(Place, Packet)> {
        if self.held.len().max(self.ahead.len()) > ROOM
            && let Some((seq, _)) = self.ahead.first_key_value()
        {
            self.awaited = *seq;
            self.proceed();
        }
        let first = self.held.first_entry()?;
        (first.key().at < self.complete).then(|| first.remove_entry())
    }

    /// Takes the next packet, whether or not an earlier one may come.
    pub(crate) fn take(&mut self) -> Option<(Place, Packet)> {
        self.held.pop_first()
    }

    /// Forgets all packets.
    pub(crate) fn clear(&mut self) {
        self.held.clear();
        self.ahead.clear();
    }

    fn proceed(&mut self) {
        while let Some(at) = self.ahead.remove(&self.awaited) {
            self.awaited += 1;
            self.complete = self.complete.max(at);
        }
    }
}
