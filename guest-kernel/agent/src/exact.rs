//! Exact time: the guest's end of it. One thread asks the lab, and the processor stands still until it
//! answers.
//!
//! QEMU lets the clock of an idle guest jump to its next timer (`-icount sleep=off`). Nothing else in
//! the world takes time then: a host that is slow to answer a command would look like an array that
//! took seconds, and no two runs would be alike. So whenever the guest has sent something, its processor
//! stands still until the lab has dealt with it.
//!
//! | file | what it does |
//! |---|---|
//! | [`asker`] | the thread that asks, and when |
//! | [`hypercall`] | the question for which the processor stands still |
//! | [`interrupts`] | raises the interrupts of virtio devices, at the answer |
//! | [`pci`], [`window`] | where registers are, and access to them |
//!
//! How the kernel tells that it has sent something is in [`probe`](crate::probe).

mod asker;
mod hypercall;
mod interrupts;
mod pci;
mod window;

use sansim_protocol::SKIPPED_TIME;

pub(crate) use asker::Asker;

/// Whether this guest's time is exact: the kernel's command line says so.
pub(crate) fn is_exact() -> bool {
    let line = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    line.split_whitespace().any(|word| word == SKIPPED_TIME)
}

/// To be called before any driver of PCI devices is loaded.
pub(crate) fn before_drivers() {
    if is_exact() {
        hypercall::keep_register_free();
    }
}
