//! Work that waits for the disk or keeps a processor busy, off the threads of tokio.

use crate::Result;

/// Runs it on one of tokio's threads for blocking work, and waits for it. Its panic goes on here.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
