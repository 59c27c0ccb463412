//! What every request can use.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken as Stop;

use super::{
    limits::{FILES, STREAMS, TERMINALS},
    problem::Problem,
};
use crate::Handle;

/// The lab, and what there is for its clients.
#[derive(Debug, Clone)]
pub(super) struct App {
    pub(super) lab: Handle,
    /// Cancelled when serving ends.
    pub(super) stop: Stop,
    streams: Arc<Semaphore>,
    terminals: Arc<Semaphore>,
    files: Arc<Semaphore>,
}

/// Room that is free again when this is dropped.
pub(super) type Room = OwnedSemaphorePermit;

impl App {
    pub(super) fn new(lab: Handle, stop: Stop) -> Self {
        let room = |size| Arc::new(Semaphore::new(size));
        App { lab, stop, streams: room(STREAMS), terminals: room(TERMINALS), files: room(FILES) }
    }

    /// Room for a follower, if there is.
    pub(super) fn stream(&self) -> Result<Room, Problem> {
        let room = Arc::clone(&self.streams).try_acquire_owned();
        room.map_err(|_| Problem::busy(format!("{STREAMS} others follow this lab already")))
    }

    /// Room for a terminal, if there is.
    pub(super) fn terminal(&self) -> Result<Room, Problem> {
        let room = Arc::clone(&self.terminals).try_acquire_owned();
        room.map_err(|_| Problem::busy(format!("{TERMINALS} terminals are open already")))
    }

    /// Room for a file, when there is.
    pub(super) async fn file(&self) -> Result<Room, Problem> {
        let room = Arc::clone(&self.files).acquire_owned().await;
        room.map_err(|_| Problem::busy("the lab is ending"))
    }
}
