//! The live lab: a SAN that people can look at, touch and break while it runs.
//!
//! A person is the driver here, as a scenario's script is in `run`. A [`Handle`] asks a lab that
//! runs: for its state, to act, to wait. The HTTP API, its page and `sansim ctl` are made of it.

#![forbid(unsafe_code)]

pub mod api;
mod base;
pub mod client;
mod handle;
mod http;
mod lab;
mod news;
mod page;
pub mod place;
mod tour;

pub use base::{FIRST, base};
pub use handle::Handle;
pub use http::{ServeError, Served, openapi};
pub use lab::{Live, Options, Play};
pub use tour::{captions, tour, tours};
