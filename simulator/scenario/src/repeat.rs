//! Do runs of one scenario with one seed tell the same story?
//!
//! Compared are the commands of the story in the order in which they arrived at the array, once
//! without those that access the medium and once all of them, and everything else that is told, in
//! the order of scenario time. Times themselves are not compared.

mod agreement;
mod comparison;
mod trace;
mod track;
mod words;

pub use agreement::{Agreement, Difference, Repeat};
pub use comparison::Comparison;
pub use trace::Trace;
pub(crate) use trace::Tracer;
