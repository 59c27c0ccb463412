//! Judging expectations: a plain record of what was seen in a run, and a pure function over it.

mod judge;
mod world;

pub use judge::Judgement;
pub use world::World;
