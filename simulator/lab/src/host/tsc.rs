//! The rate of the host's time-stamp counter, which is the guest's under TCG.

use std::sync::LazyLock;

use super::qemu::host_processor;

/// What the kernel takes as the rate of the time-stamp counter, instead of measuring it
/// (`arch/x86/kernel/tsc.c:tsc_early_khz_setup`).
///
/// A guest measures it against the interval timer while it boots. Under TCG on a busy host the two do not run side by
/// side, and a kernel has measured a twentieth of the rate: its clock then ran twenty times too fast. `None` if the
/// host's counter is not one of a constant rate.
pub(crate) fn kernel_parameter() -> Option<String> {
    static RATE: LazyLock<Option<u64>> = LazyLock::new(measure);
    RATE.map(|mhz| format!("tsc_early_khz={mhz}000"))
}

/// The rate in MHz. It is rounded, so that it is the same each time: it is part of what a template is. The kernel makes
/// it precise after its boot (`tsc_refine_calibration_work`).
fn measure() -> Option<u64> {
    // Without this flag `quanta` reads another clock.
    if !host_processor().split_whitespace().any(|flag| flag == "nonstop_tsc") {
        return None;
    }
    let ticks = 1_000_000_000;
    let nanos = quanta::Clock::new().delta_as_nanos(0, ticks);
    (nanos > 0).then(|| (ticks * 1000 + nanos / 2) / nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_one_of_a_processor_and_the_same_each_time() {
        let Some(rate) = measure() else {
            eprintln!("SKIPPED: the host's time-stamp counter has no constant rate");
            return;
        };
        assert!((200..20_000).contains(&rate), "{rate} MHz");
        assert!(measure().is_some_and(|again| again.abs_diff(rate) <= 1));
        assert_eq!(kernel_parameter(), kernel_parameter());
    }
}
