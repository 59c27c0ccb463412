//! `sansim ctl list`: the labs of this host.

use console::style;
use sansim_live::place::{Found, Place};

use super::{failed::Failed, print, print_json};

/// Prints the labs that are running.
pub(super) fn list(json: bool) -> Result<u8, Failed> {
    let labs = Place::labs()?;
    if json {
        return print_json(&labs.into_iter().filter_map(|lab| lab.about).collect::<Vec<_>>());
    }
    if labs.is_empty() {
        return print("no lab is running (start one with `sansim up`)\n");
    }
    let longest = labs.iter().map(|lab| lab.name.len()).max().unwrap_or(0);
    print(&labs.iter().map(|lab| line(lab, longest)).collect::<String>())
}

fn line(lab: &Found, longest: usize) -> String {
    let name = style(format!("{:<longest$}", lab.name)).bold();
    match &lab.about {
        Some(about) => format!("{name}  {}  {}\n", about.address, style(&about.title).dim()),
        None => format!("{name}  {}\n", style("starting").yellow()),
    }
}
