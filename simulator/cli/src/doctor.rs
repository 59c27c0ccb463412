//! `sansim doctor`: what is missing on this host, and the command that installs it.

use console::style;
use sansim_lab::{Health, ImageStore, WorkDir};

use crate::{LAB, PASS, show};

/// Prints one line per check; the exit code is 0 if runs are possible.
pub(crate) fn doctor() -> u8 {
    let store = match ImageStore::open() {
        Ok(store) => store,
        Err(error) => {
            show::error(&error.to_string());
            return LAB;
        }
    };
    let swept = WorkDir::sweep();
    let checks = sansim_lab::doctor(&store);
    for check in &checks {
        let mark = match check.health {
            Health::Good => style("ok     ").green(),
            Health::Warning => style("note   ").yellow(),
            Health::Bad => style("missing").red(),
        };
        outln!("{mark}  {:<16} {}", check.name, check.found);
        if let Some(fix) = &check.fix {
            outln!("{:>27}{fix}", "");
        }
    }
    if swept > 0 {
        outln!("removed files left by {swept} killed run(s)");
    }
    if checks.iter().any(|check| check.health == Health::Bad) { LAB } else { PASS }
}
