//! `[hba]`: the HBAs of the guest.

use std::time::Duration;

use sansim_array::{HbaId, PortId};
use sansim_stage::{Array, Hba, Setup};

use crate::{
    check::Checker,
    form::{Name, name, table},
    value::{At, TimeSpan},
};

const DEFAULT_COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// The ports visible to one HBA.
type Targets = At<Vec<Name<PortId>>>;

table! {
    /// The HBAs of the guest.
    pub(crate) struct HbaTable, "a table" {
        /// The number of HBAs, 1 to 8. Default: 2.
        count: Option<At<u64>>,
        /// The ports visible to each HBA: a list of lists of ports, one for each HBA. Default: HBA
        /// n sees port n of every controller, modulo the number of ports per controller.
        targets: Option<At<Vec<Targets>>>,
        /// The number of request queues of each HBA, 1 to 16. Default: one per processor.
        request_queues: Option<At<u64>>,
        /// How long the HBA waits for a command that the array has lost before it fails the
        /// command. Default: "30s".
        command_timeout: Option<Name<TimeSpan>>,
    }
}

impl HbaTable {
    /// Validates the table and converts it to the list of HBAs. `cpus` is the default number of
    /// request queues.
    pub(crate) fn check(&self, arrays: &[Array], cpus: u8, checker: &mut Checker<'_>) -> Vec<Hba> {
        let implied = self.targets.as_ref().map_or(2, |targets| targets.len() as u64);
        let count =
            checker.number(self.count.as_ref(), 1..=8, implied.clamp(1, 8), "the number of HBAs");
        let queues = checker.number(
            self.request_queues.as_ref(),
            1..=16,
            u64::from(cpus.min(16)),
            "the number of request queues",
        );
        let targets: Vec<Vec<PortId>> = match &self.targets {
            Some(targets) => check_targets(targets, count, checker),
            None => (0..count).map(|index| default_targets(arrays, index)).collect(),
        };
        targets
            .into_iter()
            .enumerate()
            .map(|(index, targets)| Hba {
                id: HbaId(index as u8),
                targets,
                request_queues: queues as u16,
            })
            .collect()
    }

    /// How long an HBA waits for a command that the array has lost.
    pub(crate) fn command_timeout(&self) -> Duration {
        self.command_timeout.as_ref().map_or(DEFAULT_COMMAND_TIMEOUT, |timeout| timeout.0.0)
    }

    /// The table that would be read as the HBAs of `setup`.
    pub(crate) fn of(setup: &Setup) -> Self {
        let ports = |hba: &Hba| At::nowhere(hba.targets.iter().copied().map(name).collect());
        HbaTable {
            count: Some(At::nowhere(setup.hbas.len() as u64)),
            targets: Some(At::nowhere(setup.hbas.iter().map(ports).collect())),
            request_queues: setup.hbas.first().map(|hba| At::nowhere(hba.request_queues.into())),
            command_timeout: Some(name(TimeSpan(setup.command_timeout))),
        }
    }
}

fn check_targets(
    targets: &At<Vec<Targets>>,
    count: u64,
    checker: &mut Checker<'_>,
) -> Vec<Vec<PortId>> {
    if targets.len() as u64 != count {
        let problem = format!("{count} HBAs need {count} lists of ports, not {}", targets.len());
        checker.refuse(
            &targets.span,
            problem,
            "write for instance [[\"A0\", \"B0\"], [\"A1\", \"B1\"]]",
        );
    }
    let one = |ports: &Targets, checker: &mut Checker<'_>| {
        let mut seen = Vec::new();
        for port in ports.iter() {
            let id = checker.port(port);
            if seen.contains(&id) {
                checker.refuse(&port.span, format!("port {id} is there twice"), "remove it");
            }
            seen.push(id);
        }
        if seen.is_empty() {
            checker.refuse(&ports.span, "this HBA sees nothing", "name at least one port");
        }
        seen
    };
    targets.iter().map(|ports| one(ports, checker)).collect()
}

fn default_targets(arrays: &[Array], hba: u64) -> Vec<PortId> {
    let of = |array: &Array| {
        let index = (hba % u64::from(array.ports_per_controller.max(1))) as u8;
        array.controller_ids().map(move |controller| PortId { controller, index })
    };
    arrays.iter().flat_map(of).collect()
}
