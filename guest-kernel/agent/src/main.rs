//! PID 1 of the guest: builds multipath maps, runs I/O on them, watches them, and reports to the lab.
//!
//! The same binary is also the guest's `/sbin/modprobe`, and the wrapper that enters the userland and
//! executes a program there. `argv[0]` decides which.

mod bell;
mod children;
mod clock;
mod daemon;
mod dm;
mod exact;
mod fail;
mod init;
mod kmsg;
mod modprobe;
mod outbox;
mod port;
mod probe;
mod scan;
mod serve;
mod terminal;
mod thread;
mod uevent;
mod userland;
mod workload;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let name = arguments.next().unwrap_or_default();
    if name.ends_with("modprobe") {
        return modprobe::main(arguments);
    }
    if name == userland::ENTER {
        return userland::enter(arguments);
    }
    if name == terminal::ENTER {
        return terminal::enter(arguments);
    }
    if std::process::id() != 1 {
        eprintln!(
            "sansim-agent is the first process of a simulated guest, and of no use elsewhere"
        );
        return ExitCode::FAILURE;
    }
    init::set_up();
    match serve::serve() {
        Ok(()) => init::die("the port was closed"),
        Err(error) => init::die(&error.to_string()),
    }
}
