//! Tests of the command `sansim` as a program.

mod bad_input;
mod both_ways;
mod capture;
mod coverage;
mod ctl;
mod explore;
mod guest;
mod host;
mod lines;
mod live;
mod load;
mod own_parts;
mod place;
mod replay;
mod reports;
mod shell;
mod skip;
mod starts;
mod suite;
mod untested;
mod version;
