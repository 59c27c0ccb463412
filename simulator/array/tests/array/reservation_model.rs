//! A simple model of reservations that follows SPC-4 5.13 from beginning to end.

use crate::{HbaId, Nexus, PortId, model::Model, testing::LUN0};

/// The expected outcome of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Conflict,
    Sense(String),
    Good(Vec<u8>),
}

fn refused(sense: &str) -> Answer {
    Answer::Sense(sense.into())
}

const DONE: Answer = Answer::Good(Vec::new());

/// A PERSISTENT RESERVE OUT with its parameters.
#[derive(Debug, Clone)]
pub(crate) struct Out {
    pub(crate) action: u8,
    pub(crate) kind: u8,
    pub(crate) key: u64,
    pub(crate) new: u64,
    /// The flags of byte 20, or of byte 17 for REGISTER AND MOVE.
    pub(crate) flags: u8,
    /// The initiators in the TransportIDs, if SPEC_I_PT is set.
    pub(crate) hbas: Vec<u8>,
    /// The nexus that gets the reservation in REGISTER AND MOVE.
    pub(crate) to: Nexus,
}

/// The reservations of LUN 0. The model of the array decides which answers take precedence.
#[derive(Debug)]
pub(crate) struct Reservations {
    pub(crate) array: Model,
    /// Whether STOP has stopped the LUN.
    pub(crate) stopped: bool,
    pub(crate) generation: u32,
    pub(crate) aptpl: bool,
    /// The registrations, ordered by nexus.
    pub(crate) keys: Vec<(Nexus, u64)>,
    /// The type, or 0 for no reservation, and the nexus that reserved.
    pub(crate) kind: u8,
    taker: Option<Nexus>,
    pub(crate) reserved: Option<Nexus>,
}

/// All ports of the array, ordered by relative target port identifier, from 1.
pub(crate) fn ports() -> Vec<PortId> {
    ["A0", "A1", "B0", "B1"].map(|port| port.parse().unwrap()).into()
}

impl Reservations {
    pub(crate) fn new() -> Reservations {
        let (array, keys) = (Model::new(), Vec::new());
        Reservations {
            array,
            stopped: false,
            generation: 0,
            aptpl: false,
            keys,
            kind: 0,
            taker: None,
            reserved: None,
        }
    }

    pub(crate) fn key(&self, nexus: Nexus) -> u64 {
        self.keys.iter().find(|it| it.0 == nexus).map_or(0, |it| it.1)
    }

    pub(crate) fn holds(&self, nexus: Nexus) -> bool {
        match self.kind {
            0 => false,
            7 | 8 => self.key(nexus) != 0,
            _ => self.taker == Some(nexus),
        }
    }

    fn set_key(&mut self, nexus: Nexus, key: u64) {
        self.keys.retain(|it| it.0 != nexus);
        if key != 0 {
            self.keys.push((nexus, key));
            self.keys.sort();
        }
    }

    fn tell(&mut self, nexuses: impl IntoIterator<Item = Nexus>, sense: &str) {
        nexuses.into_iter().for_each(|nexus| self.array.tell_one(nexus, LUN0, sense));
    }

    fn others(&self, nexus: Nexus) -> Vec<Nexus> {
        self.keys.iter().map(|it| it.0).filter(|it| *it != nexus).collect()
    }

    fn free(&mut self) {
        (self.kind, self.taker) = (0, None);
    }

    /// Whether the columns of the conflict table allow an operation. Types 1 and 3 have a column
    /// each, for nexuses other than the holder. Types 5 to 8 share one column for registered
    /// nexuses. For nexuses that are not registered, types 5 and 7 share a column, and so do 6 and
    /// 8. The last column is for RESERVE by another nexus.
    pub(crate) fn lets(&self, nexus: Nexus, columns: &str) -> bool {
        let allowed = |column: usize| columns.as_bytes()[column] == b'A';
        match self.kind {
            _ if self.reserved.is_some_and(|holder| holder != nexus) => allowed(5),
            _ if self.reserved.is_some() => true,
            0 => true,
            _ if self.holds(nexus) => true,
            1 => allowed(0),
            3 => allowed(1),
            _ if self.key(nexus) != 0 => allowed(2),
            5 | 7 => allowed(3),
            _ => allowed(4),
        }
    }

    pub(crate) fn out(&mut self, nexus: Nexus, out: &Out) -> Answer {
        let registers = out.action == 0 || out.action == 6;
        if out.action == 7 && out.new == 0 {
            return refused("05/26/00");
        }
        if out.action != 0 && out.action != 7 && out.flags & 0x08 != 0 {
            return refused("05/26/00");
        }
        if matches!(out.action, 1 | 2 | 4 | 5) && ![1, 3, 5, 6, 7, 8].contains(&out.kind) {
            return refused("05/24/00");
        }
        if self.reserved.is_some() {
            return Answer::Conflict;
        }
        if registers {
            return self.register(nexus, out);
        }
        if self.key(nexus) == 0 || self.key(nexus) != out.key {
            return Answer::Conflict;
        }
        match out.action {
            1 => self.reserve(nexus, out.kind),
            2 => self.release(nexus, out.kind),
            3 => {
                self.tell(self.others(nexus), "06/2a/03");
                self.keys.clear();
                self.free();
                self.generation += 1;
                DONE
            }
            7 => self.hand_over(nexus, out),
            _ => self.preempt(nexus, out),
        }
    }

    fn register(&mut self, nexus: Nexus, out: &Out) -> Answer {
        let everywhere = if out.flags & 0x04 != 0 { ports() } else { vec![nexus.port] };
        let through = |hba| everywhere.iter().map(move |port| Nexus { hba, port: *port });
        let own: Vec<Nexus> = through(nexus.hba).collect();
        let names_others = out.flags & 0x08 != 0;
        let named = out.hbas.iter().filter(|_| names_others).map(|hba| HbaId(*hba));
        let hbas = named.filter(|hba| *hba != nexus.hba);
        let others: Vec<Nexus> = hbas.flat_map(through).collect();
        if out.action == 0 && own.iter().any(|it| self.key(*it) != out.key) {
            return Answer::Conflict;
        }
        if names_others && self.key(nexus) != 0 {
            return refused("05/26/00");
        }
        if out.new == 0 && own.iter().all(|it| self.key(*it) == 0) {
            return DONE;
        }
        if out.new != 0 && others.iter().any(|it| self.key(*it) != 0) {
            return Answer::Conflict;
        }
        let held = own.iter().any(|it| self.holds(*it));
        own.iter().for_each(|it| self.set_key(*it, out.new));
        if out.new != 0 {
            others.iter().for_each(|it| self.set_key(*it, out.new));
        } else if held && (self.kind < 7 || self.keys.is_empty()) {
            if self.kind > 3 {
                self.tell(self.others(nexus), "06/2a/04");
            }
            self.free();
        }
        self.aptpl = out.flags & 0x01 != 0;
        self.generation += 1;
        DONE
    }

    fn reserve(&mut self, nexus: Nexus, kind: u8) -> Answer {
        if self.kind != 0 && (self.kind != kind || !self.holds(nexus)) {
            return Answer::Conflict;
        }
        (self.kind, self.taker) = (kind, Some(nexus));
        DONE
    }

    fn release(&mut self, nexus: Nexus, kind: u8) -> Answer {
        if !self.holds(nexus) {
            return DONE;
        }
        if self.kind != kind {
            return refused("05/26/04");
        }
        if kind > 3 {
            self.tell(self.others(nexus), "06/2a/04");
        }
        self.free();
        DONE
    }

    fn preempt(&mut self, nexus: Nexus, out: &Out) -> Answer {
        let all_hold = self.kind >= 7;
        if out.new == 0 && !all_hold {
            return refused("05/26/00");
        }
        let meant = |it: &(Nexus, u64)| it.1 == out.new || out.new == 0;
        if !self.keys.iter().any(meant) {
            return Answer::Conflict;
        }
        let takes = match out.new {
            0 => true,
            key => !all_hold && self.taker.is_some_and(|taker| self.key(taker) == key),
        };
        let victims: Vec<Nexus> =
            self.keys.iter().filter(|it| meant(it) && it.0 != nexus).map(|it| it.0).collect();
        victims.iter().for_each(|it| self.set_key(*it, 0));
        self.tell(victims, "06/2a/05");
        if takes {
            if self.kind != out.kind {
                self.tell(self.others(nexus), "06/2a/04");
            }
            (self.kind, self.taker) = (out.kind, Some(nexus));
        }
        self.generation += 1;
        DONE
    }

    fn hand_over(&mut self, nexus: Nexus, out: &Out) -> Answer {
        if self.kind >= 7 || !self.holds(nexus) {
            return Answer::Conflict;
        }
        if out.to == nexus {
            return refused("05/26/00");
        }
        self.set_key(out.to, out.new);
        if out.flags & 0x02 != 0 {
            self.set_key(nexus, 0);
        }
        self.taker = Some(out.to);
        self.aptpl = out.flags & 0x01 != 0;
        self.generation += 1;
        DONE
    }

    /// RESERVE and RELEASE of SPC-2.
    pub(crate) fn old(&mut self, nexus: Nexus, reserve: bool) -> Answer {
        let served = self.holds(nexus) || self.kind > 3 && self.key(nexus) != 0;
        if served {
            return DONE;
        }
        if !self.keys.is_empty() || reserve && self.reserved.is_some_and(|it| it != nexus) {
            return Answer::Conflict;
        }
        if reserve {
            self.reserved = Some(nexus);
        } else {
            self.reserved = self.reserved.filter(|it| *it != nexus);
        }
        DONE
    }

    /// The parameter data of PERSISTENT RESERVE IN.
    pub(crate) fn report(&self, action: u8) -> Answer {
        if self.reserved.is_some() {
            return Answer::Conflict;
        }
        let data: Vec<u8> = match action {
            0 => self.keys.iter().flat_map(|it| it.1.to_be_bytes()).collect(),
            1 if self.kind == 0 => Vec::new(),
            1 => {
                let key = if self.kind >= 7 { 0 } else { self.key(self.taker.unwrap()) };
                [&key.to_be_bytes()[..], &[0, 0, 0, 0, 0, self.kind, 0, 0]].concat()
            }
            _ => self.keys.iter().flat_map(|it| self.full_status(it.0, it.1)).collect(),
        };
        let len = data.len() as u32;
        Answer::Good([&self.generation.to_be_bytes(), &len.to_be_bytes(), &data[..]].concat())
    }

    fn full_status(&self, nexus: Nexus, key: u64) -> Vec<u8> {
        let relative = 1 + ports().iter().position(|port| *port == nexus.port).unwrap();
        let held = if self.holds(nexus) { [1, self.kind] } else { [0, 0] };
        let mut data = key.to_be_bytes().to_vec();
        data.extend([0, 0, 0, 0, held[0], held[1], 0, 0, 0, 0, 0, relative as u8, 0, 0, 0, 24]);
        data.extend(name(nexus.hba.0));
        data
    }

    pub(crate) fn lose_power(&mut self) {
        self.reserved = None;
        self.generation = 0;
        if !self.aptpl {
            self.keys.clear();
            self.free();
        }
    }
}

/// The TransportID of an HBA.
pub(crate) fn name(hba: u8) -> [u8; 24] {
    let mut id = [0; 24];
    id[8..16].copy_from_slice(&[0x30, 0, 0, 0, 0x73, 0x61, 0x6e, hba]);
    id
}
