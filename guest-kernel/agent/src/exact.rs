//! The guest's end of exact time: one thread asks the lab, and the processor stands still until the lab
//! answers.
//!
//! QEMU lets the clock of an idle guest jump to its next timer (`-icount sleep=off`). Events outside the
//! guest take no guest time then: a host that is slow to complete a command would look like an array that
//! took seconds, and no two runs would be alike. So whenever the guest has sent a request, its processor
//! stands still until the lab has processed it.
//!
//! | file | purpose |
//! |---|---|
//! | [`asker`] | the thread that asks, and when it asks |
//! | [`hypercall`] | the question for which the processor stands still |
//! | [`interrupts`] | raises the interrupts of virtio devices when the lab answers |
//! | [`pci`], [`window`] | finding and accessing device registers |
//!
//! [`probe`](crate::probe) detects that the kernel has sent a request.

mod asker;
mod hypercall;
mod interrupts;
mod pci;
mod window;

use sansim_protocol::SKIPPED_TIME;

pub(crate) use asker::Asker;

/// Whether the kernel's command line selects exact time ([`SKIPPED_TIME`]).
pub(crate) fn is_exact() -> bool {
    let line = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    line.split_whitespace().any(|word| word == SKIPPED_TIME)
}

/// Reserves the devices of exact time. Must run before any PCI driver is loaded.
pub(crate) fn before_drivers() {
    if is_exact() {
        hypercall::keep_register_free();
    }
}
