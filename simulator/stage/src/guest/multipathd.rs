//! multipathd as the manager of the maps: its configuration, the maps that it builds, and the state
//! that it reports.

use std::time::Duration;

use sansim_array::{Array, Lun};
use sansim_lab::{Keeper, LabError};
use sansim_protocol::{Answer, Call, Ended, MapStatus, USERLAND};

use super::{Guest, Paths, unexpected};
use crate::{Multipathd, Setup, StageError, event::What};

/// The file that sets the names of the maps. multipathd reads it after multipath.conf
/// (multipath.conf(5), config_dir).
const ALIASES: &str = "/etc/multipath/conf.d/sansim.conf";
/// The file with the known LUNs, as written by `multipath -a`. A distribution's default can be to
/// ignore other LUNs (multipath.conf(5), find_multipaths).
const WWIDS: &str = "/etc/multipath/wwids";

/// The interval at which a map is polled, in guest time.
const LOOK: Duration = Duration::from_millis(100);
/// The number of polls without a new map after which no further map is waited for.
pub(crate) const PATIENCE: u32 = 600;
/// Polls from one look at all maps to the next, while the map of a LUN is not there by its name.
const SELDOM: u32 = 10;
/// The number of polls without a change after which an incomplete map is accepted.
const STEADY: u32 = 30;

/// The time limit of a multipathd command.
const COMMAND: Duration = Duration::from_secs(30);

impl Guest {
    /// Writes the configuration of multipathd, before any path exists, and has it read. What
    /// multipathd does not accept of multipath.conf it says in its log. Returns its answer if it does
    /// not do as it is told.
    ///
    /// # Errors
    /// `NewerTools` if multipath.conf has a keyword that only newer multipath-tools know; if the agent
    /// does not answer.
    pub async fn configure_multipathd(
        &self,
        multipathd: &Multipathd,
        array: &Array,
    ) -> Result<Option<String>, StageError> {
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
        Ok(self.ask_multipathd(&["reconfigure"]).await?.err())
    }

    async fn write_etc(&self, path: &str, text: String) -> Result<(), LabError> {
        let path = format!("{USERLAND}{path}");
        self.call(Call::WriteFile { path, text }, COMMAND).await.map(drop)
    }

    /// Has `multipath -t` parse the configuration, as multipathd will. It is taken as multipathd takes
    /// it; only what needs newer tools cannot be told here.
    async fn judge_configuration(&self) -> Result<(), StageError> {
        let (_, _, said) = self.tool(&["multipath", "-t"]).await?;
        match said.lines().find_map(newer_keyword) {
            Some(keyword) => Err(StageError::NewerTools(keyword)),
            None => Ok(()),
        }
    }

    /// Runs a `multipathd` command. Returns its output, or what it says if it fails.
    async fn ask_multipathd(&self, command: &[&str]) -> Result<Result<String, String>, LabError> {
        let argv = [&["multipathd"], command].concat();
        Ok(match self.tool(&argv).await? {
            (Ended::Code(0), answer, _) => Ok(answer),
            (ended, answer, said) => {
                let said = format!("{answer}{said}");
                Err(format!("`multipathd {}`: {ended}: {}", command.join(" "), said.trim()))
            }
        })
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

    /// Waits until udevd has processed what it has to, as long as udevadm does.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub async fn settle_udev(&self) -> Result<(), LabError> {
        self.tool(&["udevadm", "settle"]).await.map(drop)
    }

    /// Runs a program of the userland and returns how it ended, standard output and standard error.
    async fn tool(&self, argv: &[&str]) -> Result<(Ended, String, String), LabError> {
        let argv = argv.iter().map(|&word| word.to_owned()).collect();
        let call = Call::Run { argv, timeout_ms: COMMAND.as_millis() as u64 };
        match self.call(call, COMMAND * 2).await? {
            Answer::Ran(end) => Ok((end.ended, end.stdout, end.stderr)),
            other => Err(unexpected("Run", &other)),
        }
    }

    /// Waits until multipathd has built the map of a LUN with all its disks, or with those that it
    /// chooses to use. `patience` is how many looks are left; a map that has come gives new ones.
    /// `None` if there is no map.
    ///
    /// # Errors
    /// If the guest or the agent fails.
    pub async fn await_map(
        &self,
        lun: Lun,
        paths: &Paths,
        patience: &mut u32,
        keeper: &mut Keeper,
    ) -> Result<Option<MapStatus>, StageError> {
        let expected = paths.of(lun).len();
        let mut name = Setup::map_name(lun);
        let mut last: Option<MapStatus> = None;
        let mut steady = 0;
        loop {
            let status = keeper.drive(self.status(&name)).await??;
            steady = if status.is_some() && status == last { steady + 1 } else { 0 };
            last = status;
            let is_complete = |status: &MapStatus| status.paths().count() == expected;
            if last.as_ref().is_some_and(is_complete) || steady == STEADY {
                *patience = PATIENCE;
                return Ok(last);
            }
            if *patience == 0 || expected == 0 {
                return Ok(last);
            }
            if last.is_none() && patience.is_multiple_of(SELDOM) {
                // multipathd may call it otherwise.
                let maps = keeper.drive(self.maps()).await??;
                let has_disk = |map: &&MapStatus| {
                    let mut places = map.paths().filter_map(|path| paths.place(&path.dev));
                    places.any(|(_, of)| of == lun)
                };
                name = maps.iter().find(has_disk).map_or(name, |map| map.map.clone());
            }
            *patience -= 1;
            keeper.sleep(LOOK).await?;
        }
    }

    /// What multipathd says of the paths of a LUN that has no map, in a line.
    ///
    /// # Errors
    /// If the guest or the agent fails.
    pub async fn why_no_map(
        &self,
        lun: Lun,
        paths: &Paths,
        keeper: &mut Keeper,
    ) -> Result<String, StageError> {
        let states = ["show", "paths", "format", "%d %t %T"];
        let shown = keeper.drive(self.ask_multipathd(&states)).await??;
        let shown = match shown {
            Ok(shown) => shown,
            Err(why) => {
                return Ok(format!("multipathd has built none, and does not answer: {why}"));
            }
        };
        let disks = paths.of(lun).into_iter().filter_map(|nexus| paths.disk(nexus, lun));
        let disks: Vec<&str> = disks.map(|disk| disk.name.as_str()).collect();
        let known = shown.lines().filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.first().filter(|name| disks.contains(name)).map(|_| words.join(" "))
        });
        let known: Vec<String> = known.collect();
        Ok(match (disks.is_empty(), known.is_empty()) {
            (true, _) => "multipathd has built none: there are no disks of it".to_owned(),
            (false, true) => {
                "multipathd has built none: it has none of its disks as paths".to_owned()
            }
            (false, false) => {
                format!("multipathd has built none of its paths: {}", known.join(", "))
            }
        })
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

    /// The maps as multipathd reports them, or why it does not.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub async fn multipathd_view(&self) -> Result<What, LabError> {
        let view = self.ask_multipathd(&["show", "maps", "json"]).await?;
        Ok(match view {
            Ok(text) => {
                let view = serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
                What::Multipathd { view, error: None }
            }
            Err(why) => What::Multipathd { view: serde_json::Value::Null, error: Some(why) },
        })
    }
}

/// Parses the version in the first line of multipath's help: `multipath-tools v0.9.4 (…)`.
fn tools_version(help: &str) -> Option<String> {
    let (_, version) = help.split_once("multipath-tools v")?;
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    Some(version[..end].to_owned()).filter(|version| !version.is_empty())
}

fn aliases(wwids: &[(Lun, String)]) -> String {
    let mut text = "multipaths {\n".to_owned();
    for (lun, wwid) in wwids {
        let alias = Setup::map_name(*lun);
        text += &format!("\tmultipath {{\n\t\twwid {wwid}\n\t\talias {alias}\n\t}}\n");
    }
    text + "}\n"
}

/// Keywords of multipath.conf, each with the first version of multipath-tools that has it (their release
/// notes).
const NEWER_KEYWORDS: [(&str, &str); 4] = [
    ("detect_pgpolicy", "0.9.6"),
    ("detect_pgpolicy_use_tpg", "0.9.6"),
    ("auto_resize", "0.9.7"),
    ("max_retries", "0.9.7"),
];

/// The keyword that multipath-tools complain of in this line, if newer ones have it, with the version
/// that has.
fn newer_keyword(line: &str) -> Option<String> {
    // "invalid keyword: max_retries", or "invalid keyword in the defaults section: max_retries".
    let (_, keyword) = line.split_once("invalid keyword")?.1.split_once(": ")?;
    let keyword = keyword.trim();
    let (keyword, since) = NEWER_KEYWORDS.iter().find(|(known, _)| *known == keyword)?;
    Some(format!("`{keyword}` of multipath.conf needs multipath-tools {since}"))
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
    fn a_keyword_of_newer_tools_is_told_from_one_that_none_has() {
        let line =
            |keyword| format!("1.2 | /etc/multipath.conf line 2, invalid keyword: {keyword}");
        let needs = "`auto_resize` of multipath.conf needs multipath-tools 0.9.7";
        assert_eq!(newer_keyword(&line("auto_resize")).as_deref(), Some(needs));
        let section =
            "/etc/multipath.conf line 2, invalid keyword in the defaults section: auto_resize";
        assert_eq!(newer_keyword(section).as_deref(), Some(needs));
        assert_eq!(newer_keyword(&line("pg_inut_retries")), None);
        assert_eq!(newer_keyword("\tauto_resize never"), None);
    }

    #[test]
    fn maps_are_called_after_their_luns() {
        let text = aliases(&[(Lun(7), "3600".to_owned())]);
        assert_eq!(text, "multipaths {\n\tmultipath {\n\t\twwid 3600\n\t\talias lun7\n\t}\n}\n");
    }
}
