//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use sansim_run::Until;

use crate::own::OwnArgs;

/// A full-system simulator of multipath SANs.
///
/// sansim boots a real Linux kernel in QEMU, gives it disk arrays that do not exist, and breaks them
/// on purpose. What the guest's own dm-multipath and device handlers make of it is compared with what
/// a scenario file expects.
#[derive(Debug, Parser)]
#[command(name = "sansim", version = env!("SANSIM_VERSION"), after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub(crate) color: Colour,
}

const EXIT_CODES: &str = "Exit codes: 0 every verdict is pass, known or skipped; 1 an expectation failed, or the \
runs of --repeat are not identical though their time is exact; 2 the command line or a scenario is wrong; 3 the lab \
failed (no QEMU, no image, a guest that did not boot or died); 130 interrupted.";

const REPLAY_EXIT_CODES: &str = "Exit codes: 0 its events.ndjson is identical; 1 it differs, or a fork \
fails; 2 the run directory cannot be used, what the run was made of has changed, or a fork is another story before that \
moment; 3 the lab failed; 130 interrupted.";

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios to a verdict.
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Run a run again, and show that it is the same to the last byte; or stop in the middle of it.
    #[command(after_help = REPLAY_EXIT_CODES)]
    Replay(ReplayArgs),
    /// Check scenario files without starting a machine.
    Check(CheckArgs),
    /// List, build, add or remove guest images.
    Image {
        /// What to do with them.
        #[command(subcommand)]
        command: ImageCommand,
    },
    /// List the models of arrays, or show one: a model of your own is such a file.
    Model {
        /// What to do with them.
        #[command(subcommand)]
        command: ModelCommand,
    },
    /// Tell what is missing on this machine, and the command that mends it.
    Doctor,
    /// Print the JSON Schema of scenario files, for editors.
    Schema(SchemaArgs),
}

/// Arguments of `sansim schema`.
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Print the reference of the scenario language instead: a page in Markdown.
    #[arg(long)]
    pub(crate) reference: bool,
}

/// Arguments of `sansim run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Scenario files, or directories to search for them.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub(crate) paths: Vec<PathBuf>,
    /// Run on this guest image instead of the scenario's; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) image: Vec<String>,
    #[command(flatten)]
    pub(crate) own: OwnArgs,
    /// Seed of the workload and of everything else that is random [default: the scenario's, else
    /// a new one].
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Change a value of the scenario, for instance guest.multipath.pg_init_retries=3.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Run each scenario so often, with the same seed, and compare the runs.
    ///
    /// In skipped time their events.ndjson must be the same, byte for byte: where they are not, the
    /// first byte that differs is explained, and the exit code is 1 even if every verdict is pass. In
    /// real time it is told how far the runs agree in their commands and events, without times; that
    /// they differ there is to be expected and does not change the exit code.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeat: u32,
    /// How many scenarios to run at once.
    #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// How the guest's CPU is emulated; auto proves that KVM works before it uses it.
    #[arg(long, value_enum, default_value_t = AccelArg::Auto, value_name = "ACCEL")]
    pub(crate) accel: AccelArg,
    /// What drives the guest's clock: the host, or the guest itself, which then jumps over time in
    /// which it idles (needs TCG, and one processor) [default: skip where it can be, else real].
    #[arg(long, value_enum, value_name = "CLOCK")]
    pub(crate) time: Option<TimeArg>,
    /// Boot the guest instead of starting it from a template or a checkpoint.
    #[arg(long)]
    pub(crate) cold: bool,
    /// Where run directories go.
    #[arg(long, value_name = "DIR", default_value = "sansim-runs")]
    pub(crate) out: PathBuf,
    /// Write a JUnit report.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write what each handler came to, scenario by scenario, as a table in Markdown.
    #[arg(long, value_name = "FILE")]
    pub(crate) table: Option<PathBuf>,
    /// Find the first of the images, by the age of their kernels, on which a scenario's verdict is
    /// another one than on the oldest.
    #[arg(long, requires = "image", conflicts_with_all = ["repeat", "fail_fast", "json"])]
    pub(crate) bisect: bool,
    /// Write which verdicts differ between the images, as a table in Markdown.
    #[arg(long, value_name = "FILE", requires = "image")]
    pub(crate) matrix: Option<PathBuf>,
    /// Print every event as one JSON object a line on standard output, and nothing else there.
    #[arg(long)]
    pub(crate) json: bool,
    /// Stop at the first scenario that does not pass.
    #[arg(long, conflicts_with = "keep_going")]
    pub(crate) fail_fast: bool,
    /// Run all scenarios whatever happens; this is the default.
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Print where the time goes: after each run, and in total.
    #[arg(long)]
    pub(crate) timings: bool,
    /// Print the whole timeline also for scenarios that pass.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// KVM or TCG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccelArg {
    /// KVM where it really runs guest code, else TCG.
    Auto,
    /// KVM, or an error.
    Kvm,
    /// QEMU's own translator: slower, works everywhere.
    Tcg,
}

/// Whose clock the guest goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimeArg {
    /// The host's: a second is a second. For demos, and for KVM.
    Real,
    /// The guest's: minutes in which it only waits pass in milliseconds. Under TCG only.
    Skip,
}

/// Arguments of `sansim replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The directory of a run in exact time, for instance sansim-runs/latest.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Stop the guest there: 1.2s, step:NAME, fault:NAME (a command was completed that this rule had a
    /// hand in), event:N (line N of events.ndjson), or verdict.
    ///
    /// It is told where the story stands, and Enter lets it go on, as if nothing had been. The guest is
    /// stopped when it next asks for the time at or after that point, or a few questions later; the story
    /// does not notice, and is compared as usual.
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<Until>,
    /// Open a port for gdb there, and print what to type. The story goes on when gdb detaches.
    ///
    /// Where the guest's modules are is found out by a run of its own, before.
    #[arg(long, requires = "until")]
    pub(crate) gdb: bool,
    /// Open a shell in the guest there. The replay ends with it: whoever looks into a guest changes its
    /// story.
    ///
    /// The guest's time goes on meanwhile, as fast as the host's. Programs are those of its userland:
    /// multipath, multipathd, dmsetup, sg3-utils, lsblk, dmesg, ….
    #[arg(long, requires = "until", conflicts_with_all = ["gdb", "fork"])]
    pub(crate) shell: bool,
    /// Go on from there with another story, too, which is the same until then; may be given several times.
    ///
    /// The guest is saved where it stands, and each story goes on from that in a run of its own, as if it
    /// had been run from its beginning with the same seed.
    #[arg(long, value_name = "FILE", requires = "until", conflicts_with = "gdb")]
    pub(crate) fork: Vec<PathBuf>,
    /// Run it again even if it cannot be the same: with another version of sansim or QEMU, on another
    /// image, or when its time was not exact.
    #[arg(long)]
    pub(crate) force: bool,
    /// Where run directories go.
    #[arg(long, value_name = "DIR", default_value = "sansim-runs")]
    pub(crate) out: PathBuf,
}

/// Arguments of `sansim check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Scenario files, or directories to search for them.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub(crate) paths: Vec<PathBuf>,
    /// Change a value of the scenario, for instance guest.multipath.pg_init_retries=3.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// The subcommands of `sansim image`.
#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// List the images, built or not.
    List,
    /// Build an image, or bring it up to date.
    Build {
        /// Its name.
        #[arg(default_value = "bookworm")]
        name: String,
    },
    /// Make an image with parts of yours: a kernel, tools, an initramfs.
    Add {
        /// A name for it.
        name: String,
        /// The image that the other parts are taken from.
        #[arg(long, value_name = "NAME", default_value = "bookworm")]
        image: String,
        #[command(flatten)]
        own: OwnArgs,
    },
    /// Remove an image and what was made from it.
    Remove {
        /// Its name.
        name: String,
    },
}

/// The subcommands of `sansim model`.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// List the models.
    List,
    /// Print the file of a model.
    Show {
        /// Its name.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
