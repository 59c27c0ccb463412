//! Building images: from a distribution's packages, or a kernel of the user's own, to what QEMU
//! starts.

mod agent_binary;
mod archive;
mod deb;
mod decompress;
mod found_kernel;
mod headers;
mod initramfs;
mod initrd;
mod kernel;
mod modinfo;
mod modules;
mod own_kernel;
mod own_modules;
mod root;
mod strip;
mod survey;
mod tree;
mod tree_tar;
mod userland;

pub(crate) use agent_binary::{AgentBinary, find_agent};
pub(crate) use archive::Archive;
pub(crate) use found_kernel::FoundKernel;
pub(crate) use headers::{HEADERS, hook};
pub(crate) use initramfs::{lib_modules, write_initramfs};
pub(crate) use initrd::Initrd;
pub(crate) use kernel::vmlinux;
pub(crate) use modules::{ModuleSource, WANTED, collect, index_files};
pub use own_kernel::OwnKernel;
pub use own_modules::is_own_module;
pub(crate) use own_modules::{OwnModules, own_modules_dirs};
pub use root::OwnUserland;
pub(crate) use survey::is_place_of_programs;
pub(crate) use userland::{Packing, survey_userland, write_userland};
