//! Ctrl-C, SIGTERM and SIGHUP: the first signal stops every run and cleans up, the second exits at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken as Cancel;

use crate::INTERRUPTED;

/// Returns a token that the first signal cancels.
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
                // QEMU dies with this process; the next start removes any other leftovers.
                std::process::exit(i32::from(INTERRUPTED));
            }
        }
    });
    cancel
}
