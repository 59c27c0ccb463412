//! The array from outside: against a model, against garbage, and against the heap.

// As in the crate itself, whose test array is used here too.
use sansim_array::*;

mod families;
mod faults;
mod garbage;
mod model;
mod no_alloc;
mod parking;
mod properties;
mod reservation_model;
mod reservation_tables;
mod reservations;
#[path = "../../src/testing.rs"]
#[allow(dead_code, reason = "the crate's own tests use the rest of it")]
mod testing;
mod threads;
