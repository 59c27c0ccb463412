//! The command line of `sansim ctl` and `sansim down`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter};
use sansim_language::value::TimeSpan;

use super::complete;

#[derive(Debug, Args)]
#[command(
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    override_usage = "sansim ctl [--lab NAME] [--json] <COMMAND>\n       \
        sansim ctl [--lab NAME] [--json] <STEP>..."
)]
pub(crate) struct CtlArgs {
    /// The lab, where several are running; see `sansim ctl list`.
    #[arg(long, value_name = "NAME", global = true, add = ArgValueCandidates::new(complete::labs))]
    pub(crate) lab: Option<String>,
    /// Print JSON on standard output: what the API answers.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Ctl>,
    /// A step in the words of the scenario language: `fail controller A`, `link down A0 hba0`.
    #[arg(required = true, value_name = "STEP", add = ArgValueCompleter::new(complete::words))]
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ctl {
    /// Print the state: the array, the LUNs with their maps and paths, and what is broken.
    Status,
    /// Print the state as a line of JSON; with --follow, also each event from now on, as in events.ndjson.
    Events {
        /// Print events until the lab ends.
        #[arg(long, short)]
        follow: bool,
    },
    /// Open a shell in the guest, or another program in a terminal. Leave it with `exit` or Ctrl-].
    Shell {
        /// The program and its arguments, after `--`.
        #[arg(last = true, value_name = "PROGRAM")]
        argv: Vec<String>,
    },
    /// Run a program in the guest; the exit code is the program's.
    Exec {
        /// How long it may take, in story time.
        #[arg(long = "for", value_name = "TIME", default_value = "30s")]
        at_most: TimeSpan,
        /// The program and its arguments, after `--`.
        #[arg(
            required = true,
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "PROGRAM"
        )]
        argv: Vec<String>,
    },
    /// Copy a file into the guest, at most 16 MiB.
    Push {
        /// The file on this host.
        local: PathBuf,
        /// Its path in the guest.
        remote: String,
    },
    /// Copy a file out of the guest.
    Pull {
        /// The path in the guest.
        remote: String,
        /// The file on this host, or - for standard output.
        local: PathBuf,
    },
    /// Start or stop I/O on a LUN.
    Io {
        #[command(subcommand)]
        change: Io,
    },
    /// Add, list or remove fault rules.
    Fault {
        #[command(subcommand)]
        change: Fault,
    },
    /// Do a step that is given as TOML: `sansim ctl step 'fail = "controller A"'`. Several are done at one time.
    Step {
        /// The steps.
        #[arg(required = true, value_name = "TOML")]
        steps: Vec<String>,
    },
    /// Heal everything: undo what is broken, and remove the added fault rules.
    Reset,
    /// Hold steps until `go`.
    Hold,
    /// Do the steps that are held, all at one time.
    Go,
    /// Wait until an expectation holds; exit code 1 if it does not in time.
    Wait {
        /// How long to wait at most, in story time.
        #[arg(long = "for", value_name = "TIME", default_value = "30s")]
        at_most: TimeSpan,
        /// The expectation: in words, or one argument of TOML.
        #[arg(required = true, value_name = "EXPECTATION", add = ArgValueCompleter::new(complete::words))]
        expectation: Vec<String>,
    },
    /// Stop, continue or skip time.
    Time {
        #[command(subcommand)]
        change: Time,
    },
    /// Start or stop the capture of SCSI commands (pcapng, for Wireshark).
    Capture {
        /// Whether to capture.
        #[arg(value_enum)]
        on: OnOff,
    },
    /// Print the end of the guest's console.
    Console,
    /// Save the story so far as a scenario.
    Save {
        /// The file to write, or - for standard output.
        file: PathBuf,
    },
    /// Print the output of `multipath -ll`.
    Multipath,
    /// Go on with the guided tour, or change how it goes on.
    Tour {
        /// What to do.
        #[arg(value_enum)]
        change: Tour,
    },
    /// List the labs that are running on this host.
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Io {
    /// Start I/O on a LUN, or replace it.
    Start {
        /// The workload: in words, or one argument of TOML.
        #[arg(value_name = "WORKLOAD", add = ArgValueCompleter::new(complete::words))]
        workload: Vec<String>,
    },
    /// Stop the I/O on a LUN, and read back what it has written.
    Stop {
        /// The number of the LUN.
        lun: u16,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Fault {
    /// Add a rule.
    Add {
        /// The rule: in words, which begin with `when` or `then`, or one argument of TOML.
        #[arg(required = true, value_name = "RULE", add = ArgValueCompleter::new(complete::words))]
        rule: Vec<String>,
    },
    /// List the rules.
    List,
    /// Remove a rule that was added.
    Remove {
        /// The name of the rule.
        #[arg(add = ArgValueCandidates::new(complete::faults))]
        name: String,
    },
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Time {
    /// The guest and the array stand still.
    Pause,
    /// They go on.
    Resume,
    /// Skip idle time, for so much story time.
    Skip {
        /// How much, for instance 60s.
        #[arg(value_name = "TIME")]
        span: TimeSpan,
    },
    /// Skip idle time until something happens.
    ToNextEvent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnOff {
    On,
    Off,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Tour {
    /// Go on to the next caption.
    Next,
    /// Go on by itself from now on.
    Auto,
    /// Wait at each caption from now on.
    Manual,
}

#[derive(Debug, Args)]
pub(crate) struct DownArgs {
    /// The lab; it can be left out if only one is running.
    #[arg(add = ArgValueCandidates::new(complete::labs))]
    pub(crate) name: Option<String>,
    /// End all labs.
    #[arg(long, conflicts_with = "name")]
    pub(crate) all: bool,
}
