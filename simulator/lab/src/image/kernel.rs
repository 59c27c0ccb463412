//! The kernel of an image: from Debian or RPM packages, a build tree or files. It is unpacked to the ELF file that
//! QEMU starts.

mod build_tree;
pub(crate) mod debian_packages;
mod found;
mod packages;
mod rpm_packages;
mod user_kernel;
mod vmlinux;

pub(crate) use found::FoundKernel;
pub use user_kernel::UserKernel;
pub(crate) use vmlinux::vmlinux;
