//! Compares repeated runs of one scenario with one seed.
//!
//! Runs in exact time must leave the same `events.ndjson`, byte for byte: the files are compared.
//!
//! Runs in real time cannot. For them, three sequences are compared: the commands that do not access the
//! medium and all commands, in order of arrival at the array, and all other events, in order of scenario
//! time. The times themselves are not compared.

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
