//! Standing still: keeping the processor busy without moving its clock.

use std::arch::asm;

/// Keeps an emulated processor busy for some microseconds of the host's time and some nanoseconds of
/// its own.
///
/// In skipped time every instruction moves the guest's clock by a nanosecond, however long QEMU takes
/// for it. It takes long for F2XM1, which raises two to a power in software with 64 bits of
/// precision. PAUSE would take longer still, but at each one QEMU leaves the translated code and
/// takes its big lock, which the thread that brings the lab's answer needs, too.
pub(super) fn linger() {
    // SAFETY: the instructions push a constant onto the floating-point stack, which is empty here by
    // the calling convention, change it in place (2^x - 1 lies between 0 and x from 0 to 1), and
    // take it off again; nothing else is touched.
    unsafe {
        asm!(
            "fldln2",
            "f2xm1", "f2xm1", "f2xm1", "f2xm1",
            "f2xm1", "f2xm1", "f2xm1", "f2xm1",
            "fstp st(0)",
            out("st(0)") _, out("st(1)") _, out("st(2)") _, out("st(3)") _,
            out("st(4)") _, out("st(5)") _, out("st(6)") _, out("st(7)") _,
            options(nomem, nostack),
        );
    }
}
