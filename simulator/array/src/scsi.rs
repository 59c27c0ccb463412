//! The SCSI commands that every logical unit supports, independent of the personality.
//!
//! These functions read the state of the array and transfer parameter data. They change only the
//! initiator's buffers, and return the changes that the array must make.

pub(crate) mod access;
pub(crate) mod capacity;
pub(crate) mod captured;
pub(crate) mod corrupt;
pub(crate) mod data_buffer;
pub(crate) mod designators;
pub(crate) mod diagnostic;
mod format;
pub(crate) mod inquiry;
mod lba_status;
pub(crate) mod log_sense;
pub(crate) mod medium;
#[cfg(test)]
mod medium_more_tests;
#[cfg(test)]
mod medium_tests;
pub(crate) mod mode_page;
pub(crate) mod mode_select;
pub(crate) mod mode_sense;
#[cfg(test)]
mod mode_tests;
mod peripheral;
pub(crate) mod report;
pub(crate) mod vpd;
