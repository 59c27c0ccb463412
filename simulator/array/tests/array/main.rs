//! Tests of the array's public interface: against models, against garbage, and for heap
//! allocations.

// The included test array (`testing.rs`) refers to these items through `crate::` paths.
use sansim_array::*;

mod families;
mod faults;
mod garbage;
mod metro;
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
