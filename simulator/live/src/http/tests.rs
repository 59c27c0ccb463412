//! The API, as clients find it, over a lab that only pretends.

mod files;
mod guard;
mod lab;
mod limits;
mod openapi;
mod stream;
mod terminal;
