//! Guests that were saved: templates, from which runs start, and checkpoints, moments of a story.
//!
//! | file | what it is about |
//! |---|---|
//! | [`template`] | a guest that was booted once and has not found a disk yet |
//! | [`checkpoint`] | a story that stands still: a guest, and what the lab was asked until then |
//! | [`starts`] | the checkpoints of the moment at which stories start, kept beside their template |
//! | [`memory`] | where the memory of either is read from |

mod checkpoint;
mod memory;
mod starts;
mod template;

use sansim_time::Time;
use serde::{Deserialize, Serialize};

pub use checkpoint::Checkpoint;
pub(crate) use memory::{SavedMemory, TemplateMemory, TemplateMemoryId};
pub use starts::{LULL, StartToSave, Starts};
pub use template::{Template, Templates};

/// The file that QEMU writes a guest's state to: all but its memory. It has this name in the directory of a
/// saved guest, and as a link in the work directory, where QEMU runs, so that no path needs quoting.
pub(crate) const STATE: &str = "state";

/// The moment at which a guest was saved, as far as the lab has to know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    /// The value of the register.
    register: u8,
    /// Until when nothing is to be done to the guest once it is restored, by its clock, in nanoseconds.
    resumes_ns: u64,
}

impl Moment {
    pub(crate) fn new(register: u8, resumes: Option<Time>) -> Moment {
        Moment { register, resumes_ns: resumes.map_or(0, Time::as_nanos) }
    }

    pub(crate) fn register(self) -> u8 {
        self.register
    }

    pub(crate) fn resumes(self) -> Time {
        Time::from_nanos(self.resumes_ns)
    }
}
