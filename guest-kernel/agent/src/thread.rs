//! Threads of the agent. Their names are what `ps` and traces in the guest show.

use std::thread::{Builder, JoinHandle};

use crate::fail::{Doing, Result};

/// Starts a thread. The kernel keeps 15 bytes of its name.
pub(crate) fn start<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    Builder::new().name(name.to_owned()).spawn(run).doing(|| "start a thread".to_owned())
}
