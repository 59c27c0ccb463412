//! How a family of arrays identifies itself and is told to move a LUN.

pub(crate) mod rdac;
