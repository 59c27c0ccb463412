//! `link`: a link goes down, comes back or flaps.

use sansim_array::{Action, HbaId, PortId};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Flag, Name, Spoken, name, table},
    value::{At, TimeSpan},
};

table! {
    /// Takes a link down, brings it back up, or makes it flap.
    pub(crate) struct Link, "a step" {
        /// Takes a link down, brings it back up, or makes it flap.
        pub(super) link: At<LinkTable>,
    }
}

table! {
    /// A link and its new state.
    pub(super) struct LinkTable, "a table such as { port = \"A0\", up = false }" {
        /// The target port at the end of the link.
        port: Name<PortId>,
        /// The HBA at the other end. Default: the port's own link, which all HBAs share.
        hba: Option<At<u64>>,
        /// Whether the link is up afterwards. Default: false.
        up: Option<bool>,
        /// Makes the link go down and come back up repeatedly.
        flap: Option<At<Flap>>,
    }
}

table! {
    /// How often and how fast a link flaps.
    struct Flap, "a table such as { every = \"1s\", times = 5 }" {
        /// How long the link is down each time, and then up.
        every: Name<TimeSpan>,
        /// How many times the link goes down, at most 1000.
        times: At<u64>,
    }
}

impl ArrayWord for Link {
    const EXAMPLE: &'static str = r#"link = { port = "A0", hba = 0, up = false }"#;
    const SPOKEN: Spoken = Spoken { thing: None, flags: &[flag("up", true), flag("down", false)] };

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let given = &self.link;
        let hba = given.hba.as_ref().map(|hba| checker.hba(hba));
        let port = checker.port(&given.port);
        let Some(flap) = &given.flap else {
            return Action::SetLink { hba, port, up: given.up.unwrap_or(false) };
        };
        if given.up.is_some() {
            checker.refuse(&flap.span, "`flap` does not go with `up`", "remove one of them");
        }
        let every = flap.every.0.0;
        if every.is_zero() {
            checker.refuse(&flap.every.span, "a link takes some time to flap", "write \"1s\"");
        }
        let times = checker.number(Some(&flap.times), 1..=1000, 1, "`times`") as u16;
        Action::FlapLink { hba, port, every, times }
    }

    fn of(action: &Action) -> Option<Self> {
        let (hba, port, up, flap) = match *action {
            Action::SetLink { hba, port, up } => (hba, port, Some(up), None),
            Action::FlapLink { hba, port, every, times } => {
                let times = At::nowhere(times.into());
                let flap = Flap { every: name(TimeSpan(every)), times };
                (hba, port, None, Some(At::nowhere(flap)))
            }
            _ => return None,
        };
        let link = LinkTable { port: name(port), hba: hba.map(At::from), up, flap };
        Some(Link { link: At::nowhere(link) })
    }

    fn words(action: &Action) -> Option<String> {
        match *action {
            Action::SetLink { hba, port, up } => {
                let state = if up { "up" } else { "down" };
                Some(format!("link {} is {state}", which(hba, port)))
            }
            Action::FlapLink { hba, port, every, times } => {
                let (link, every) = (which(hba, port), TimeSpan(every));
                Some(format!("link {link} flaps {times} times, every {every}"))
            }
            _ => None,
        }
    }
}

const fn flag(word: &'static str, value: bool) -> Flag {
    Flag { word, key: "up", value }
}

fn which(hba: Option<HbaId>, port: PortId) -> String {
    hba.map_or(format!("port {port}"), |hba| format!("{hba}:{port}"))
}
