//! Runs blocking or CPU-intensive work outside tokio's async threads.

use crate::Result;

/// Runs `work` on tokio's blocking pool and waits for it. Resumes its panic.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
