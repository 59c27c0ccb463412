//! Packets in the order of time, from records in the order of completion.
//!
//! A command is reported when it ends, so its request belongs before packets that are already known.
//! The window holds packets until every command that arrived before them has been reported: the
//! numbers of commands have no gaps. A command that takes long holds back everything after it, until
//! there is no room; then it is no longer waited for, and its request comes late in the file, with
//! its own time.

use std::collections::BTreeMap;

use sansim_time::Time;

use crate::packet::{Packet, Place};

/// Packets that wait for earlier ones.
#[derive(Debug)]
pub(crate) struct Window {
    /// The maximum number of packets that are held.
    room: usize,
    held: BTreeMap<Place, Packet>,
    /// The number of the first command that has not been reported.
    awaited: u64,
    /// The times of arrival of commands with higher numbers that have been reported.
    ahead: BTreeMap<u64, Time>,
    /// All commands that arrived before this time have been reported, or are not waited for.
    complete: Time,
}

impl Window {
    /// A window with room for this number of packets, from the command with the number `first` on.
    pub(crate) fn new(room: usize, first: u64) -> Self {
        let (held, ahead) = (BTreeMap::new(), BTreeMap::new());
        Window { room, held, awaited: first, ahead, complete: Time::ZERO }
    }

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
        let crowded = self.held.len() > self.room;
        if (crowded || self.ahead.len() > self.room)
            && let Some((seq, _)) = self.ahead.first_key_value()
        {
            self.awaited = *seq;
            self.proceed();
        }
        let first = self.held.first_entry()?;
        (crowded || first.key().at < self.complete).then(|| first.remove_entry())
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

#[cfg(test)]
mod tests {
    use sansim_array::{HbaId, Lun, Nexus, TaskManagement};

    use super::*;
    use crate::{
        packet::{Function, Leg, Turn},
        task_tag::TaskTag,
    };

    /// Holds a packet; which one does not matter.
    fn hold(window: &mut Window, turn: Turn, at: u64) {
        let function = Function {
            nexus: Nexus { hba: HbaId(0), port: "A0".parse().unwrap() },
            lun: Lun(0),
            function: TaskManagement::ClearAca,
            response: None,
            fault: None,
            tag: TaskTag::NONE,
        };
        let place = Place { at: Time::from_nanos(at), turn, leg: Leg::Request };
        window.hold(place, Packet::Function(function.into()));
    }

    /// The packets that are ready.
    fn ready(window: &mut Window) -> Vec<Turn> {
        std::iter::from_fn(|| window.take_ready()).map(|(place, _)| place.turn).collect()
    }

    /// Reports commands that arrive at these times, in this order, and returns the numbers of those
    /// that are ready after each.
    fn after_each(window: &mut Window, commands: &[(u64, u64)]) -> Vec<Vec<u64>> {
        let number = |turn| if let Turn::Command(seq) = turn { seq } else { unreachable!() };
        let report = |&(seq, at): &(u64, u64)| {
            window.reported(seq, Time::from_nanos(at));
            hold(window, Turn::Command(seq), at);
            ready(window).into_iter().map(number).collect()
        };
        commands.iter().map(report).collect()
    }

    #[test]
    fn a_packet_waits_for_every_command_that_arrived_before_it() {
        let mut window = Window::new(100, 0);
        let after = after_each(&mut window, &[(1, 10), (2, 20), (0, 5), (3, 30)]);
        assert_eq!(after, [vec![], vec![], vec![0, 1], vec![2]]);
        assert_eq!(window.take().map(|(place, _)| place.turn), Some(Turn::Command(3)));
    }

    #[test]
    fn a_command_is_not_waited_for_when_there_is_no_room() {
        let mut window = Window::new(2, 0);
        let after = after_each(&mut window, &[(1, 10), (2, 20), (3, 30), (4, 40), (0, 5)]);
        assert_eq!(after, [vec![], vec![], vec![1, 2], vec![3], vec![0]]);
    }

    #[test]
    fn functions_do_not_need_more_room_either() {
        let mut window = Window::new(2, 0);
        let held = (0..4).map(|number| {
            hold(&mut window, Turn::Function(number), 10);
            ready(&mut window)
        });
        let first = [0, 1].map(|number| vec![Turn::Function(number)]);
        assert_eq!(held.collect::<Vec<_>>(), [&[vec![], vec![]], &first[..]].concat());
    }
}
