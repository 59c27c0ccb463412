//! Ctrl-C, SIGTERM and SIGHUP: the first signal stops every run and cleans up, the second exits at once.
//!
//! A signal to the process and then to its group, as by `timeout`, is one interruption. The signals have a
//! thread of their own, so that they are heard even if the other one is stuck.

use std::{thread, time::Duration};

use futures_util::FutureExt;
use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
    time::sleep,
};
use tokio_util::sync::CancellationToken as Cancel;

use crate::INTERRUPTED;

/// Signals that come within this time are the same interruption.
const SAME: Duration = Duration::from_millis(700);
/// How long everything may take to stop. Every wait of a teardown has its own bound, which is shorter.
const PATIENCE: Duration = Duration::from_secs(90);

/// Returns a token that the first signal cancels.
pub(crate) fn on_signals() -> Cancel {
    let cancel = Cancel::new();
    let token = cancel.clone();
    let (ready, listening) = std::sync::mpsc::channel();
    let listen = move || {
        let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let Ok(mut signals) = Signals::new() else { return };
            let _ = ready.send(());
            signals.next().await;
            token.cancel();
            sleep(SAME).await;
            signals.forget();
            let _ = tokio::time::timeout(PATIENCE, signals.next()).await;
            // QEMU dies with this process; the next start removes any other leftovers.
            std::process::exit(i32::from(INTERRUPTED));
        });
    };
    // Without the thread, a signal kills this process, and QEMU with it.
    if thread::Builder::new().name("sansim-signals".into()).spawn(listen).is_ok() {
        let _ = listening.recv();
    }
    cancel
}

struct Signals([Signal; 3]);

impl Signals {
    fn new() -> std::io::Result<Signals> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [a, b, c] = kinds.map(signal);
        Ok(Signals([a?, b?, c?]))
    }

    async fn next(&mut self) {
        let [a, b, c] = &mut self.0;
        tokio::select! {
            _ = a.recv() => {}
            _ = b.recv() => {}
            _ = c.recv() => {}
        }
    }

    /// Forgets what has come already.
    fn forget(&mut self) {
        while self.next().now_or_never().is_some() {}
    }
}
