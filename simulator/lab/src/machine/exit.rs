//! How a machine ends.

use std::process::ExitStatus;

use qapi::qmp::ShutdownCause;

/// The same number on every architecture.
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// How a machine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitReason {
    /// The guest powered off.
    PowerOff,
    /// The guest's kernel panicked, or the guest rebooted (which ends QEMU, too).
    PanicOrReboot,
    /// This program killed QEMU.
    Stopped,
    /// Another process killed QEMU with this signal.
    Signal(i32),
    /// QEMU exited by itself, or aborted.
    Failed {
        /// Exit code; 134 after SIGABRT, as in a shell; -1 if it is unknown.
        code: i32,
        /// The last lines of its standard error.
        stderr: String,
    },
}

impl std::fmt::Display for ExitReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ExitReason::PowerOff => f.write_str("it powered itself off"),
            ExitReason::PanicOrReboot => f.write_str("its kernel panicked or rebooted"),
            ExitReason::Stopped => f.write_str("it was stopped by this program"),
            ExitReason::Signal(SIGKILL) => f.write_str(
                "QEMU was killed by signal 9, by somebody or by the kernel for lack of memory",
            ),
            ExitReason::Signal(signal) => write!(f, "QEMU was killed by signal {signal}"),
            ExitReason::Failed { code, stderr } => {
                write!(f, "QEMU ended with exit code {code}: {}", stderr.trim())
            }
        }
    }
}

impl ExitReason {
    /// Determines the reason from what is known: whether this program killed QEMU, the cause in QEMU's
    /// SHUTDOWN event, the exit status, and standard error.
    pub(crate) fn of(
        stopped: bool,
        cause: Option<ShutdownCause>,
        status: ExitStatus,
        stderr: String,
    ) -> ExitReason {
        use std::os::unix::process::ExitStatusExt;
        if stopped {
            return ExitReason::Stopped;
        }
        match (cause, status.signal(), status.code()) {
            (Some(ShutdownCause::guest_shutdown), _, _) => ExitReason::PowerOff,
            (Some(ShutdownCause::guest_reset | ShutdownCause::guest_panic), _, _) => {
                ExitReason::PanicOrReboot
            }
            // QEMU aborts when an assertion fails. The code is the one that a shell would report.
            (_, Some(SIGABRT), _) => ExitReason::Failed { code: 128 + SIGABRT, stderr },
            (_, Some(signal), _) => ExitReason::Signal(signal),
            (_, None, code) => ExitReason::Failed { code: code.unwrap_or(-1), stderr },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn each_end_has_its_reason() {
        let exited = |code: i32| ExitStatus::from_raw(code << 8);
        let of = |stopped, cause, status| ExitReason::of(stopped, cause, status, "why".into());
        let shutdown = Some(ShutdownCause::guest_shutdown);
        let reset = Some(ShutdownCause::guest_reset);
        assert_eq!(of(false, shutdown, exited(0)), ExitReason::PowerOff);
        assert_eq!(of(false, reset, exited(0)), ExitReason::PanicOrReboot);
        assert_eq!(of(true, None, ExitStatus::from_raw(9)), ExitReason::Stopped);
        assert_eq!(of(false, None, ExitStatus::from_raw(9)), ExitReason::Signal(9));
        let aborted = ExitReason::Failed { code: 134, stderr: "why".into() };
        assert_eq!(of(false, None, ExitStatus::from_raw(6)), aborted);
        let failed = ExitReason::Failed { code: 1, stderr: "why".into() };
        assert_eq!(of(false, None, exited(1)), failed);
        assert_eq!(failed.to_string(), "QEMU ended with exit code 1: why");
    }
}
