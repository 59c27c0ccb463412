//! What a logical unit answers, whatever its array's personality.
//!
//! These functions look at the array and move parameter data; none of them changes anything but the
//! initiator's buffers. What is to change they hand back.

pub(crate) mod access;
pub(crate) mod capacity;
pub(crate) mod captured;
pub(crate) mod corrupt;
pub(crate) mod inquiry;
pub(crate) mod medium;
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
