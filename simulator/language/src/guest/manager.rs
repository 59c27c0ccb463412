//! `manager` and `[guest.multipathd]`: what builds and manages the multipath maps.

use sansim_stage::{Manager, Multipathd, UdevRules};

use crate::{
    Diagnostic, beside,
    check::Checker,
    form::{table, words},
    value::At,
};

/// The maximum size of multipath.conf, in bytes.
const MAX_CONF: u64 = 64 << 10;

words! {
    /// What builds the multipath maps.
    pub(super) enum ManagerName {
        /// The lab loads the tables itself; failed paths are not reinstated.
        Dmsetup = "dmsetup",
        /// The guest's own udevd and multipathd, configured by multipath.conf. The maps are named
        /// `lun0`, `lun1`, …
        Multipathd = "multipathd",
    }
}

table! {
    /// The configuration of multipathd.
    pub(super) struct MultipathdTable, "a table such as { conf_file = \"multipath.conf\" }" {
        /// The text of /etc/multipath.conf. Default: none; multipathd then uses its built-in
        /// tables.
        conf: Option<At<String>>,
        /// Instead of `conf`: a file with the same contents, in the scenario's directory.
        conf_file: Option<At<String>>,
        /// Which udev rules the guest has. Default: "stock".
        udev: Option<UdevName>,
    }
}

words! {
    /// The udev rules of the guest.
    pub(super) enum UdevName for UdevRules {
        /// All rules of the distribution.
        Stock = "stock",
        /// Only the rules for disks and multipath maps.
        Lean = "lean",
    }
}

impl ManagerName {
    /// The value of `manager` for a manager of the setup.
    pub(super) fn of(manager: &Manager) -> Self {
        match manager {
            Manager::Dmsetup => ManagerName::Dmsetup,
            Manager::Multipathd(_) => ManagerName::Multipathd,
        }
    }
}

/// Validates who manages the maps. `scenario` is the path of the scenario file; `tables` is whether
/// `[guest.multipath]` has any key.
pub(super) fn check(
    scenario: &str,
    manager: Option<&At<ManagerName>>,
    multipathd: Option<&At<MultipathdTable>>,
    tables: bool,
    checker: &mut Checker<'_>,
) -> Manager {
    match manager.map_or(ManagerName::Dmsetup, |manager| manager.value) {
        ManagerName::Dmsetup => {
            if let Some(multipathd) = multipathd {
                let problem = "there is no multipathd to be set up";
                checker.refuse(&multipathd.span, problem, "write manager = \"multipathd\"");
            }
            Manager::Dmsetup
        }
        ManagerName::Multipathd => {
            if let Some(manager) = manager.filter(|_| tables) {
                let problem = "multipathd makes the tables, not [guest.multipath]";
                let help = "write what you want into [guest.multipathd] conf";
                checker.refuse(&manager.span, problem, help);
            }
            let table = multipathd.map(|table| &table.value);
            Manager::Multipathd(table.map_or_else(
                || Multipathd { conf: None, udev: UdevRules::Stock },
                |table| table.check(scenario, checker),
            ))
        }
    }
}

impl MultipathdTable {
    fn check(&self, scenario: &str, checker: &mut Checker<'_>) -> Multipathd {
        let conf = match (&self.conf, &self.conf_file) {
            (Some(_), Some(file)) => {
                checker.refuse(&file.span, "there is a `conf` as well", "remove one of them");
                None
            }
            (None, Some(file)) => read(scenario, file, checker),
            (conf, None) => conf.as_ref().and_then(|conf| {
                let fits = conf.len() as u64 <= MAX_CONF;
                if !fits {
                    checker.refuse(&conf.span, "this is too long", at_most());
                }
                fits.then(|| conf.value.clone())
            }),
        };
        let udev = self.udev.map_or(UdevRules::Stock, Into::into);
        Multipathd { conf, udev }
    }

    /// The table for multipathd, or `None` if `dmsetup` builds the maps.
    pub(super) fn of(manager: &Manager) -> Option<Self> {
        let Manager::Multipathd(multipathd) = manager else { return None };
        let conf = multipathd.conf.clone().map(At::nowhere);
        Some(MultipathdTable { conf, conf_file: None, udev: Some(multipathd.udev.into()) })
    }
}

fn at_most() -> String {
    format!("a multipath.conf may have {MAX_CONF} bytes")
}

fn read(scenario: &str, file: &At<String>, checker: &mut Checker<'_>) -> Option<String> {
    beside::read(scenario, &file.value, MAX_CONF)
        .map_err(|why| checker.report(&file.span, Diagnostic::error(why)))
        .ok()
}
