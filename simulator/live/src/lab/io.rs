//! The workloads, as they tell of themselves.

use std::collections::BTreeMap;

use sansim_array::Lun;
use sansim_protocol::{Happening, WorkloadReport};
use sansim_stage::{Act, Brought, Setup, Workload};

use super::{broken::Wrong, running::Running, words::Words};
use crate::{
    api::{Did, IoChange, Refused, Why, WorkloadStatus},
    handle::Answer,
};

/// The workloads, by LUN.
pub(super) struct Io {
    workloads: BTreeMap<Lun, WorkloadStatus>,
    /// The workloads that start when the one on their LUN has stopped, by the name of the act that
    /// stops it.
    next: BTreeMap<String, (Workload, Answer<Vec<Did>>)>,
}

impl Io {
    /// The workload of the scenario, which starts later.
    pub(super) fn new(setup: &Setup) -> Self {
        let status = |workload: &Workload| (workload.lun, status(workload));
        Io { workloads: setup.workload.iter().map(status).collect(), next: BTreeMap::new() }
    }

    /// A workload has started.
    pub(super) fn started(&mut self, workload: &Workload) {
        self.workloads.insert(workload.lun, status(workload));
    }

    /// A workload has stopped, with this report.
    pub(super) fn stopped(&mut self, report: &WorkloadReport, lun: Lun) {
        if let Some(status) = self.workloads.get_mut(&lun) {
            status.stalled_since = None;
            (status.reads, status.writes) = (report.reads, report.writes);
            (status.errors, status.corrupt) = (report.errors, report.corrupt.total());
        }
    }

    /// Takes note of what a workload tells; `t` is when, in seconds of story time.
    pub(super) fn happening(&mut self, happening: &Happening, t: f64) {
        let (Happening::Progress { map, .. }
        | Happening::StallBegin { map, .. }
        | Happening::StallEnd { map, .. }
        | Happening::Corrupt { map, .. }) = happening
        else {
            return;
        };
        let Some(status) = Setup::map_lun(map).and_then(|lun| self.workloads.get_mut(&lun)) else {
            return;
        };
        match happening {
            Happening::Progress { reads, writes, errors, .. } => {
                (status.reads, status.writes, status.errors) = (*reads, *writes, *errors);
            }
            Happening::StallBegin { .. } => status.stalled_since = Some(t),
            Happening::StallEnd { .. } => status.stalled_since = None,
            _ => status.corrupt += 1,
        }
    }

    /// The state of every workload. `running` has the LUNs on which one runs.
    pub(super) fn status(&self, running: &[Lun]) -> Vec<WorkloadStatus> {
        let status = |(lun, status): (&Lun, &WorkloadStatus)| WorkloadStatus {
            running: running.contains(lun),
            ..status.clone()
        };
        self.workloads.iter().map(status).collect()
    }

    /// Whether there is or was a workload.
    pub(super) fn any(&self) -> bool {
        !self.workloads.is_empty()
    }

    /// The workloads that stall.
    pub(super) fn wrong(&self) -> impl Iterator<Item = Wrong> + '_ {
        let stalled = self.workloads.values().filter(|status| status.stalled_since.is_some());
        stalled.map(|status| {
            let thing = format!("lun {}", status.lun);
            Wrong { what: format!("the I/O on {thing} stalls"), thing, undo: None }
        })
    }
}

fn status(workload: &Workload) -> WorkloadStatus {
    WorkloadStatus {
        lun: workload.lun.0,
        running: false,
        toml: Words::workload_toml(workload),
        reads: 0,
        writes: 0,
        errors: 0,
        corrupt: 0,
        stalled_since: None,
    }
}

impl Running<'_> {
    /// Starts, replaces or stops a workload.
    pub(super) fn change_io(&mut self, change: &IoChange, answer: Answer<Vec<Did>>) {
        let act = match change {
            IoChange::Stop { lun } => Act::StopWorkload { lun: Some(Lun(*lun)) },
            IoChange::Start(given) => match self.words.workload(given) {
                Err(refused) => return drop(answer.send(Err(refused))),
                Ok(workload) if self.stage.workloads().any(|lun| lun == workload.lun) => {
                    return self.replace(workload, answer);
                }
                Ok(workload) => Act::StartWorkload(workload),
            },
        };
        let step = self.words.name(act);
        self.perform_or_hold(vec![step.into()], answer);
    }

    /// Stops the workload of a LUN, to start another when it has stopped.
    fn replace(&mut self, workload: Workload, answer: Answer<Vec<Did>>) {
        if self.acts.held.is_some() {
            let why = format!(
                "I/O runs on lun {}: that it ends and other I/O begins cannot be held; first: sansim ctl go",
                workload.lun
            );
            return drop(answer.send(Err(Refused::new(Why::Conflict, why))));
        }
        let stop = self.words.name(Act::StopWorkload { lun: Some(workload.lun) });
        self.io.next.insert(stop.name.clone(), (workload, answer));
        self.perform(vec![stop.into()], None);
    }

    /// Starts the workload that waits for the end of this act, or says why it cannot.
    pub(super) fn start_next(&mut self, name: &str, brought: &Result<Brought, String>) {
        let Some((workload, answer)) = self.io.next.remove(name) else { return };
        match brought {
            Ok(_) => {
                let start = self.words.name(Act::StartWorkload(workload));
                self.perform(vec![start.into()], Some(answer));
            }
            Err(why) => drop(answer.send(Err(Refused::new(Why::Failed, why.clone())))),
        }
    }
}
