//! A command after its arrival, and a medium access that may proceed.

use std::sync::Arc;

use sansim_time::Time;

use crate::{
    command::Cdb,
    completion::{Completion, Ticket},
    fault::DataFault,
    ids::{Lun, Nexus},
    observe::{CommandRecord, Stage},
    operation::Operation,
    scsi::medium::Access,
    store::Store,
};

/// What is remembered of a command until it ends.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) seq: u64,
    pub(crate) at: Time,
    pub(crate) nexus: Nexus,
    pub(crate) lun: Lun,
    pub(crate) tag: u64,
    pub(crate) cdb: Cdb,
    pub(crate) op: Option<&'static Operation>,
    pub(crate) stage: Stage,
    /// Bytes of the initiator's buffers, in and out.
    pub(crate) offered: u32,
    /// The rule that caught it.
    pub(crate) fault: Option<Arc<str>>,
    /// How its data goes wrong.
    pub(crate) goes_wrong: Option<GoesWrong>,
}

/// How the data of a command that is carried out goes wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GoesWrong {
    pub(crate) data: DataFault,
    /// Which bit, if it is about a bit.
    pub(crate) random: u64,
}

impl GoesWrong {
    /// None, if nothing does.
    pub(crate) fn if_any(self) -> Option<GoesWrong> {
        (self.data != DataFault::default()).then_some(self)
    }
}

impl Arrival {
    /// The report of its end.
    pub(crate) fn ended(self, now: Time, completion: Completion) -> CommandRecord {
        CommandRecord {
            seq: self.seq,
            at: self.at,
            latency: now.since(self.at),
            nexus: self.nexus,
            lun: self.lun,
            cdb: self.cdb,
            op: self.op,
            completion,
            fault: self.fault,
            stage: self.stage,
        }
    }
}

/// A medium access that may proceed. It was decided about; what happens to ownership from here on
/// does not touch it any more.
#[derive(Debug)]
pub struct Transfer {
    pub(crate) arrival: Arrival,
    pub(crate) access: Access,
    pub(crate) block_bytes: u32,
    pub(crate) store: Arc<Store>,
}

/// What comes of a command.
#[derive(Debug)]
pub enum Outcome {
    /// It is done; parameter data was put or taken already.
    Complete(Completion),
    /// A medium access that may proceed: call [`crate::Array::transfer`] with it.
    Transfer(Transfer),
    /// It is held back. Call [`crate::Array::resume`] when [`crate::Notice::Resume`] names the
    /// ticket, or at the given time at the latest.
    Parked(Ticket, Option<Time>),
}
