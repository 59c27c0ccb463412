//! What a guest's driver sees of the device.

mod commands;
mod events;
mod garbage;
mod parked;
mod rings;
mod task_management;
