//! Reports progress of slow operations to the user.

/// Receives progress messages. The command implements it with a spinner or a line on standard error.
pub trait Progress: Send + Sync {
    /// Reports a new stage; `text` reads like "unpacking the kernel".
    fn stage(&self, text: &str);
}

/// Ignores all messages; for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn stage(&self, _text: &str) {}
}
