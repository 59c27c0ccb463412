//! Why a lab was not asked, or does not do it.

use sansim_live::{api::Why, client::ClientError, place::PlaceError};

use crate::{LAB, USAGE, show};

/// An exit code, and the error message that explains it.
#[derive(Debug)]
pub(super) struct Failed(pub(super) u8, pub(super) String);

impl Failed {
    /// Prints the message; returns the exit code.
    pub(super) fn print(self) -> u8 {
        // The lab marks the mistake in what was typed, as for a scenario file.
        match self.1.trim_start().starts_with('×') {
            true => errln!("{}", self.1.trim_end()),
            false => show::error(&self.1),
        }
        self.0
    }
}

impl From<PlaceError> for Failed {
    fn from(error: PlaceError) -> Self {
        let code = match error {
            PlaceError::File(..) => LAB,
            _ => USAGE,
        };
        Failed(code, error.to_string())
    }
}

impl From<ClientError> for Failed {
    fn from(error: ClientError) -> Self {
        let code = match &error {
            ClientError::Refused(refused) => match refused.why {
                Why::Invalid | Why::Unknown | Why::Conflict => USAGE,
                Why::Failed | Why::Over => LAB,
            },
            _ => LAB,
        };
        Failed(code, error.to_string())
    }
}
