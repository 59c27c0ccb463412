//! From a running machine to multipath maps: modules, discovery, tables.

use std::{collections::BTreeMap, time::Duration};

use sansim_array::{Array, Lun, Nexus};
use sansim_lab::{AgentLink, LabError, hba_address};
use sansim_protocol::{
    Answer, Call, Disk, MapSpec, MapStatus, PathAddress, Sent, TargetAddress, WorkloadReport,
    WorkloadSpec,
};

use crate::{Setup, Workload};

mod multipathd;

/// How long discovery may take. A cold guest under TCG with dozens of LUNs needs some seconds.
const DISCOVERY: Duration = Duration::from_secs(60);

/// How long I/O in flight may take to complete when the workload is stopped.
const DRAIN: Duration = Duration::from_secs(10);

/// The guest's side of the SAN: which disk is which path.
#[derive(Debug, Default)]
pub struct Paths {
    disks: Vec<Disk>,
    by_dev: BTreeMap<String, (Nexus, Lun)>,
}

impl Paths {
    fn new(setup: &Setup, disks: Vec<Disk>) -> Self {
        Paths::default().with(setup, disks)
    }

    /// The same with the disks that there are now. A `major:minor` of one that is gone is still known, as
    /// a map may have it yet.
    pub fn with(&self, setup: &Setup, disks: Vec<Disk>) -> Self {
        let mut by_dev = self.by_dev.clone();
        for nexus in setup.nexuses() {
            let target = target_address(setup, nexus);
            for disk in disks.iter().filter(|disk| disk.path.target == target) {
                by_dev.insert(disk.dev.clone(), (nexus, Lun(disk.path.lun)));
            }
        }
        Paths { disks, by_dev }
    }

    /// Which path a `major:minor` is.
    pub fn nexus(&self, dev: &str) -> Option<Nexus> {
        self.by_dev.get(dev).map(|(nexus, _)| *nexus)
    }

    /// The paths to a LUN.
    pub fn of(&self, lun: Lun) -> Vec<Nexus> {
        let here = self.by_dev.values().filter(|(_, l)| *l == lun);
        let mut paths: Vec<Nexus> = here.map(|(nexus, _)| *nexus).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// Which path each `major:minor` is.
    pub fn nexus_by_dev(&self) -> BTreeMap<String, Nexus> {
        self.by_dev.iter().map(|(dev, (nexus, _))| (dev.clone(), *nexus)).collect()
    }

    /// The disk of a path.
    pub fn disk(&self, nexus: Nexus, lun: Lun) -> Option<&Disk> {
        self.disks.iter().find(|disk| self.by_dev.get(&disk.dev) == Some(&(nexus, lun)))
    }

    /// The device handlers that the disks have, each once.
    pub fn handlers(&self) -> String {
        let mut names: Vec<&str> = self.disks.iter().map(|disk| disk.handler.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.join("+")
    }
}

fn target_address(setup: &Setup, nexus: Nexus) -> TargetAddress {
    let index = setup.hbas.iter().position(|hba| hba.id == nexus.hba).unwrap_or_default();
    let targets = &setup.hbas[index].targets;
    let target = targets.iter().position(|port| *port == nexus.port).unwrap_or_default();
    TargetAddress { hba: hba_address(index), target: target as u8 }
}

/// A kernel module in the guest's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedModule {
    /// Its name.
    pub name: String,
    /// Where its sections are, `.text` first.
    pub sections: Vec<(&'static str, u64)>,
}

impl LoadedModule {
    /// The sections that a debugger needs to know of.
    const SECTIONS: [&'static str; 4] = [".text", ".data", ".rodata", ".bss"];
}

/// The guest's agent, spoken to in the setup's terms.
#[derive(Clone)]
pub struct Guest {
    agent: AgentLink,
}

impl Guest {
    /// A guest behind this agent.
    pub fn new(agent: AgentLink) -> Self {
        Guest { agent }
    }

    /// The guest's `CLOCK_MONOTONIC`, in nanoseconds.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub async fn now(&self) -> Result<u64, LabError> {
        match self.agent.call(Call::Hello).await? {
            Answer::Hello { now_ns } => Ok(now_ns),
            other => Err(unexpected("Hello", &other)),
        }
    }

    /// Mixes the run's seed into the guest's randomness.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub async fn seed(&self, seed: u64) -> Result<(), LabError> {
        self.agent.call(Call::Seed { seed }).await.map(drop)
    }

    /// How many commands the guest's kernel has sent.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub async fn sent(&self) -> Result<Sent, LabError> {
        match self.agent.call(Call::Sent).await? {
            Answer::Sent(sent) => Ok(sent),
            other => Err(unexpected("Sent", &other)),
        }
    }

    /// Loads the scenario's modules, the handler's before anything is scanned, and sets their
    /// parameters.
    ///
    /// # Errors
    /// When a module is missing or a parameter is refused.
    pub async fn load_modules(&self, setup: &Setup) -> Result<(), LabError> {
        let guest = &setup.guest;
        let mut modules = vec!["sd_mod".to_owned(), "dm_multipath".to_owned()];
        modules.push(format!("dm_{}", guest.multipath.selector.to_string().replace('-', "_")));
        modules.extend(guest.handler_module().filter(|_| guest.load_handler));
        modules.extend(guest.modules.iter().cloned());
        self.agent.call(Call::LoadModules { modules }).await?;
        for (parameter, value) in &guest.parameters {
            let Some((module, name)) = parameter.split_once('.') else { continue };
            let path = format!("/sys/module/{}/parameters/{name}", module.replace('-', "_"));
            self.agent.call(Call::WriteFile { path, text: value.clone() }).await?;
        }
        Ok(())
    }

    /// Scans every target of every HBA and waits for all disks.
    ///
    /// # Errors
    /// When they do not appear.
    pub async fn discover(&self, setup: &Setup, array: &Array) -> Result<Paths, LabError> {
        let targets: Vec<TargetAddress> =
            setup.first_nexuses().map(|nexus| target_address(setup, nexus)).collect();
        let expect_disks = targets.len() * array.luns().len();
        let timeout_ms = DISCOVERY.as_millis() as u64;
        let call = Call::Scan { targets, expect_disks, timeout_ms };
        match self.agent.call_within(call, DISCOVERY + Duration::from_secs(10)).await? {
            Answer::Disks { disks } => Ok(Paths::new(setup, disks)),
            other => Err(unexpected("Scan", &other)),
        }
    }

    /// Builds the multipath map of one LUN.
    ///
    /// # Errors
    /// When the kernel refuses the table; its reason is in the message.
    pub async fn build_map(&self, setup: &Setup, lun: Lun) -> Result<MapStatus, LabError> {
        let groups = setup.path_groups(lun).into_iter().map(|group| {
            let address = |nexus| PathAddress { target: target_address(setup, nexus), lun: lun.0 };
            group.into_iter().map(address).collect()
        });
        let multipath = &setup.guest.multipath;
        let mut handler: Vec<String> = setup.guest.handler.iter().cloned().collect();
        if !handler.is_empty() {
            handler.extend(multipath.handler_args.iter().cloned());
        }
        let spec = MapSpec {
            map: Setup::map_name(lun),
            features: multipath.features(),
            handler,
            selector: vec![multipath.selector.to_string()],
            groups: groups.collect(),
        };
        match self.agent.call(Call::BuildMap(spec)).await? {
            Answer::Map(status) => Ok(status),
            other => Err(unexpected("BuildMap", &other)),
        }
    }

    /// Starts the workload.
    ///
    /// # Errors
    /// When the agent cannot.
    pub async fn start_workload(&self, workload: &Workload, seed: u64) -> Result<(), LabError> {
        let spec = WorkloadSpec {
            map: Setup::map_name(workload.lun),
            pattern: workload.pattern,
            block_bytes: workload.block,
            queue_depth: workload.queue_depth,
            region_bytes: workload.region,
            read_percent: workload.read_percent,
            rate: workload.rate,
            burst: workload.burst,
            seed,
            stall_ms: workload.stall.as_millis() as u64,
        };
        self.agent.call(Call::StartWorkload(spec)).await.map(drop)
    }

    /// Stops the workload, has everything read back that it wrote, and takes its report.
    ///
    /// # Errors
    /// When there is none, or the agent does not answer.
    pub async fn stop_workload(&self, lun: Lun) -> Result<WorkloadReport, LabError> {
        let timeout_ms = DRAIN.as_millis() as u64;
        let call = Call::StopWorkload { map: Setup::map_name(lun), timeout_ms };
        // Draining and reading back may each take DRAIN, and more, while I/O is stuck.
        match self.agent.call_within(call, DRAIN * 4).await? {
            Answer::Workload(report) => Ok(report),
            other => Err(unexpected("StopWorkload", &other)),
        }
    }

    /// The modules that the guest has loaded, with the addresses of their sections. Those that are built
    /// in have none.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub async fn loaded_modules(&self) -> Result<Vec<LoadedModule>, LabError> {
        let listed = self.read("/proc/modules").await?;
        let mut modules = Vec::new();
        for name in listed.lines().filter_map(|line| line.split_whitespace().next()) {
            let mut module = LoadedModule { name: name.to_owned(), sections: Vec::new() };
            for section in LoadedModule::SECTIONS {
                // Not every module has every section.
                let Ok(address) =
                    self.read(&format!("/sys/module/{name}/sections/{section}")).await
                else {
                    continue;
                };
                let digits = address.trim().trim_start_matches("0x");
                if let Ok(address) = u64::from_str_radix(digits, 16) {
                    module.sections.push((section, address));
                }
            }
            modules.push(module);
        }
        Ok(modules)
    }

    async fn read(&self, path: &str) -> Result<String, LabError> {
        match self.agent.call(Call::ReadFile { path: path.to_owned() }).await? {
            Answer::Text { text } => Ok(text),
            other => Err(unexpected("ReadFile", &other)),
        }
    }

    /// Asks anything of the agent.
    ///
    /// # Errors
    /// As [`AgentLink::call_within`].
    pub async fn call(&self, call: Call, deadline: Duration) -> Result<Answer, LabError> {
        self.agent.call_within(call, deadline).await
    }
}

/// An answer of the wrong kind: the agent is not the one that belongs to this program.
pub(crate) fn unexpected(call: &str, answer: &Answer) -> LabError {
    LabError::AgentGarbled { why: format!("{call} was answered with {answer:?}") }
}
