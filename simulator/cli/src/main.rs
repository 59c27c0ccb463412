//! The command `sansim`: argument parsing and printing, nothing else.
#![forbid(unsafe_code)]
// They panic when nobody reads; `show::out` has their like.
#![deny(clippy::print_stdout, clippy::print_stderr)]

#[macro_use]
mod show;

mod args;
mod bisect;
mod bundle;
mod check;
mod compare;
mod coverage;
mod ctl;
mod doctor;
mod explore;
mod hold;
mod image;
mod images;
mod import;
mod model;
mod open;
mod output;
mod own;
mod replay;
mod run;
mod stop;
mod tour;
mod tty;
mod up;

use std::{process::ExitCode, time::Duration};

use args::{Cli, Colour, Command, SchemaArgs};
use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;
use sansim_lab::raise_limits;

/// Exit code: every verdict is pass, known or skipped.
const PASS: u8 = 0;
/// Exit code: an expectation failed.
const FAILED: u8 = 1;
/// Exit code: runs that must be identical differ.
const DIFFERS: u8 = 1;
/// Exit code: the command line or a scenario is invalid.
const USAGE: u8 = 2;
/// Exit code: the lab failed.
const LAB: u8 = 3;
/// Exit code: interrupted by a signal.
const INTERRUPTED: u8 = 130;

/// How long work that is still going on in threads may take when everything else is done.
const ENDING: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    // A shell that completes a command line asks by an environment variable.
    CompleteEnv::with_factory(Cli::command).complete();
    let cli = Cli::parse();
    raise_limits();
    choose_colours(cli.color);
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("SANSIM_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error")),
        )
        .init();
    let code = match cli.command {
        Command::Bundle(args) => bundle::bundle(&args),
        Command::Check(args) => check::check(&args),
        Command::Compare(args) => compare::compare(&args),
        Command::Import { command } => import::import(&command),
        Command::Coverage(args) => coverage::show(&args),
        Command::Explore(args) => with_runtime(explore::explore(args)),
        Command::Doctor => doctor::doctor(),
        Command::Output(args) => output::output(&args),
        Command::Model { command } => model::model(&command),
        Command::Schema(args) => schema(&args),
        Command::Run(args) => with_runtime(run::run(args)),
        Command::Trace(args) => bundle::trace(&args),
        Command::Up(args) => with_runtime(up::up(args)),
        Command::Tour(args) => with_runtime(tour::guide(args)),
        Command::Replay(args) => with_runtime(replay::replay(args)),
        Command::Ctl(args) => with_runtime(ctl::ctl(args)),
        Command::Down(args) => with_runtime(ctl::down(args)),
        Command::Image { command } => with_runtime(image::image(command)),
    };
    ExitCode::from(match show::out::failure() {
        Some(why) => {
            show::error(&format!("cannot write to standard output: {why}"));
            code.max(LAB)
        }
        None => code,
    })
}

fn choose_colours(colour: Colour) {
    if colour != Colour::Auto {
        console::set_colors_enabled(colour == Colour::Always);
        console::set_colors_enabled_stderr(colour == Colour::Always);
    }
}

fn schema(args: &SchemaArgs) -> u8 {
    match args.reference {
        true => out!("{}", sansim_language::reference()),
        false => out!("{}", sansim_language::schema()),
    }
    PASS
}

/// A single-threaded runtime: in skipped time the guest's processor waits for each message to pass from task
/// to task and back, which takes several times as long between threads. Long operations have their own
/// threads.
fn with_runtime(work: impl Future<Output = u8>) -> u8 {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(work);
            // A thread may be stuck in a call of the host's.
            runtime.shutdown_timeout(ENDING);
            code
        }
        Err(error) => {
            show::error(&format!("cannot start: {error}"));
            LAB
        }
    }
}
