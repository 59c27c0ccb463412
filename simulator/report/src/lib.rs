//! Reports of runs: summary and verdict, timeline, HTML page, Markdown tables, JUnit XML, KTAP, traces, the pause by
//! cause, and the comparison of runs, of repeated ones and of any two.
//!
//! All reports are made from events and summaries. This crate may import the stage, which defines the events,
//! and the lab, whose images and machines the summaries describe.

#![forbid(unsafe_code)]

pub mod compare;
pub mod exactness;
pub mod html;
pub mod junit;
pub mod ktap;
pub mod lanes;
pub mod library;
pub mod matrix;
pub mod outcome;
pub mod past;
pub mod pause;
mod picture;
pub mod repeat;
#[cfg(test)]
mod testing;
pub mod timeline;
pub mod timings;
pub mod totals;
pub mod trace;
mod traffic;
pub mod unjudged;
pub mod verdict;
