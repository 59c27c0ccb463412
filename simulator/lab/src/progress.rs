//! Telling the user what takes long.

/// Is told what is being done. Implemented by the command (a spinner, a line on standard error).
pub trait Progress: Send + Sync {
    /// A new stage begins; `text` reads like "unpacking the kernel".
    fn stage(&self, text: &str);
}

/// For tests and whoever does not want to be told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn stage(&self, _text: &str) {}
}
