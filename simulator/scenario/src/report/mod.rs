//! What is written about runs.

pub mod html;
pub mod junit;
pub mod lanes;
pub mod library;
pub mod matrix;
pub mod timeline;
