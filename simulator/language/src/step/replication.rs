//! `replication`: the link over which two arrays replicate a LUN goes down, lags, or comes back.

use std::time::Duration;

use sansim_array::{Action, Lun, ReplicationLink};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table, words},
    value::{At, TimeSpan},
};

table! {
    /// Changes the link over which two arrays replicate a LUN.
    pub(crate) struct Replication, "a step" {
        /// Changes the link over which two arrays replicate a LUN.
        replication: At<ReplicationLinkTable>,
    }
}

table! {
    /// The link over which two arrays replicate a LUN.
    struct ReplicationLinkTable, "a table such as { is = \"down\" }" {
        /// The state of the link afterwards.
        is: At<LinkIsName>,
        /// How much later each write is acknowledged. Required for "lagging", and only for it.
        by: Option<Name<TimeSpan>>,
        /// The LUN. Default: every LUN that two arrays present.
        lun: Option<At<u64>>,
    }
}

words! {
    /// The state of a replication link.
    enum LinkIsName {
        /// Writes are acknowledged when both arrays have them. An array that lacks data gets it first.
        Up = "up",
        /// The same, and every write is acknowledged later.
        Lagging = "lagging",
        /// Nothing gets through: it is decided which array goes on.
        Down = "down",
    }
}

impl ArrayWord for Replication {
    const EXAMPLE: &'static str = r#"replication = { is = "down" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let given = &self.replication;
        checker.needs_metro(&given.span);
        let by = given.by.as_ref();
        let link = match (given.is.value, by) {
            (LinkIsName::Lagging, Some(by)) if !by.0.0.is_zero() => {
                ReplicationLink::Lagging(by.0.0)
            }
            (LinkIsName::Lagging, _) => {
                let help = "write for instance { is = \"lagging\", by = \"200ms\" }";
                checker.refuse(&given.is.span, "by how much does it lag?", help);
                ReplicationLink::Lagging(Duration::ZERO)
            }
            (other, by) => {
                if let Some(by) = by {
                    let problem = "`by` is how much a replication lags";
                    checker.refuse(&by.span, problem, "remove it, or write is = \"lagging\"");
                }
                if other.word() == "up" { ReplicationLink::Up } else { ReplicationLink::Down }
            }
        };
        let lun = given.lun.as_ref().map(|lun| checker.lun(lun));
        Action::SetReplication { lun, link }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::SetReplication { lun, link } = action else { return None };
        let (is, by) = match link {
            ReplicationLink::Up => (LinkIsName::Up, None),
            ReplicationLink::Lagging(by) => (LinkIsName::Lagging, Some(name(TimeSpan(*by)))),
            ReplicationLink::Down => (LinkIsName::Down, None),
        };
        let table = ReplicationLinkTable { is: At::nowhere(is), by, lun: lun.map(At::from) };
        Some(Replication { replication: At::nowhere(table) })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::SetReplication { lun, link } = action else { return None };
        let of = |lun: &Lun| format!("replication of LUN {lun}");
        let what = lun.as_ref().map_or("replication".to_owned(), of);
        Some(match link {
            ReplicationLink::Up => format!("the link of {what} is up"),
            ReplicationLink::Lagging(by) => format!("{what} lags by {}", TimeSpan(*by)),
            ReplicationLink::Down => format!("the link of {what} is down"),
        })
    }
}
