//! Do runs of one scenario with one seed tell the same story?
//!
//! In exact time they leave the same `events.ndjson`, byte for byte, and those files are compared.
//!
//! In real time they cannot. There the commands of the story are compared in the order in which they
//! arrived at the array, once without those that access the medium and once all of them, and
//! everything else that is told, in the order of scenario time. Times themselves are not compared.

mod agreement;
mod bytes;
mod result;
mod stories;
mod trace;
mod track;
mod words;

pub use agreement::{Agreement, Difference};
pub use bytes::compare;
pub use bytes::{Base, CommandSubject, Departure, Exact, Key, Parting, Subject, Told, Uncompared};
pub use bytes::{Bytes, Ended};
pub use result::{Compared, Loose, Repeat};
pub use stories::Stories;
pub use trace::Trace;
pub use trace::Tracer;
