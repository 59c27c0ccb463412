//! A cross-check of the transport: the number of commands that the guest's kernel reports as sent
//! must be the number that the HBAs have received.

use std::{fmt, time::Duration};

use sansim_hba::HbaServer;
use sansim_lab::{Keeper, LabError};
use sansim_protocol::Sent;
use serde::Serialize;

use crate::Guest;

/// How many times both are asked again if they disagree because commands were in flight.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);

/// Both counts, from the start of the machine to the end of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// The number of commands that the guest's kernel has sent, according to its tracepoints.
    pub guest: u64,
    /// The number of commands that the HBAs have received.
    pub array: u64,
    /// Whether the guest's count includes commands of the SCSI error handler. If the kernel cannot
    /// be probed for them, the array's count may be higher.
    pub recovery_counted: bool,
}

impl Witness {
    /// Combines the guest's count with what the HBAs have received so far.
    fn new(sent: Sent, received: u64) -> Witness {
        let recovery_counted = sent.recovery.is_some();
        Witness { guest: sent.total(), array: received, recovery_counted }
    }

    /// Whether the two counts are consistent.
    pub fn agrees(&self) -> bool {
        self.guest == self.array || (self.guest < self.array && !self.recovery_counted)
    }

    /// Asks the guest and the HBAs, and repeats this while they disagree, because commands can be
    /// in flight unless time is skipped.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub async fn call(
        guest: &Guest,
        hbas: impl Iterator<Item = &HbaServer> + Clone,
        keeper: &mut Keeper,
    ) -> Result<Witness, LabError> {
        let received = || hbas.clone().map(|hba| hba.statistics().received).sum();
        let mut witness = Witness::default();
        for _ in 0..TRIES {
            let sent = keeper.drive(guest.sent()).await??;
            witness = Witness::new(sent, received());
            if witness.agrees() {
                break;
            }
            keeper.sleep(PAUSE).await?;
        }
        Ok(witness)
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Witness { guest, array, .. } = self;
        write!(
            f,
            "the guest's kernel says that it sent {guest} commands, but the HBAs received {array}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(recovery: Option<u64>) -> Sent {
        Sent { dispatched: 10, refused: 1, recovery }
    }

    #[test]
    fn refused_commands_were_not_sent_and_those_of_the_error_handler_were() {
        assert!(Witness::new(sent(Some(2)), 11).agrees());
        assert!(!Witness::new(sent(Some(2)), 10).agrees());
        assert!(!Witness::new(sent(Some(0)), 10).agrees());
    }

    #[test]
    fn what_cannot_be_counted_may_be_missing_but_nothing_else() {
        assert!(Witness::new(sent(None), 11).agrees());
        assert!(!Witness::new(sent(None), 8).agrees());
    }
}
