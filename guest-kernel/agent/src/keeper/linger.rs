//! Standing still: keeping the processor busy without moving its clock.

use std::arch::asm;

/// Keeps an emulated processor busy for about a microsecond of the host's time and a few nanoseconds
/// of its own.
///
/// In skipped time every instruction moves the guest's clock by a nanosecond, however long QEMU takes
/// for it. FYL2X takes it longest, as it computes a logarithm in software to 64 bits. PAUSE would
/// take longer still, but at each one QEMU leaves the translated code and takes its big lock, which
/// the thread that brings the lab's answer needs, too.
pub(super) fn linger() {
    // SAFETY: the instructions push two constants onto the floating-point stack, which is empty
    // here by the calling convention, and take both off again; nothing else is touched.
    unsafe {
        asm!(
            "fldpi", "fldpi", "fyl2x", "fstp st(0)",
            "fldpi", "fldpi", "fyl2x", "fstp st(0)",
            out("st(0)") _, out("st(1)") _, out("st(2)") _, out("st(3)") _,
            out("st(4)") _, out("st(5)") _, out("st(6)") _, out("st(7)") _,
            options(nomem, nostack),
        );
    }
}
