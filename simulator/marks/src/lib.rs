//! Which code of the guest's kernel modules was executed: a plugin for QEMU that marks it, and its marks.
//!
//! | file | contents |
//! |---|---|
//! | [`log`] | the file that the plugin writes: its layout, and how it is filled |
//! | `marks` | the marks, read from that file |
//! | `../plugin` | the plugin, a shared object of its own, and the few functions of QEMU's interface that it needs |
//!
//! QEMU translates the guest's code in *translation blocks*: instructions in a row, up to the next jump, the end of
//! a page, or wherever it has to stop. The plugin is told of each one that is translated, and of each that is
//! executed. A [`Mark`] is one that was executed: where it lay, and its bytes. What the bytes mean is left to who
//! knows the modules.
#![forbid(unsafe_code)]

pub mod log;
mod marks;

pub use marks::{Damaged, Mark, Marks};

/// The plugin: a shared object for QEMU's `-plugin`. It writes to the file [`log::FILE`] in QEMU's directory, which
/// must be there, and [`log::FILE_BYTES`] long.
pub const PLUGIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/marks.so"));
