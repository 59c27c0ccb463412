//! The device as a guest's driver sees it.

mod commands;
mod events;
mod garbage;
mod parked;
mod rings;
mod task_management;
