//! The guest's first process: builds multipath maps, runs I/O on them, watches, and tells the lab.
//!
//! The same binary is also the guest's `/sbin/modprobe`, and what becomes a program of the
//! userland; which of them it is to be, its name says.

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
