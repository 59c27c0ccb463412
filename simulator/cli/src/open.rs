//! A lab that is open to everybody who may ask it: on its socket, and on the port of its page.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use console::style;
use sansim_live::{
    Live, Served,
    place::{About, Place},
};

/// A lab that is open. Dropped, it is not there any more.
pub(crate) struct Open {
    about: About,
    // Stops before the place of its socket goes.
    _served: Served,
    _place: Place,
}

impl Open {
    /// Opens a lab at its place. `port` is that of the page: any free one, if it is `None`.
    ///
    /// # Errors
    /// In words, when the socket or the port cannot be had.
    pub(crate) fn new(
        place: Place,
        lab: &Live,
        title: &str,
        port: Option<u16>,
    ) -> Result<Open, String> {
        let served = Served::start(lab.handle(), &place.socket(), port);
        let served = served.map_err(|error| error.to_string())?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let about = About {
            pid: std::process::id(),
            name: place.name().to_owned(),
            title: title.to_owned(),
            address: served.address(),
            directory: lab.directory().to_owned(),
            started: since.map_or(0, |since| since.as_secs()),
        };
        place.publish(&about).map_err(|error| error.to_string())?;
        Ok(Open { about, _served: served, _place: place })
    }

    /// Where the lab is, and what can be done with it.
    pub(crate) fn welcome(&self) -> String {
        let About { name, title, address, directory, .. } = &self.about;
        [
            format!("{}\n", style(title).bold()),
            format!("  page    {}", style(address).underlined()),
            format!("  shell   sansim ctl --lab {name} shell"),
            format!("  status  sansim ctl --lab {name} status"),
            format!("  break   sansim ctl --lab {name} fail controller A"),
            format!("  end     Ctrl-C, or sansim down {name}\n"),
            format!("Events and the guest's console are in {}\n", shown(directory)),
        ]
        .join("\n")
    }
}

/// A path as it is from here, if it is below.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    below.unwrap_or_else(|| path.to_owned()).display().to_string()
}

/// The name of a lab, from that of its scenario: small letters, digits and hyphens.
pub(crate) fn name_of(scenario: &str) -> String {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let name = scenario.to_ascii_lowercase().replace(|c| !fits(c), "-");
    let name: String = name.trim_matches('-').chars().take(32).collect();
    match name.trim_end_matches('-') {
        "" => "lab".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_gives_a_lab_a_name_that_a_place_can_have() {
        assert_eq!(name_of("pg-init-retry"), "pg-init-retry");
        assert_eq!(name_of("T20: Reserved bits_"), "t20--reserved-bits");
        assert_eq!(name_of("\u{e9}"), "lab");
        assert_eq!(name_of(&"a-".repeat(40)).len(), 31);
    }
}
