//! The array: who owns what, and who waits for what.

use std::sync::Arc;

use crate::{
    action::{Action, ActionError},
    command::{Buffers, Command},
    completion::{Completion, Outcome, ServiceResponse, TaskManagement, Ticket, TmfResponse},
    config::{ArrayConfig, ConfigError},
    ids::{ControllerId, HbaId, Lun, Nexus},
    notice::Notice,
    observe::Observer,
    time::Time,
};

/// A medium access that may proceed.
#[derive(Debug)]
pub struct Transfer {}

/// The state of an array at some time, kept apart from it.
#[derive(Debug, Clone)]
pub struct ArraySnapshot {}

/// An array.
pub struct Array {
    _observer: Arc<dyn Observer>,
}

/// A function that tells an HBA of waiting notices.
type Doorbell = Arc<dyn Fn() + Send + Sync>;

impl Array {
    /// An array as configured.
    pub fn new(_config: ArrayConfig, observer: Arc<dyn Observer>) -> Result<Array, ConfigError> {
        Ok(Array { _observer: observer })
    }

    /// Decides about a command.
    pub fn submit(&self, _: Time, _: &Command<'_>, buffers: &mut dyn Buffers) -> Outcome {
        let residual = buffers.data_in_len() + buffers.data_out_len();
        Outcome::Complete(Completion::response(ServiceResponse::BadTarget, residual as u32))
    }

    /// Goes on with a parked command.
    pub fn resume(
        &self,
        now: Time,
        _ticket: Ticket,
        command: &Command<'_>,
        buffers: &mut dyn Buffers,
    ) -> Outcome {
        self.submit(now, command, buffers)
    }

    /// Moves the data of a medium access.
    pub fn transfer(&self, _: Time, _: Transfer, _: &mut dyn Buffers) -> Completion {
        Completion::good(0)
    }

    /// Task management.
    pub fn task_management(
        &self,
        _: Time,
        _: Nexus,
        _: Lun,
        _: TaskManagement,
    ) -> (TmfResponse, Vec<(Ticket, Completion)>) {
        (TmfResponse::Complete, Vec::new())
    }

    /// Forgets a parked command.
    pub fn forget(&self, _: Ticket) {}

    /// A step of the scenario.
    pub fn apply(&self, _: Time, _: Action) -> Result<(), ActionError> {
        Ok(())
    }

    /// Names the doorbell of an HBA.
    pub fn attach(&self, _: HbaId, _: Doorbell) {}

    /// Takes the waiting notices of an HBA.
    pub fn notices(&self, _: Time, _: HbaId) -> Vec<Notice> {
        Vec::new()
    }

    /// Who owns a LUN.
    pub fn owner(&self, _: Lun) -> Option<ControllerId> {
        None
    }

    /// The mapped LUNs.
    pub fn luns(&self) -> Vec<Lun> {
        Vec::new()
    }

    /// How often each fault rule caught a command.
    pub fn rule_matches(&self) -> Vec<(Arc<str>, u64)> {
        Vec::new()
    }

    /// The state, cloned.
    pub fn snapshot(&self) -> ArraySnapshot {
        ArraySnapshot {}
    }
}
