//! The kinds of values a scenario is written with: each reads itself from text, prints itself the
//! same way, and says what would have been accepted.

mod compare;
mod delay;
mod duration;
mod size;
mod spanned;
mod text;
mod version;

pub use compare::{Bound, Comparison, Quantity, Relation};
pub use delay::DelayTime;
pub use duration::TimeSpan;
pub use size::Size;
pub use spanned::At;
pub use text::{Kind, Text};
pub use version::{VersionRange, release_order};
