//! Carries out acts in the guest.

use std::{path::Path, sync::Arc, time::Duration};

use sansim_array::Lun;
use sansim_lab::LabError;
use sansim_protocol::{Answer, Call, ProgramEnd, USERLAND, WorkloadReport};

use crate::{
    Act, Guest, Paths, Reinstate,
    fill::{Form, MapNames, fill},
    guest::unexpected,
};

/// The time limit of a call that only passes something to the agent.
const CALL: Duration = Duration::from_secs(30);

/// The result of an act.
#[derive(Debug)]
pub enum Brought {
    /// The act is done and has no result.
    Nothing,
    /// A program in the guest has ended.
    Ran(ProgramEnd),
    /// A workload has started.
    Started {
        /// The LUN that it runs on.
        lun: Lun,
    },
    /// A workload has stopped.
    Stopped {
        /// The LUN that it ran on.
        lun: Lun,
        /// The workload's report.
        report: Box<WorkloadReport>,
    },
}

/// The reason why an act failed.
enum Refused {
    Lab(LabError),
    Guest(String),
}

impl From<LabError> for Refused {
    fn from(error: LabError) -> Self {
        Refused::Lab(error)
    }
}

impl From<String> for Refused {
    fn from(why: String) -> Self {
        Refused::Guest(why)
    }
}

/// The parts of a stage that acts in the guest need.
pub(crate) struct Hands {
    pub(crate) guest: Guest,
    pub(crate) paths: Arc<Paths>,
    /// The default LUN of acts that do not name one.
    pub(crate) main_lun: Lun,
    pub(crate) map_names: MapNames,
    /// The run's seed.
    pub(crate) seed: u64,
}

/// The path for the agent of a file as the guest's programs see it. Their `/dev`, `/proc` and `/sys`
/// are the agent's own, for which no userland has to be mounted.
fn seen(path: String) -> String {
    let shared = ["/dev", "/proc", "/sys"].iter().any(|dir| Path::new(&path).starts_with(dir));
    if shared { path } else { format!("{USERLAND}{path}") }
}

impl Hands {
    /// Carries out an act in the guest, which can take long. Acts on the array are handled
    /// elsewhere.
    ///
    /// # Errors
    /// If the agent is gone or refuses, or the guest does not have such a disk.
    pub(crate) async fn perform(self, act: Act) -> Result<Brought, String> {
        self.ask(act).await.map_err(|refused| match refused {
            Refused::Lab(error) => error.to_string(),
            Refused::Guest(why) => why,
        })
    }

    async fn ask(&self, act: Act) -> Result<Brought, Refused> {
        match act {
            Act::Array(_) => Ok(Brought::Nothing),
            Act::Message { lun, text } => self.message(lun, text).await,
            Act::Reinstate { lun, paths } => {
                for nexus in self.paths.of(lun) {
                    let meant = match paths {
                        Reinstate::All => true,
                        Reinstate::Paths(pattern) => pattern.matches(nexus),
                    };
                    if let Some(disk) = self.paths.disk(nexus, lun).filter(|_| meant) {
                        self.message(lun, format!("reinstate_path {}", disk.dev)).await?;
                    }
                }
                Ok(Brought::Nothing)
            }
            Act::Run { argv, timeout } => self.run(argv, timeout).await,
            Act::Write { path, text } => {
                let path = fill(&path, Form::Name, &self.paths, &self.map_names, self.main_lun)?;
                self.guest.call(Call::WriteFile { path: seen(path), text }, CALL).await?;
                Ok(Brought::Nothing)
            }
            Act::StartWorkload(workload) => {
                let device = self.map_names.of(workload.lun);
                self.guest.start_workload(&workload, device, self.seed).await?;
                Ok(Brought::Started { lun: workload.lun })
            }
            Act::StopWorkload { lun } => {
                let lun = lun.unwrap_or(self.main_lun);
                let report = Box::new(self.guest.stop_workload(lun).await?);
                Ok(Brought::Stopped { lun, report })
            }
        }
    }

    async fn message(&self, lun: Lun, message: String) -> Result<Brought, Refused> {
        let call = Call::Message { map: self.map_names.of(lun), message };
        self.guest.call(call, CALL).await?;
        Ok(Brought::Nothing)
    }

    async fn run(&self, argv: Vec<String>, timeout: Duration) -> Result<Brought, Refused> {
        let filled =
            |word: &String| fill(word, Form::Path, &self.paths, &self.map_names, self.main_lun);
        let argv = argv.iter().map(filled).collect::<Result<_, _>>()?;
        let call = Call::Run { argv, timeout_ms: timeout.as_millis() as u64 };
        match self.guest.call(call, timeout + CALL).await? {
            Answer::Ran(end) => Ok(Brought::Ran(end)),
            other => Err(unexpected("Run", &other).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_where_programs_see_them() {
        let path = |path: &str| seen(path.to_owned());
        assert_eq!(path("/sys/block/sda/device/state"), "/sys/block/sda/device/state");
        assert_eq!(path("/proc/sys/vm/drop_caches"), "/proc/sys/vm/drop_caches");
        assert_eq!(path("/tmp/new"), "/userland/tmp/new");
        assert_eq!(path("/system"), "/userland/system");
    }
}
