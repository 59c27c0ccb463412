//! Under construction.

#![forbid(unsafe_code)]

pub mod expect;
pub mod lang;
