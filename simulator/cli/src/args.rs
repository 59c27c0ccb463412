//! The command line.

mod explore;
mod import;
mod up;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

use sansim_language::value::TimeSpan;
use sansim_run::{Traffic, Until};

pub(crate) use self::explore::{CoverageArg, ExploreArgs};
pub(crate) use self::import::{ImportArgs, ImportCommand};
pub(crate) use self::up::{LabArgs, TourArgs, UpArgs};

use crate::{
    ctl::args::{CtlArgs, DownArgs},
    own::OwnArgs,
};

/// A full-system simulator of multipath SANs.
///
/// sansim boots a real Linux kernel in QEMU, attaches simulated disk arrays to it, and injects faults
/// into them. It then compares how the guest's dm-multipath and device handlers react with what a
/// scenario file expects.
///
/// A first run: `sansim doctor`, then `sansim run scenarios/rdac/pg-init-retry.toml`.
#[derive(Debug, Parser)]
#[command(name = "sansim", version = env!("SANSIM_VERSION"), after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to use colours in the output.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub(crate) color: Colour,
}

const EXIT_CODES: &str = "Exit codes: 0 every verdict is pass, known or skipped; 1 an expectation failed, \
something of a scenario tested nothing, a run was skipped in spite of --no-skip, or runs of --repeat in exact time \
differ; 2 the command line or a scenario is invalid; 3 the lab failed (no QEMU, no image, the guest did not boot or \
died, or --host-timeout was reached), or standard output cannot be written; 130 interrupted.";

const REPLAY_EXIT_CODES: &str = "Exit codes: 0 events.ndjson is identical; 1 it differs, or a fork fails; 2 the \
run directory cannot be used, a part that the run depends on has changed, or the story of a fork differs before the \
moment of --until; 3 the lab failed; 130 interrupted.";

const COVERAGE_EXIT_CODES: &str = "Exit codes: 0 done; 1 with --check, an aim is not reached, or a reason does not hold; \
2 a file cannot be used; 3 the result cannot be written.";

const COMPARE_EXIT_CODES: &str = "Exit codes: 0 nothing that tells something differs; 1 something differs; 2 a \
directory is none of a run; 3 the result cannot be written.";

const EXPLORE_EXIT_CODES: &str = "Exit codes: 0 nothing new was found; 1 something new was found; 2 the command line, a \
scenario or the memory is invalid, or a scenario breaks a law by itself; 3 the lab failed, or the memory cannot be \
written; 130 interrupted.";

const CTL_EXIT_CODES: &str = "Exit codes: 0 done, or the expectation was met; 1 the expectation was not met, or a step \
failed; 2 the lab does not understand or there is none; 3 the lab failed or has ended. `exec` and `shell` exit with \
the code of their program.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// Use colours on a terminal, unless NO_COLOR is set.
    Auto,
    /// Use colours even if the output is not a terminal.
    Always,
    /// Use no colours.
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios and report a verdict for each.
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Start a live lab: a SAN to look at, to touch and to break while it runs.
    ///
    /// sansim prints the address of the lab's page, and keeps it up until Ctrl-C or `sansim down`. `sansim ctl`
    /// does everything that the page does.
    Up(UpArgs),
    /// Start a guided tour: a live lab that shows a story with captions, for an audience.
    ///
    /// Without a name, the tours are listed. Each step waits for the space bar on the page, or for `sansim ctl tour
    /// next`; its caption says beforehand what is going to happen, and what to look at. The lab is a live lab all
    /// the time: whatever somebody asks can be tried, and the lab stays up when the tour has ended.
    ///
    /// The same files are scenarios in scenarios/tours, with expectations that `sansim run` decides.
    Tour(TourArgs),
    /// Repeat a run and compare its events byte for byte, or stop it at a chosen moment.
    ///
    /// Only a run in exact time can be repeated: under TCG, with one processor, in skipped time. The new run
    /// must give the same events.ndjson. With --until it stops at a moment of the story, with the guest paused:
    /// look at it with --gdb, open a shell in it with --shell, or continue with another story with --fork.
    #[command(after_help = REPLAY_EXIT_CODES)]
    Replay(ReplayArgs),
    /// Find stories that break a law, by chance, and make them short.
    ///
    /// A scenario says what is there; what may happen to it is in its table [explore], with good defaults. Thousands of
    /// schedules of faults come from one seed. In each story the laws are judged that hold for every SAN: no byte is
    /// wrong, no I/O fails while a path serves, everything is in service again when all is healed, and so on. What breaks
    /// one is cut down to the shortest scenario that still does, and written to the memory's directory with a page.
    ///
    /// The same seed finds the same, however many jobs there are. docs/exploring.md has the laws with their reasons.
    #[command(after_help = EXPLORE_EXIT_CODES)]
    Explore(ExploreArgs),
    /// Print what the programs of a run printed.
    Output(OutputArgs),
    /// Write a run as a trace for Perfetto (ui.perfetto.dev): Chrome trace events.
    Trace(TraceArgs),
    /// Make one file of a run, to be sent to somebody: report, trace, events, scenario, versions, and their hashes.
    ///
    /// Directories of yours are left out; only names of files stay. Look into it before you send it: what your scenario
    /// says is in it. `sansim replay FILE` runs it again.
    Bundle(BundleArgs),
    /// Control a lab that is running: look at it, break it, heal it.
    ///
    /// Whatever is not one of the commands below is a step in the words of the scenario language: `sansim ctl fail
    /// controller A`, `sansim ctl link down A0 hba0`.
    ///
    /// For completion in bash, with what the running lab knows: source <(COMPLETE=bash sansim)
    #[command(after_help = CTL_EXIT_CODES)]
    Ctl(CtlArgs),
    /// End a lab that is running.
    Down(DownArgs),
    /// Check scenario files for errors, without starting a guest.
    Check(CheckArgs),
    /// Compare two runs, or two suites: two kernels, two arrays, before and after a patch.
    ///
    /// The runs are aligned by what happened, not by when. Shown are what they are, counts and causes of the pause
    /// side by side, the first difference, what followed, expectations with another result, and what only one of the
    /// logs has. Of two suites (directories with runs), stories of one name are compared.
    #[command(after_help = COMPARE_EXIT_CODES)]
    Compare(CompareArgs),
    /// Make a scenario of what a reporter has sent: a sosreport, outputs of commands, a log.
    ///
    /// The scenario is checked before it is written. What the report does not tell is guessed, and every guess is a
    /// comment with its reason: read the file. Names, serial numbers, world-wide names and addresses are replaced,
    /// the same by the same everywhere, unless --keep-identity is given; host names are left out.
    Import {
        #[command(subcommand)]
        command: ImportCommand,
    },
    /// Show, join and check the coverage that `sansim run --coverage` has written.
    ///
    /// Prints how many blocks of each module were executed, and how many lines of source if there is debug information.
    /// docs/coverage.md says what a block and a line is.
    #[command(after_help = COVERAGE_EXIT_CODES)]
    Coverage(CoverageArgs),
    /// List, build, add or remove guest images.
    Image {
        #[command(subcommand)]
        command: ImageCommand,
    },
    /// List the array models, or print one as a start for your own.
    Model {
        #[command(subcommand)]
        command: ModelCommand,
    },
    /// Report what is missing on this host, and the command that installs it.
    Doctor,
    /// Print the JSON Schema of scenario files, for completion and checks in an editor.
    Schema(SchemaArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Print the reference of the scenario language, as a Markdown page, instead of the schema.
    #[arg(long)]
    pub(crate) reference: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Scenario files, or directories to search for *.toml files, with their subdirectories.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub(crate) paths: Vec<PathBuf>,
    /// Run on this guest image instead of the scenario's, for instance bookworm (see `sansim image list`).
    /// Repeat the option to run on several images.
    #[arg(long, value_name = "NAME")]
    pub(crate) image: Vec<String>,
    #[command(flatten)]
    pub(crate) own: OwnArgs,
    /// Seed for the workload and everything else that is random [default: the scenario's `seed`, or
    /// a new one for each scenario].
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Override a value of the scenario, for instance guest.multipath.pg_init_retries=3. Repeat the option
    /// for more values.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Run each scenario N times with the same seed, and compare the runs.
    ///
    /// In skipped time, the events.ndjson files must be identical: if not, sansim explains the first byte
    /// that differs, and the exit code is 1 even if every verdict is pass. In real time, sansim reports how
    /// far the commands and events of the runs agree, ignoring times; differences are normal there, and do
    /// not change the exit code.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeat: u32,
    /// Number of runs at the same time; sansim starts fewer if the host lacks memory.
    #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// How QEMU runs the guest's code; auto uses KVM only after a test that it works.
    #[arg(long, value_enum, default_value_t = AccelArg::Auto, value_name = "ACCEL")]
    pub(crate) accel: AccelArg,
    /// What drives the guest's clock: the host (real), or the guest's instructions (skip): idle time is
    /// then skipped. `skip` needs TCG and a guest with one processor [default: skip where possible, else
    /// real].
    #[arg(long, value_enum, value_name = "CLOCK")]
    pub(crate) time: Option<TimeArg>,
    /// Boot the guest instead of restoring it from a template or a checkpoint; slower, with the same events.
    #[arg(long)]
    pub(crate) cold: bool,
    /// How long a run may take of the host's time, for instance 90s or 10m. It then ends with the verdict
    /// error, and keeps its console and events.
    ///
    /// A program in the guest that never idles, or a flood on its console, lets the guest's time pass slowly
    /// or not at all. Runs that somebody looks at (--hold-on-fail, --hold-at) have no bound.
    #[arg(long, value_name = "DURATION", default_value_t = HOST_TIMEOUT, value_parser = host_timeout)]
    pub(crate) host_timeout: TimeSpan,
    /// Directory for the run directories; it is created if missing.
    #[arg(long, value_name = "DIR", default_value = "sansim-runs")]
    pub(crate) out: PathBuf,
    /// Write a JUnit XML report to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write the verdicts as KTAP, the format of the kernel's own tests, to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) ktap: Option<PathBuf>,
    /// Write the outcome of each scenario, by device handler, as Markdown tables (like docs/library.md).
    #[arg(long, value_name = "FILE")]
    pub(crate) table: Option<PathBuf>,
    /// Write which code of dm-multipath, the device handlers and the path selectors the guests have executed to this
    /// directory: index.html to look at, coverage.ndjson for programs. The stories stay the same. TCG only.
    ///
    /// Guests then have templates and checkpoints of their own, so that what they execute before their story begins
    /// is counted, too.
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, default_missing_value = COVERAGE,
        conflicts_with_all = ["bisect", "hold_on_fail", "hold_at"])]
    pub(crate) coverage: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Write the SAN's traffic to capture.pcapng in each run's directory, for Wireshark: every command and task
    /// management function as iSCSI, an interface a path, with the times of events.ndjson. The story stays the same.
    ///
    /// `headers` has CDBs, status and sense data; `data` also has the first 4 KiB of what each command transfers. A
    /// file ends at 512 MiB, and says so.
    #[arg(long, value_name = "WHAT", value_enum, num_args = 0..=1, require_equals = true,
        default_missing_value = "headers", conflicts_with_all = ["hold_on_fail", "hold_at"])]
    pub(crate) capture: Option<TrafficArg>,
    /// Bisect the images: find the first kernel, from oldest to newest, with a different verdict.
    ///
    /// Give at least two images, for instance `--image bookworm --image trixie`. sansim sorts them by kernel
    /// version, runs each scenario on the oldest and on the newest, and if the verdicts differ, on as few as
    /// possible in between.
    #[arg(long, requires = "image", conflicts_with_all = ["repeat", "fail_fast", "json"])]
    pub(crate) bisect: bool,
    /// Write the verdicts that differ between images, as a Markdown table.
    #[arg(long, value_name = "FILE", requires = "image")]
    pub(crate) matrix: Option<PathBuf>,
    /// Print each event as one line of JSON on standard output, and nothing else there.
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with 1 if any run is skipped: the guest lacks a module or a program that the scenario needs.
    #[arg(long)]
    pub(crate) no_skip: bool,
    /// Start no more runs after the first verdict of fail or error.
    #[arg(long, conflicts_with = "keep_going")]
    pub(crate) fail_fast: bool,
    /// Run all scenarios, even if some fail. This is the default.
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Open a live lab when an expectation fails, instead of ending the run.
    ///
    /// The guest stands still in it, until `sansim ctl time resume`: look at it with the page, `sansim ctl` and a
    /// shell. The run then ends with the lab (Ctrl-C, `sansim down`), without a verdict and with exit code 1. For a
    /// single run.
    #[arg(long, conflicts_with_all = ["hold_at", "bisect", "repeat"])]
    pub(crate) hold_on_fail: bool,
    /// Open a live lab at this moment, instead of going on with the run: 12s (time since the story began),
    /// step:NAME, fault:NAME, event:N, or verdict. See --hold-on-fail.
    #[arg(long, value_name = "WHEN", conflicts_with_all = ["bisect", "repeat"])]
    pub(crate) hold_at: Option<Until>,
    /// Print the time spent in each phase, after each run and in total.
    #[arg(long)]
    pub(crate) timings: bool,
    /// Print the full timeline of every run, even if it passes [default: only for a single run, or one that
    /// fails].
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// The directory of the coverage if none is named.
const COVERAGE: &str = "sansim-coverage";

impl RunArgs {
    /// The options of `sansim run` for these files, with nothing else said.
    fn of(paths: Vec<PathBuf>, out: PathBuf) -> RunArgs {
        RunArgs {
            host_timeout: HOST_TIMEOUT,
            paths,
            image: Vec::new(),
            own: OwnArgs::default(),
            seed: None,
            set: Vec::new(),
            accel: AccelArg::Auto,
            time: None,
            cold: false,
            out,
            repeat: 1,
            jobs: 1,
            junit: None,
            ktap: None,
            table: None,
            coverage: None,
            source: SourceArgs::default(),
            capture: None,
            bisect: false,
            hold_on_fail: false,
            hold_at: None,
            matrix: None,
            json: false,
            no_skip: false,
            fail_fast: false,
            keep_going: false,
            timings: false,
            verbose: false,
        }
    }
}

/// How long a run may take of the host's time if nothing is said.
pub(crate) const HOST_TIMEOUT: TimeSpan = TimeSpan(Duration::from_secs(300));

/// A bound of the host's time. One of less than a second would end every run.
fn host_timeout(text: &str) -> Result<TimeSpan, String> {
    let span: TimeSpan = text.parse()?;
    match (1..=99 * 3600).contains(&span.0.as_secs()) {
        true => Ok(span),
        false => Err(format!("{text:?} is out of range: write 1s to 99h")),
    }
}

/// How QEMU runs the guest's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccelArg {
    /// KVM if a test guest runs under it, else TCG.
    Auto,
    /// KVM; an error if it does not work.
    Kvm,
    /// QEMU's Tiny Code Generator: slower, works everywhere.
    Tcg,
}

/// What a capture has of each command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TrafficArg {
    /// CDBs, status and sense data.
    Headers,
    /// Also the first 4 KiB of the data.
    Data,
}

impl From<TrafficArg> for Traffic {
    fn from(arg: TrafficArg) -> Self {
        match arg {
            TrafficArg::Headers => Traffic::Headers,
            TrafficArg::Data => Traffic::Data,
        }
    }
}

/// What drives the guest's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimeArg {
    /// The host's clock: one second takes one second. For demos, and for KVM.
    Real,
    /// The guest's instruction count: minutes of waiting pass in milliseconds. TCG only.
    Skip,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Directory of the run to repeat, for instance sansim-runs/latest, or a bundle. The run must be in exact time.
    #[arg(value_name = "RUN|BUNDLE")]
    pub(crate) run: PathBuf,
    /// Stop the run at this moment, with the guest paused: 1.2s (time since the story began), step:NAME
    /// (after this step), fault:NAME (after a command that this fault rule affected), event:N (line N of
    /// events.ndjson), failure (an expectation has failed), or verdict (the end of the story).
    ///
    /// sansim prints the state of the story; press Enter to continue. The guest stops at its first clock
    /// request at or after that moment, or a few requests later. The pause does not change the story, which
    /// is compared as usual.
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<Until>,
    /// Open a port for gdb at that moment, and print the gdb commands to use. The story continues when gdb
    /// detaches.
    ///
    /// A separate run, before this one, finds the addresses of the guest's kernel modules.
    #[arg(long, requires = "until")]
    pub(crate) gdb: bool,
    /// Open a shell in the guest at that moment. The replay ends with the shell, because commands in the
    /// guest change its story.
    ///
    /// The guest's clock then runs at the speed of the host's. The shell has the programs of the guest's
    /// userland: multipath, multipathd, dmsetup, sg3-utils, lsblk, dmesg, …. Leave it with `exit` or Ctrl-].
    #[arg(long, requires = "until", conflicts_with_all = ["gdb", "fork"])]
    pub(crate) shell: bool,
    /// Also continue from that moment with the story of another scenario file. Repeat the option for more
    /// files.
    ///
    /// Up to that moment the other story must be the same as this one. sansim saves the guest there; each
    /// story continues from the saved guest in its own run, with the same events as a run from the beginning
    /// with the same seed.
    #[arg(long, value_name = "FILE", requires = "until", conflicts_with = "gdb")]
    pub(crate) fork: Vec<PathBuf>,
    /// Write the SAN's traffic to capture.pcapng, as `sansim run --capture` does. If the result is identical, the file
    /// is put into the directory of RUN, too, if that has none: `sansim bundle` then has it.
    #[arg(long, value_name = "WHAT", value_enum, num_args = 0..=1, require_equals = true,
        default_missing_value = "headers", conflicts_with_all = ["shell", "fork"])]
    pub(crate) capture: Option<TrafficArg>,
    /// Repeat the run even if the result may differ: if the version of sansim or QEMU or the image has
    /// changed, or if the run was not in exact time.
    #[arg(long)]
    pub(crate) force: bool,
    /// Directory for the run directories; it is created if missing.
    #[arg(long, value_name = "DIR", default_value = "sansim-runs")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Directory of a run, or of a suite's runs.
    #[arg(value_name = "RUN")]
    pub(crate) a: PathBuf,
    /// Directory of the other.
    #[arg(value_name = "RUN")]
    pub(crate) b: PathBuf,
    /// Also write the comparison to this file, as a page.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Print the comparison as JSON, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Directory of the run, for instance sansim-runs/latest.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// The step whose program is meant; without it, the programs of the run are listed.
    #[arg(value_name = "STEP")]
    pub(crate) step: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// Directory of the run, for instance sansim-runs/latest.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Write the trace to this file; `-` is standard output [default: trace.json in the run's directory].
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BundleArgs {
    /// Directory of the run, for instance sansim-runs/latest.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// The file [default: the run's name and .sansim.tar.gz, in this directory].
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// What makes lines of source of the blocks of a coverage.
#[derive(Debug, Default, Args)]
pub(crate) struct SourceArgs {
    /// Name the lines of source of the coverage, by debug information of the kernels' modules. PATH is a debug package as
    /// downloaded (linux-image-RELEASE-dbg), a directory in which it was unpacked, or the tree in which the kernel was
    /// built. Repeat the option for several kernels.
    #[arg(long, value_name = "PATH")]
    pub(crate) debug: Vec<PathBuf>,
    /// Show the source beside the coverage's lines. PATH is the top of the kernel's source tree, an archive of it
    /// (linux-source-6.1.tar.xz), or the package with the archive. Repeat the option for several kernels.
    #[arg(long, value_name = "PATH")]
    pub(crate) source: Vec<PathBuf>,
}

impl SourceArgs {
    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        self.debug.is_empty() && self.source.is_empty()
    }
}

#[derive(Debug, Args)]
pub(crate) struct CoverageArgs {
    /// Directories that `sansim run --coverage` has written. The coverage of several is joined.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) dirs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Write the joined coverage to this directory: index.html and coverage.ndjson.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 1 if a module's aim is not reached, or if a reason why a block cannot be executed does not hold.
    #[arg(long)]
    pub(crate) check: bool,
    /// Print each block that was not executed, and for which there is no reason.
    #[arg(long)]
    pub(crate) open: bool,
    /// Your own table of aims and reasons, in place of the one for sansim's library of scenarios.
    #[arg(long, value_name = "FILE")]
    pub(crate) reasons: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Scenario files, or directories to search for *.toml files, with their subdirectories.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub(crate) paths: Vec<PathBuf>,
    /// Override a value of the scenario, for instance guest.multipath.pg_init_retries=3. Repeat the option
    /// for more values.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// List the images with kernel, size and description, built or not.
    List,
    /// Build an image, or update it.
    Build {
        /// Name of the image; see `sansim image list`.
        #[arg(default_value = "bookworm")]
        name: String,
    },
    /// Make an image with your own parts: a kernel, a userland, an initramfs.
    Add {
        /// Name for the new image, to be used with --image.
        name: String,
        /// Image that provides the other parts.
        #[arg(long, value_name = "NAME", default_value = "bookworm")]
        image: String,
        #[command(flatten)]
        own: OwnArgs,
    },
    /// Remove an image, with its templates and checkpoints.
    Remove {
        /// Name of the image; see `sansim image list`.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// List the models, each with a description.
    List,
    /// Print a model's file. Copy it to start your own model.
    Show {
        /// Name of the model; see `sansim model list`.
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
