//! multipathd as the manager of the maps: its configuration, the maps that it builds, and the state
//! that it reports.

use std::time::Duration;

use sansim_array::{Array, Lun};
use sansim_lab::{Keeper, LabError};
use sansim_protocol::{Answer, Call, MapStatus, USERLAND};

use super::{Guest, unexpected};
use crate::{Multipathd, Setup, StageError};

/// The file that sets the names of the maps. multipathd reads it after multipath.conf
/// (multipath.conf(5), config_dir).
const ALIASES: &str = "/etc/multipath/conf.d/sansim.conf";
/// The file with the known LUNs, as written by `multipath -a`. A distribution's default can be to
/// ignore other LUNs (multipath.conf(5), find_multipaths).
const WWIDS: &str = "/etc/multipath/wwids";

/// The interval at which a map is polled, in guest time.
const LOOK: Duration = Duration::from_millis(100);
const PATIENCE: u32 = 600;
/// The number of polls without a change after which an incomplete map is accepted.
const STEADY: u32 = 30;

/// The time limit of a multipathd command.
const COMMAND: Duration = Duration::from_secs(30);

impl Guest {
    /// Writes the configuration of multipathd, before any path exists.
    ///
    /// # Errors
    /// `Unready` with multipathd's messages if it does not accept multipath.conf.
    pub async fn configure_multipathd(
        &self,
        multipathd: &Multipathd,
        array: &Array,
    ) -> Result<(), StageError> {
        let mut wwids: Vec<(Lun, String)> = Vec::new();
        for lun in array.luns() {
            // Two LUNs can have one WWID. multipathd makes one map of them, with the first one's name.
            let wwid = array.wwid(lun).filter(|wwid| wwids.iter().all(|(_, it)| it != wwid));
            wwids.extend(wwid.map(|wwid| (lun, wwid)));
        }
        let known: String = wwids.iter().map(|(_, wwid)| format!("/{wwid}/\n")).collect();
        self.write_etc(WWIDS, format!("# Valid WWIDs:\n{known}")).await?;
        self.write_etc(ALIASES, aliases(&wwids)).await?;
        if let Some(conf) = &multipathd.conf {
            self.write_etc("/etc/multipath.conf", conf.clone()).await?;
            self.judge_configuration().await?;
        }
        self.ask_multipathd(&["reconfigure"]).await.map(drop)
    }

    async fn write_etc(&self, path: &str, text: String) -> Result<(), LabError> {
        let path = format!("{USERLAND}{path}");
        self.call(Call::WriteFile { path, text }, COMMAND).await.map(drop)
    }

    /// Checks the configuration with `multipath -t`, which parses it as multipathd will, and
    /// returns its complaints as an error.
    async fn judge_configuration(&self) -> Result<(), StageError> {
        let (_, _, said) = self.tool(&["multipath", "-t"]).await?;
        let complaints: Vec<&str> =
            said.lines().filter(|line| is_complaint(line)).map(str::trim).collect();
        match complaints.is_empty() {
            true => Ok(()),
            false => Err(StageError::Unready(format!(
                "multipathd does not accept multipath.conf:\n{}",
                complaints.join("\n")
            ))),
        }
    }

    /// Runs a `multipathd` command and returns its output.
    async fn ask_multipathd(&self, command: &[&str]) -> Result<String, StageError> {
        let argv = [&["multipathd"], command].concat();
        match self.tool(&argv).await? {
            (Some(0), answer, _) => Ok(answer),
            (_, answer, said) => Err(StageError::Unready(format!(
                "`multipathd {}` failed: {answer}{said}",
                command.join(" ")
            ))),
        }
    }

    /// The version of multipath-tools in the guest; `None` if they are not installed.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub async fn multipath_tools(&self) -> Result<Option<String>, LabError> {
        match self.tool(&["multipath", "-h"]).await {
            Ok((_, stdout, stderr)) => Ok(tools_version(&stdout).or(tools_version(&stderr))),
            Err(LabError::AgentFailed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Runs a program of the userland and returns the exit code, standard output and standard
    /// error.
    async fn tool(&self, argv: &[&str]) -> Result<(Option<i32>, String, String), LabError> {
        let argv = argv.iter().map(|&word| word.to_owned()).collect();
        let call = Call::Run { argv, timeout_ms: COMMAND.as_millis() as u64 };
        match self.call(call, COMMAND * 2).await? {
            Answer::Ran { code, stdout, stderr } => Ok((code, stdout, stderr)),
            other => Err(unexpected("Run", &other)),
        }
    }

    /// Waits until multipathd has built the map of a LUN with all its paths, or with the paths that
    /// it chooses to use.
    ///
    /// # Errors
    /// `Unready` with what multipathd reports about the paths, if there is no map.
    pub async fn await_map(
        &self,
        setup: &Setup,
        lun: Lun,
        keeper: &mut Keeper,
    ) -> Result<MapStatus, StageError> {
        let map = Setup::map_name(lun);
        let expected: usize = setup.path_groups(lun).iter().map(Vec::len).sum();
        let mut last: Option<MapStatus> = None;
        let mut steady = 0;
        for _ in 0..PATIENCE {
            let status = keeper.drive(self.status(&map)).await??;
            steady = if status.is_some() && status == last { steady + 1 } else { 0 };
            match status {
                Some(status) if paths(&status) == expected || steady == STEADY => {
                    return Ok(status);
                }
                status => last = status,
            }
            keeper.sleep(LOOK).await?;
        }
        let shown = keeper.drive(self.ask_multipathd(&["show", "paths"])).await??;
        Err(StageError::Unready(format!(
            "multipathd has built no map {map}; its paths are:\n{shown}"
        )))
    }

    /// The status of a map, or `None` if there is no map of that name yet.
    async fn status(&self, map: &str) -> Result<Option<MapStatus>, LabError> {
        let call = Call::Status { map: map.to_owned() };
        match self.call(call, COMMAND).await {
            Ok(Answer::Map(status)) => Ok(Some(status)),
            Ok(other) => Err(unexpected("Status", &other)),
            Err(LabError::AgentFailed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The maps as multipathd reports them, in JSON.
    ///
    /// # Errors
    /// If multipathd does not answer.
    pub async fn multipathd_view(&self) -> Result<serde_json::Value, StageError> {
        let text = self.ask_multipathd(&["show", "maps", "json"]).await?;
        Ok(serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text)))
    }
}

/// Parses the version in the first line of multipath's help: `multipath-tools v0.9.4 (…)`.
fn tools_version(help: &str) -> Option<String> {
    let (_, version) = help.split_once("multipath-tools v")?;
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    Some(version[..end].to_owned()).filter(|version| !version.is_empty())
}

fn paths(status: &MapStatus) -> usize {
    status.groups.iter().map(|group| group.paths.len()).sum()
}

fn aliases(wwids: &[(Lun, String)]) -> String {
    let mut text = "multipaths {\n".to_owned();
    for (lun, wwid) in wwids {
        let alias = Setup::map_name(*lun);
        text += &format!("\tmultipath {{\n\t\twwid {wwid}\n\t\talias {alias}\n\t}}\n");
    }
    text + "}\n"
}

/// Whether multipath-tools complain in this line. They report file and line of what they cannot
/// parse, and continue without it.
fn is_complaint(line: &str) -> bool {
    line.contains("multipath.conf line ") && !line.contains("deprecated")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_in_the_first_line_of_the_help() {
        let version = |help| tools_version(help).unwrap_or_default();
        assert_eq!(version("multipath-tools v0.9.4 (11/13, 2022)\nUsage:\n"), "0.9.4");
        assert_eq!(version("multipath-tools v0.11"), "0.11");
        assert_eq!(version("sh: multipath: not found"), "");
        assert_eq!(version("multipath-tools v"), "");
    }

    #[test]
    fn a_complaint_is_told_from_the_configuration_that_is_shown() {
        let complaint = "0.1 | /etc/multipath.conf line 2, invalid keyword: pg_inut_retries";
        assert!(is_complaint(complaint));
        assert!(!is_complaint("\tpg_init_retries 5"));
        assert!(!is_complaint("/etc/multipath.conf line 2, 'disable' is deprecated"));
    }

    #[test]
    fn maps_are_called_after_their_luns() {
        let text = aliases(&[(Lun(7), "3600".to_owned())]);
        assert_eq!(text, "multipaths {\n\tmultipath {\n\t\twwid 3600\n\t\talias lun7\n\t}\n}\n");
    }
}
