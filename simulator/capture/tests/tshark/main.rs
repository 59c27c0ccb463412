//! What tshark reads in a capture. Without tshark these tests are skipped, and say so.

mod capture;
mod names;
mod san;
mod tool;
