//! Saved guests: templates, from which runs start, and checkpoints, which are moments of a story.
//!
//! | file | contents |
//! |---|---|
//! | [`template`] | a guest that was booted and has no disks yet |
//! | [`checkpoint`] | a stopped story: a guest, and the recorded questions up to then |
//! | [`starts`] | checkpoints of the moment at which stories start, stored with their template |
//! | [`memory`] | restoring the memory of both |

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

/// File name of QEMU's device state, which is everything but memory. The file is in the directory of the
/// saved guest. A link of the same name is in the work directory, where QEMU runs, so that no path needs
/// quoting.
pub(crate) const STATE: &str = "state";

/// The moment at which a guest was saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    /// The value of the hypercall's register.
    register: u8,
    /// The guest time, in nanoseconds, before which nothing may be done to the restored guest.
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
