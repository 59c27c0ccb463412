//! A simple model of an rdac array, against which the real one is tested.

use std::collections::{HashMap, HashSet};

use crate::{
    ControllerId, ControllerState, Lun, Nexus,
    testing::{LUN0, LUN1},
};

/// The expected outcome of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The port does not answer.
    Silence,
    /// CHECK CONDITION with this sense.
    Sense(String),
    /// GOOD, with this data.
    Good(Vec<u8>),
}

pub(crate) fn sense(text: &str) -> Expected {
    Expected::Sense(text.into())
}

/// The state of the model: two controllers, two LUNs, and the pending unit attentions.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) states: [ControllerState; 2],
    pub(crate) owners: [ControllerId; 2],
    /// The byte that fills each block.
    pub(crate) blocks: [Vec<u8>; 2],
    known: HashSet<(Nexus, Lun)>,
    waiting: HashMap<(Nexus, Lun), Vec<String>>,
}

pub(crate) const BLOCK: [usize; 2] = [512, 4096];

impl Model {
    pub(crate) fn new() -> Model {
        Model {
            states: [ControllerState::Online; 2],
            owners: [ControllerId::A, ControllerId::B],
            blocks: BLOCK.map(|len| vec![0; (1 << 20) / len]),
            known: HashSet::new(),
            waiting: HashMap::new(),
        }
    }

    /// Records that the nexus has sent a command to the LUN, so that it gets unit attentions from
    /// now on.
    fn meet(&mut self, nexus: Nexus, lun: Lun) {
        if self.known.insert((nexus, lun)) {
            self.waiting.entry((nexus, lun)).or_default().push("06/29/00".into());
        }
    }

    /// Queues a unit attention for the nexuses that `whom` selects and that have sent a command to
    /// the LUN.
    pub(crate) fn tell(&mut self, sense: &str, whom: impl Fn(Nexus, Lun) -> bool) {
        for (nexus, lun) in self.known.iter().filter(|(nexus, lun)| whom(*nexus, *lun)) {
            let waiting = self.waiting.entry((*nexus, *lun)).or_default();
            let reset = sense.starts_with("06/29/");
            let lesser = |it: &String| it.starts_with("06/29/") && it.as_str() < sense;
            if reset && waiting.iter().any(lesser) || waiting.iter().any(|other| other == sense) {
                continue;
            }
            if reset {
                waiting.clear();
            }
            waiting.push(sense.into());
        }
    }

    pub(crate) fn tell_one(&mut self, nexus: Nexus, lun: Lun, sense: &str) {
        self.meet(nexus, lun);
        self.tell(sense, |who, what| (who, what) == (nexus, lun));
    }

    /// The answer that takes precedence over the command: no answer, a unit attention, or a
    /// controller that is not ready.
    pub(crate) fn before(&mut self, nexus: Nexus, lun: Lun, inquiry: bool) -> Option<Expected> {
        let state = self.states[nexus.port.controller.index()];
        if matches!(state, ControllerState::Failed | ControllerState::Offline) {
            return Some(Expected::Silence);
        }
        self.meet(nexus, lun);
        if inquiry {
            return None;
        }
        let waiting = self.waiting.entry((nexus, lun)).or_default();
        if !waiting.is_empty() {
            return Some(Expected::Sense(waiting.remove(0)));
        }
        match state {
            ControllerState::Booting => Some(sense("02/04/01")),
            ControllerState::Upgrading => Some(sense("02/04/81")),
            ControllerState::Quiescing => Some(sense("02/04/a1")),
            _ => None,
        }
    }

    /// The answer that takes precedence over a medium access, which only the owner carries out.
    pub(crate) fn before_access(
        &mut self,
        nexus: Nexus,
        lun: Lun,
        lba: u64,
        blocks: u32,
    ) -> Option<Expected> {
        if let Some(expected) = self.before(nexus, lun, false) {
            return Some(expected);
        }
        if self.owners[index(lun)] != nexus.port.controller {
            return Some(sense("05/94/01"));
        }
        let end = self.blocks[index(lun)].len() as u64;
        (lba + u64::from(blocks) > end).then(|| sense("05/21/00"))
    }

    pub(crate) fn read(&self, lun: Lun, lba: u64, blocks: u32) -> Vec<u8> {
        let blocks = &self.blocks[index(lun)][lba as usize..][..blocks as usize];
        blocks.iter().flat_map(|byte| vec![*byte; BLOCK[index(lun)]]).collect()
    }

    pub(crate) fn write(&mut self, lun: Lun, lba: u64, blocks: u32, byte: u8) {
        self.blocks[index(lun)][lba as usize..][..blocks as usize].fill(byte);
    }
}

pub(crate) fn index(lun: Lun) -> usize {
    match lun {
        LUN0 => 0,
        LUN1 => 1,
        _ => panic!("the model has two LUNs"),
    }
}
