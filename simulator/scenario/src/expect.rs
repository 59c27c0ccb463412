//! Judging expectations: a plain record of what was seen in a run, and a pure function over it.

mod judge;
#[cfg(test)]
mod tests;
mod world;

pub use judge::{Judgement, Miss};
pub use world::World;
