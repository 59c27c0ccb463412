//! Ctrl-C and SIGTERM: the first asks every run to end and clean up, the second ends at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken as Cancel;

use crate::INTERRUPTED;

/// A token that is cancelled by the first signal.
pub(crate) fn on_signals() -> Cancel {
    let cancel = Cancel::new();
    let token = cancel.clone();
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        ) else {
            return;
        };
        for first in [true, false] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            if first {
                token.cancel();
            } else {
                // QEMU dies with this process; the next start sweeps what else is left.
                std::process::exit(i32::from(INTERRUPTED));
            }
        }
    });
    cancel
}
