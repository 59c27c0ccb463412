//! The workloads, as they tell of themselves.

use std::collections::BTreeMap;

use sansim_array::Lun;
use sansim_language::StepAction;
use sansim_protocol::{Happening, WorkloadReport};
use sansim_stage::{Act, Setup, Workload};

use super::{broken::Wrong, driver::Driver, words::Words};
use crate::{
    api::{Given, IoChange, Refused, WorkloadStatus},
    handle::Answer,
};

/// The workloads, by LUN.
#[derive(Default)]
pub(super) struct Io(BTreeMap<Lun, WorkloadStatus>);

impl Io {
    /// The workload of the scenario, which starts later.
    pub(super) fn new(setup: &Setup) -> Self {
        let status = |workload: &Workload| (workload.lun, status(workload, false));
        Io(setup.workload.iter().map(status).collect())
    }

    /// The workload of the scenario has started.
    pub(super) fn started_first(&mut self, setup: &Setup) {
        if let Some(workload) = &setup.workload {
            self.started(workload);
        }
    }

    /// A workload has started.
    pub(super) fn started(&mut self, workload: &Workload) {
        self.0.insert(workload.lun, status(workload, true));
    }

    /// A workload has stopped, with this report.
    pub(super) fn stopped(&mut self, report: &WorkloadReport, lun: Option<Lun>) {
        if let Some(status) = lun.and_then(|lun| self.0.get_mut(&lun)) {
            status.running = false;
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
        let Some(status) = Setup::map_lun(map).and_then(|lun| self.0.get_mut(&lun)) else { return };
        match happening {
            Happening::Progress { reads, writes, errors, .. } => {
                (status.reads, status.writes, status.errors) = (*reads, *writes, *errors);
            }
            Happening::StallBegin { .. } => status.stalled_since = Some(t),
            Happening::StallEnd { .. } => status.stalled_since = None,
            _ => status.corrupt += 1,
        }
    }

    /// The state of every workload.
    pub(super) fn status(&self) -> Vec<WorkloadStatus> {
        self.0.values().cloned().collect()
    }

    /// The workloads that stall.
    pub(super) fn wrong(&self) -> impl Iterator<Item = Wrong> + '_ {
        let stalled = self.0.values().filter(|status| status.stalled_since.is_some());
        stalled.map(|status| {
            let thing = format!("lun {}", status.lun);
            Wrong { what: format!("the I/O on {thing} stalls"), thing, undo: None }
        })
    }

    /// Whether a workload runs on the LUN.
    fn runs(&self, lun: Lun) -> bool {
        self.0.get(&lun).is_some_and(|status| status.running)
    }
}

fn status(workload: &Workload, running: bool) -> WorkloadStatus {
    WorkloadStatus {
        lun: workload.lun.0,
        running,
        toml: Words::workload_toml(workload),
        reads: 0,
        writes: 0,
        errors: 0,
        corrupt: 0,
        stalled_since: None,
    }
}

impl Driver<'_> {
    /// Starts, replaces or stops a workload.
    pub(super) fn change_io(&mut self, change: &IoChange, answer: Answer<()>) {
        let acts = match change {
            IoChange::Start(given) => self.start_io(given),
            IoChange::Stop { lun } => {
                Ok(vec![StepAction::Act(Act::StopWorkload { lun: Lun(*lun) })])
            }
        };
        match acts {
            Ok(acts) => {
                self.perform(acts, None);
                let _ = answer.send(Ok(()));
            }
            Err(refused) => drop(answer.send(Err(refused))),
        }
    }

    fn start_io(&mut self, given: &Given) -> Result<Vec<StepAction>, Refused> {
        let workload = self.words.workload(given)?;
        let stop = self.io.runs(workload.lun);
        let stop = stop.then_some(StepAction::Act(Act::StopWorkload { lun: workload.lun }));
        Ok(stop.into_iter().chain([StepAction::Act(Act::StartWorkload(workload))]).collect())
    }
}
