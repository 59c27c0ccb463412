//! An end of the work, whatever the file says.

use super::BadDebug;

/// Steps for one file. The largest module that is looked at takes some hundred thousand.
const FULL: usize = 1 << 28;

/// How many steps are left: bytes that are read or marked, entries, attributes.
///
/// DWARF refers to parts of itself in many ways, so that a small file can ask for work without end: a thousand units with
/// the same long list of files, a thousand functions that are everywhere.
#[derive(Debug)]
pub(super) struct Fuel(usize);

impl Default for Fuel {
    fn default() -> Fuel {
        Fuel(FULL)
    }
}

impl Fuel {
    /// Takes steps.
    ///
    /// # Errors
    /// `TooMuch` if there are not so many left.
    pub(super) fn burn(&mut self, steps: usize) -> Result<(), BadDebug> {
        self.0 = self.0.checked_sub(steps).ok_or(BadDebug::TooMuch)?;
        Ok(())
    }
}
