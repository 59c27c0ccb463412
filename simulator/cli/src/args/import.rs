//! The arguments of `sansim import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Make a scenario of a sosreport, or of single outputs: the SAN as it was, with the report's multipath.conf.
    ///
    /// Read are: multipath -ll (of all generations, -v4 too), multipathd show config, multipathd show maps json,
    /// multipath.conf, dmsetup table and status, lsscsi, /proc/scsi/scsi, sg_inq, sg_vpd and sg_rtpg (decoded or as
    /// bytes), uname, and lists of packages. What a file is, its content tells.
    Sosreport(ReportArgs),
    /// Make a scenario of a log of a failover: its events become steps and fault rules, each with its lines.
    ///
    /// Lines of the kernel and of multipathd are read, with times as syslog, journalctl and dmesg write them. What the
    /// log does not tell of the SAN comes from the other files of the report.
    Log(LogArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The report: a directory, a tar file (gzip, xz or zstd), or files with outputs of commands.
    #[arg(required = true, value_name = "DIR|TAR|FILE")]
    pub(crate) report: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) import: ImportArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// The log.
    #[arg(value_name = "FILE")]
    pub(crate) log: PathBuf,
    /// The rest of the report: a sosreport, or files with outputs of commands. Without it, the SAN is what the log
    /// tells.
    #[arg(value_name = "DIR|TAR|FILE")]
    pub(crate) report: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) import: ImportArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Write the scenario to this file; `-` is standard output.
    #[arg(long, short, value_name = "FILE", default_value = "imported.toml")]
    pub(crate) out: PathBuf,
    /// Replace the file if it exists.
    #[arg(long)]
    pub(crate) force: bool,
    /// Leave names, serial numbers and world-wide names as they are.
    #[arg(long)]
    pub(crate) keep_identity: bool,
    /// The most LUNs that the scenario gets; a report can have hundreds, and each has its paths.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) luns: u16,
}
