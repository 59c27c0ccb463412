//! `manager` and `[guest.multipathd]`.

use sansim_lab::UdevRules;

use super::context::Checker;
use crate::lang::{
    Diagnostic, beside,
    file::{self, ManagerName, UdevName},
    plan::{Manager, Multipathd},
    value::At,
};

/// The longest multipath.conf, in bytes.
const MAX_CONF: u64 = 64 << 10;

/// Who manages the maps. `scenario` is the scenario's file.
pub(super) fn resolve(scenario: &str, guest: &file::Guest, checker: &mut Checker<'_>) -> Manager {
    let manager = guest.manager.as_ref();
    match manager.map_or(ManagerName::Dmsetup, |manager| manager.value) {
        ManagerName::Dmsetup => {
            if let Some(multipathd) = &guest.multipathd {
                let problem = "there is no multipathd to be set up";
                checker.refuse(&multipathd.span, problem, "write manager = \"multipathd\"");
            }
            Manager::Dmsetup
        }
        ManagerName::Multipathd => {
            if let Some(manager) = manager.filter(|_| says_anything(&guest.multipath)) {
                let problem = "multipathd makes the tables, not [guest.multipath]";
                let help = "write what you want into [guest.multipathd] conf";
                checker.refuse(&manager.span, problem, help);
            }
            let table = guest.multipathd.as_ref().map(|table| &table.value);
            Manager::Multipathd(table.map_or_else(
                || Multipathd { conf: None, udev: UdevRules::Stock },
                |table| multipathd(scenario, table, checker),
            ))
        }
    }
}

fn says_anything(multipath: &file::Multipath) -> bool {
    let given = toml::Table::try_from(multipath);
    given.is_ok_and(|table| !table.is_empty())
}

fn multipathd(scenario: &str, table: &file::Multipathd, checker: &mut Checker<'_>) -> Multipathd {
    let conf = match (&table.conf, &table.conf_file) {
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
    let udev = match table.udev {
        None | Some(UdevName::Stock) => UdevRules::Stock,
        Some(UdevName::Lean) => UdevRules::Lean,
    };
    Multipathd { conf, udev }
}

fn at_most() -> String {
    format!("a multipath.conf may have {MAX_CONF} bytes")
}

fn read(scenario: &str, file: &At<String>, checker: &mut Checker<'_>) -> Option<String> {
    beside::read(scenario, &file.value, MAX_CONF)
        .map_err(|why| checker.report(&file.span, Diagnostic::error(why)))
        .ok()
}
