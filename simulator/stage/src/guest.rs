//! From a running machine to multipath maps: modules, discovery, tables.

use std::{collections::BTreeMap, time::Duration};

use sansim_array::{Array, EncodedLun, Lun, Nexus};
use sansim_lab::{AgentLink, LabError, hba_address};
use sansim_protocol::{
    Answer, Call, Disk, MapSpec, MapStatus, Sent, TargetAddress, WorkloadReport, WorkloadSpec,
};

use crate::{Setup, Workload};

pub(crate) mod multipathd;

/// The time limit of discovery. A cold guest under TCG with dozens of LUNs needs several seconds.
const DISCOVERY: Duration = Duration::from_secs(60);

/// The time limit for I/O in flight to complete when the workload is stopped.
const DRAIN: Duration = Duration::from_secs(10);

/// The disks of the guest by path.
#[derive(Debug, Clone, Default)]
pub struct Paths {
    /// The disks that are there, by `major:minor`.
    disks: BTreeMap<String, Disk>,
    /// Where each disk is, those that have been removed included, because a map can still contain
    /// them.
    places: BTreeMap<String, (Nexus, Lun)>,
}

impl Paths {
    fn new(setup: &Setup, array: &Array, disks: Vec<Disk>) -> Self {
        let mut paths = Paths::default();
        for disk in disks {
            paths.add(setup, array, disk);
        }
        paths
    }

    /// Adds a disk. Returns its place, if it is one of the setup's paths and the array has a LUN there.
    pub fn add(&mut self, setup: &Setup, array: &Array, disk: Disk) -> Option<(Nexus, Lun)> {
        let of = |nexus: &Nexus| target_address(setup, *nexus) == disk.path.target;
        let nexus = setup.nexuses().find(of);
        let lun = |nexus| array.lun_at(nexus, EncodedLun(disk.path.lun));
        let place = nexus.and_then(|nexus| Some((nexus, lun(nexus)?)));
        if let Some(place) = place {
            self.places.insert(disk.dev.clone(), place);
        }
        self.disks.insert(disk.dev.clone(), disk);
        place
    }

    /// Removes the disk with this `major:minor`. Its place stays known.
    pub fn remove(&mut self, dev: &str) {
        self.disks.remove(dev);
    }

    /// The nexus of the disk with this `major:minor`.
    pub fn nexus(&self, dev: &str) -> Option<Nexus> {
        self.place(dev).map(|(nexus, _)| nexus)
    }

    /// The nexus and the LUN of the disk with this `major:minor`.
    pub fn place(&self, dev: &str) -> Option<(Nexus, Lun)> {
        self.places.get(dev).copied()
    }

    /// The disk with this `major:minor`, if it is there.
    pub fn at(&self, dev: &str) -> Option<&Disk> {
        self.disks.get(dev)
    }

    /// The nexuses with a disk for a LUN.
    pub fn of(&self, lun: Lun) -> Vec<Nexus> {
        let here = self.places.values().filter(|(_, l)| *l == lun);
        let mut paths: Vec<Nexus> = here.map(|(nexus, _)| *nexus).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// The nexus and the LUN of every disk that is there, by `major:minor`.
    pub fn places(&self) -> BTreeMap<String, (Nexus, Lun)> {
        let here = self.places.iter().filter(|(dev, _)| self.disks.contains_key(*dev));
        here.map(|(dev, place)| (dev.clone(), *place)).collect()
    }

    /// The disk of a LUN through a nexus.
    pub fn disk(&self, nexus: Nexus, lun: Lun) -> Option<&Disk> {
        self.disks.values().find(|disk| self.places.get(&disk.dev) == Some(&(nexus, lun)))
    }

    /// The device handlers that are attached to the disks, without duplicates.
    pub fn handlers(&self) -> String {
        let mut names: Vec<&str> = self.disks.values().map(|disk| disk.handler.as_str()).collect();
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

/// A kernel module that the guest has loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedModule {
    /// The name of the module.
    pub name: String,
    /// The addresses of the sections, `.text` first.
    pub sections: Vec<(&'static str, u64)>,
}

impl LoadedModule {
    /// The sections whose addresses a debugger needs.
    const SECTIONS: [&'static str; 4] = [".text", ".data", ".rodata", ".bss"];
}

/// The agent in the guest, with operations on the level of the setup.
#[derive(Clone)]
pub struct Guest {
    agent: AgentLink,
}

impl Guest {
    /// The guest with this agent.
    pub fn new(agent: AgentLink) -> Self {
        Guest { agent }
    }

    /// The guest's `CLOCK_MONOTONIC`, in nanoseconds.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub async fn now(&self) -> Result<u64, LabError> {
        match self.agent.call(Call::Hello).await? {
            Answer::Hello { now_ns } => Ok(now_ns),
            other => Err(unexpected("Hello", &other)),
        }
    }

    /// Mixes the run's seed into the guest's random number generator.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub async fn seed(&self, seed: u64) -> Result<(), LabError> {
        self.agent.call(Call::Seed { seed }).await.map(drop)
    }

    /// The number of SCSI commands that the guest's kernel has sent.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub async fn sent(&self) -> Result<Sent, LabError> {
        match self.agent.call(Call::Sent).await? {
            Answer::Sent(sent) => Ok(sent),
            other => Err(unexpected("Sent", &other)),
        }
    }

    /// Loads the modules of the setup and sets their parameters. The device handler's module is
    /// loaded before disks are scanned.
    ///
    /// # Errors
    /// If a module is missing or a parameter is refused.
    pub async fn load_modules(&self, setup: &Setup) -> Result<(), LabError> {
        let guest = &setup.guest;
        let mut modules = vec!["sd_mod".to_owned(), "dm_multipath".to_owned()];
        modules.push(format!("dm_{}", guest.multipath.selector.to_string().replace('-', "_")));
        modules.extend(setup.handler_modules().into_iter().filter(|_| guest.load_handler));
        modules.extend(guest.modules.iter().cloned());
        self.agent.call(Call::LoadModules { modules }).await?;
        for (parameter, value) in &guest.parameters {
            let Some((module, name)) = parameter.split_once('.') else { continue };
            let path = format!("/sys/module/{}/parameters/{name}", module.replace('-', "_"));
            self.agent.call(Call::WriteFile { path, text: value.clone() }).await?;
        }
        Ok(())
    }

    /// Scans every target of every HBA and waits until all disks are present, as long as that may
    /// take. Returns the disks, and why some are missing.
    ///
    /// # Errors
    /// If the guest has no such HBAs.
    pub async fn discover(
        &self,
        setup: &Setup,
        array: &Array,
    ) -> Result<(Paths, Option<String>), LabError> {
        let targets: Vec<TargetAddress> =
            setup.first_nexuses().map(|nexus| target_address(setup, nexus)).collect();
        let expect_disks = setup.first_nexuses().map(|nexus| array.inventory(nexus).len()).sum();
        let timeout_ms = DISCOVERY.as_millis() as u64;
        let call = Call::Scan { targets, expect_disks, timeout_ms };
        match self.agent.call_within(call, DISCOVERY + Duration::from_secs(10)).await? {
            Answer::Disks { disks, missing } => Ok((Paths::new(setup, array, disks), missing)),
            other => Err(unexpected("Scan", &other)),
        }
    }

    /// Builds the multipath map of a LUN from the disks that are there, by loading its table.
    /// Returns the kernel's reason if it refuses the table.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub async fn build_map(
        &self,
        setup: &Setup,
        lun: Lun,
        paths: &Paths,
    ) -> Result<Result<MapStatus, String>, LabError> {
        let groups = setup.path_groups(lun).into_iter().map(|group| {
            let there = group.into_iter().filter_map(|nexus| paths.disk(nexus, lun));
            there.map(|disk| disk.path.clone()).collect::<Vec<_>>()
        });
        let groups: Vec<_> = groups.filter(|group| !group.is_empty()).collect();
        if groups.is_empty() {
            return Ok(Err("there are no disks of it".to_owned()));
        }
        let multipath = &setup.guest.multipath;
        let handler = setup.handler_of(lun);
        let mut handler: Vec<String> = handler.into_iter().map(str::to_owned).collect();
        if !handler.is_empty() {
            handler.extend(multipath.handler_args.iter().cloned());
        }
        let spec = MapSpec {
            map: Setup::map_name(lun),
            features: multipath.features(),
            handler,
            selector: vec![multipath.selector.to_string()],
            groups,
        };
        match self.agent.call(Call::BuildMap(spec)).await {
            Ok(Answer::Map(status)) => Ok(Ok(status)),
            Ok(other) => Err(unexpected("BuildMap", &other)),
            Err(LabError::AgentFailed { why, .. }) => Ok(Err(why)),
            Err(error) => Err(error),
        }
    }

    /// The multipath maps of the guest, whoever has built them.
    ///
    /// # Errors
    /// If the agent does not answer, or there is no device-mapper.
    pub async fn maps(&self) -> Result<Vec<MapStatus>, LabError> {
        match self.agent.call(Call::Maps).await? {
            Answer::Maps { maps } => Ok(maps),
            other => Err(unexpected("Maps", &other)),
        }
    }

    /// Starts the workload on the map with the name `device`.
    ///
    /// # Errors
    /// If the agent cannot start it.
    pub async fn start_workload(
        &self,
        workload: &Workload,
        device: String,
        seed: u64,
    ) -> Result<(), LabError> {
        let spec = WorkloadSpec {
            map: Setup::map_name(workload.lun),
            device,
            pattern: workload.pattern,
            block_bytes: workload.block,
            queue_depth: workload.queue_depth,
            region_bytes: workload.region,
            read_percent: workload.read_percent,
            rate: workload.rate,
            burst: workload.burst,
            seed,
            stall_ms: workload.stall.as_millis() as u64,
            canary: workload.canary,
        };
        self.agent.call(Call::StartWorkload(spec)).await.map(drop)
    }

    /// Stops the workload, reads back everything that it has written, and returns its report.
    ///
    /// # Errors
    /// If no workload is running, or the agent does not answer.
    pub async fn stop_workload(&self, lun: Lun) -> Result<WorkloadReport, LabError> {
        let timeout_ms = DRAIN.as_millis() as u64;
        let call = Call::StopWorkload { map: Setup::map_name(lun), timeout_ms };
        // Draining and reading back can each take DRAIN or longer while I/O is stuck.
        match self.agent.call_within(call, DRAIN * 4).await? {
            Answer::Workload(report) => Ok(report),
            other => Err(unexpected("StopWorkload", &other)),
        }
    }

    /// The modules that the guest has loaded, with the addresses of their sections. Built-in
    /// modules have no addresses.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub async fn loaded_modules(&self) -> Result<Vec<LoadedModule>, LabError> {
        let listed = self.read("/proc/modules").await?;
        let mut modules = Vec::new();
        for name in listed.lines().filter_map(|line| line.split_whitespace().next()) {
            let mut module = LoadedModule { name: name.to_owned(), sections: Vec::new() };
            for section in LoadedModule::SECTIONS {
                // Some modules lack some of the sections.
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

    /// Sends a call to the agent and returns the answer.
    ///
    /// # Errors
    /// As [`AgentLink::call_within`].
    pub async fn call(&self, call: Call, deadline: Duration) -> Result<Answer, LabError> {
        self.agent.call_within(call, deadline).await
    }
}

/// The error for an answer of the wrong type, which means that the agent belongs to another version
/// of the program.
pub(crate) fn unexpected(call: &str, answer: &Answer) -> LabError {
    LabError::AgentGarbled { why: format!("{call} was answered with {answer:?}") }
}
