//! Tests with the real command.

mod bad_input;
mod guest;
mod place;
mod suite;
