//! A stretched volume: two arrays present it as one and replicate its data (a metro cluster).
//!
//! While replication is up, both arrays have the same data, so there is one copy. When it is lost, each
//! array must know whether to go on (see [`crate::MetroConfig`]): an array that does not go on refuses
//! medium accesses, and its data falls behind. Then it has a copy of its own, until its data has been
//! copied again from the other array.

use std::{fmt, io, sync::Arc, time::Duration};

use crate::{
    ids::{ControllerId, Controllers},
    store::Store,
};

/// The link over which two arrays replicate a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplicationLink {
    /// Every write is acknowledged when both arrays have it.
    Up,
    /// The same; each write is acknowledged this much later.
    Lagging(Duration),
    /// Nothing gets through.
    Down,
}

/// The replication of a stretched volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Replication {
    /// Both arrays have the same data.
    Up,
    /// The same; each write is acknowledged this much later.
    Lagging(Duration),
    /// The arrays do not reach each other.
    Down,
    /// The array that has fallen behind gets what it lacks.
    Resync {
        /// How much of it has been copied.
        percent: u8,
    },
}

impl fmt::Display for Replication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Replication::Up => f.write_str("up"),
            Replication::Lagging(by) => write!(f, "lagging by {} ms", by.as_millis()),
            Replication::Down => f.write_str("down"),
            Replication::Resync { percent } => write!(f, "in resync, {percent} % copied"),
        }
    }
}

/// One of the two arrays of a stretched volume.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side {
    pub(crate) controllers: Controllers,
    /// The controller that owns the LUN while the array serves it alone.
    pub(crate) lead: ControllerId,
    /// Whether the array serves medium accesses.
    pub(crate) serves: bool,
    /// Whether the array lacks what was written since it lost the other one.
    pub(crate) stale: bool,
}

impl Side {
    pub(crate) fn new(controllers: Controllers, lead: ControllerId) -> Side {
        Side { controllers, lead, serves: true, stale: false }
    }
}

/// How far the two arrays agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    /// They have the same data.
    Synced,
    /// They have lost each other, and it is not decided yet who goes on. `witnessed`: whether the
    /// witness, which was there then, decides.
    Arbitration { witnessed: bool },
    /// They do not reach each other, and it is decided.
    Apart { witnessed: bool },
    /// One of them gets what it lacks.
    Resync { percent: u8 },
}

/// How an array presents a LUN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As the only one, or as the one that has the owner.
    Leading,
    /// The other array has the owner.
    Following,
    /// The array does not serve the LUN.
    Suspended,
    /// It is not decided yet whether it does.
    Undecided,
}

/// A volume that two arrays present as one.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    pub(crate) sides: [Side; 2],
    pub(crate) link: ReplicationLink,
    pub(crate) sync: Sync,
    /// How long it takes to copy what an array lacks.
    pub(crate) copying: Duration,
    /// The data of the side with this index, if it is not that of the volume.
    pub(crate) copy: Option<(usize, Arc<Store>)>,
}

impl Stretch {
    pub(crate) fn new(sides: [Side; 2], copying: Duration) -> Stretch {
        Stretch { sides, link: ReplicationLink::Up, sync: Sync::Synced, copying, copy: None }
    }

    /// The index of the side that has a controller; the first for one that neither has.
    pub(crate) fn side_of(&self, controller: ControllerId) -> usize {
        usize::from(self.sides[1].controllers.has(controller))
    }

    /// Whether the arrays reach each other, so that each knows how the other presents the LUN.
    pub(crate) fn connected(&self) -> bool {
        matches!(self.sync, Sync::Synced | Sync::Resync { .. })
    }

    /// Whether both arrays serve the LUN without reaching each other (split brain).
    pub(crate) fn is_split(&self) -> bool {
        !self.connected() && self.sides.iter().all(|side| side.serves)
    }

    pub(crate) fn replication(&self) -> Replication {
        match (self.sync, self.link) {
            (Sync::Synced, ReplicationLink::Lagging(by)) => Replication::Lagging(by),
            (Sync::Synced, _) => Replication::Up,
            (Sync::Arbitration { .. } | Sync::Apart { .. }, _) => Replication::Down,
            (Sync::Resync { percent }, _) => Replication::Resync { percent },
        }
    }

    /// The controllers of the arrays that serve the LUN.
    pub(crate) fn serving(&self) -> Controllers {
        let serve = self.sides.iter().filter(|side| side.serves);
        serve.flat_map(|side| side.controllers.iter()).collect()
    }

    /// How the array of a controller presents the LUN with this owner.
    pub(crate) fn standing(&self, controller: ControllerId, owner: ControllerId) -> Standing {
        let own = self.side_of(controller);
        match self.sync {
            Sync::Arbitration { .. } => Standing::Undecided,
            _ if !self.sides[own].serves => Standing::Suspended,
            _ if self.is_split() || own == self.side_of(owner) => Standing::Leading,
            _ => Standing::Following,
        }
    }

    /// The owner as a controller sees it: in a split brain, each array has one.
    pub(crate) fn owner_at(&self, controller: ControllerId, owner: ControllerId) -> ControllerId {
        let own = self.side_of(controller);
        if self.is_split() && own != self.side_of(owner) { self.sides[own].lead } else { owner }
    }

    /// From now on, the side with this index has a copy of its own of these contents.
    pub(crate) fn set_apart(&mut self, side: usize, store: &Store) -> io::Result<()> {
        self.copy = Some((side, Arc::new(store.copy()?)));
        Ok(())
    }
}
