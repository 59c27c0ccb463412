//! What is left of a run, made readable: its summary and verdict, the timeline, pages, tables, JUnit, and how
//! runs of the same compare.
//!
//! Everything here is made from events and summaries, and may import the stage, whose events they are, and the
//! lab, whose parts they name.

#![forbid(unsafe_code)]

pub mod exactness;
pub mod html;
pub mod junit;
pub mod lanes;
pub mod library;
pub mod matrix;
pub mod outcome;
pub mod repeat;
pub mod timeline;
pub mod timings;
pub mod totals;
pub mod verdict;
