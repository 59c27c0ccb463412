//! The plugin as a program of its own: without the standard library, since it lives in QEMU's process, and needs
//! nothing of it.
#![no_std]

#[allow(dead_code, unreachable_pub)]
#[path = "../src/log.rs"]
mod log;
mod plugin;

/// Nothing in the plugin panics; the compiler wants to know what would happen.
#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: abort takes nothing and does not return.
    unsafe { plugin::abort() }
}
