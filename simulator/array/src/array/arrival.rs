//! What the array remembers of a command, and a medium access that may proceed.

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
    sense::Sense,
    store::Store,
    wire::KeptData,
};

/// What the array remembers of a command until it ends.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) seq: u64,
    pub(crate) at: Time,
    pub(crate) nexus: Nexus,
    /// The number in the command's LUN field.
    pub(crate) addressed: Lun,
    /// The LUN that the nexus sees under that number, by its own number. It is looked up again when the
    /// command is served, because it may have waited.
    pub(crate) unit: Option<Lun>,
    /// The LUN for rules and records: the own number of the LUN that the command arrived at, or else
    /// the addressed number.
    pub(crate) lun: Lun,
    pub(crate) tag: u64,
    pub(crate) cdb: Cdb,
    pub(crate) op: Option<&'static Operation>,
    pub(crate) stage: Stage,
    /// The size of the initiator's buffers in bytes, data-in and data-out together.
    pub(crate) offered: u32,
    /// The name of the fault rule that caught the command.
    pub(crate) fault: Option<Arc<str>>,
    /// The data fault that a rule injects; `None` if the data is correct.
    pub(crate) goes_wrong: Option<GoesWrong>,
    /// What a rule reports of the command once it has been carried out: RECOVERED ERROR.
    pub(crate) recovered: Option<Sense>,
}

/// A data fault, for a command that is otherwise carried out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GoesWrong {
    pub(crate) data: DataFault,
    /// A random number: it selects the bit that is flipped.
    pub(crate) random: u64,
}

impl GoesWrong {
    /// Returns `None` if the fault rule leaves the data intact.
    pub(crate) fn if_any(self) -> Option<GoesWrong> {
        (self.data != DataFault::default()).then_some(self)
    }
}

impl Arrival {
    /// The outcome as the initiator is told it. RECOVERED ERROR says that the command has been carried out all the same
    /// (SPC-4 4.5.6), so it takes the place of GOOD, and of nothing else.
    pub(crate) fn told(&self, completion: Completion) -> Completion {
        match self.recovered {
            Some(sense) if completion == Completion::good(completion.residual) => {
                Completion::check(sense, completion.residual)
            }
            _ => completion,
        }
    }

    /// The record of the completed command, for the observer.
    pub(crate) fn ended(
        self,
        now: Time,
        completion: Completion,
        data: Option<KeptData>,
    ) -> CommandRecord {
        CommandRecord {
            seq: self.seq,
            at: self.at,
            latency: now.since(self.at),
            nexus: self.nexus,
            lun: self.lun,
            addressed: self.addressed,
            tag: self.tag,
            cdb: self.cdb,
            op: self.op,
            offered: self.offered,
            completion,
            fault: self.fault,
            stage: self.stage,
            data,
        }
    }
}

/// A medium access that passed every check. A later change of ownership does not affect it.
#[derive(Debug)]
pub struct Transfer {
    pub(crate) arrival: Arrival,
    pub(crate) access: Access,
    pub(crate) block_bytes: u32,
    pub(crate) store: Arc<Store>,
}

/// What the caller must do with a submitted command.
#[derive(Debug)]
pub enum Disposition {
    /// The command is complete. Its parameter data has been transferred.
    Complete(Completion),
    /// The medium access may proceed: call [`crate::Array::transfer`] with it.
    Transfer(Transfer),
    /// The command is parked. Call [`crate::Array::resume`] when [`crate::Notice::Resume`] names
    /// the ticket, and at the latest at the given time.
    Parked(Ticket, Option<Time>),
}
