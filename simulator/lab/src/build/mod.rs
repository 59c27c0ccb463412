//! Building images: from a distribution's packages, or a kernel of the user's own, to what QEMU
//! starts.

mod agent_binary;
mod archive;
mod decompress;
mod headers;
mod initramfs;
mod kernel;
mod modinfo;
mod modules;
mod own_modules;
mod userland;

pub(crate) use agent_binary::{AgentBinary, find_agent};
pub(crate) use archive::Archive;
pub(crate) use headers::{HEADERS, hook};
pub(crate) use initramfs::{lib_modules, write_initramfs};
pub(crate) use kernel::vmlinux;
pub(crate) use modules::{ModuleDir, ModuleSource, WANTED, collect, index_files};
pub(crate) use own_modules::OwnModules;
pub use own_modules::is_own_module;
pub(crate) use userland::{Packing, write_userland};
