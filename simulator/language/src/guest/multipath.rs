//! `[guest.multipath]`: how multipath maps are built.

use std::time::Duration;

use sansim_stage::{Multipath, PathGroups, QueueMode, Selector};

use super::word;
use crate::{
    Diagnostic,
    check::Checker,
    form::{Listed, Name, PlainTable, Table, name, table, words},
    value::{At, TimeSpan},
};

/// The longest `pg_init_delay_msecs` (drivers/md/dm-mpath.c:parse_features).
const MAX_DELAY: Duration = Duration::from_secs(60);
/// Handlers whose module has no `set_params`. The kernel refuses a table that gives them arguments
/// (drivers/md/dm-mpath.c:setup_scsi_dh).
const WITHOUT_ARGUMENTS: [&str; 2] = ["rdac", "hp_sw"];

table! {
    /// How multipath maps are built.
    #[derive(Default)]
    pub(super) struct MultipathTable, "a table" {
        /// The maximum number of pg_init retries after the first round, 1 to 50. If not given, the
        /// kernel allows none.
        pg_init_retries: Option<At<u64>>,
        /// The pause before a delayed pg_init retry, at most "60s". If not given, the kernel waits
        /// 2 s.
        pg_init_delay: Option<Name<TimeSpan>>,
        /// Whether I/O is queued instead of failed while the map has no usable path. Default:
        /// false.
        queue_if_no_path: Option<bool>,
        /// Whether an attached device handler is retained, whatever the table specifies. Default:
        /// false.
        retain_attached_hw_handler: Option<bool>,
        /// What the map passes on to its paths: bios, or requests. If not given, the kernel takes requests.
        queue_mode: Option<QueueModeName>,
        /// The path selector. Default: "service-time".
        selector: Option<SelectorName>,
        /// How paths are grouped. Default: "by-owner".
        path_groups: Option<GroupsName>,
        /// The arguments of the device handler.
        handler_args: Listed<At<String>>,
    }
}

words! {
    /// What a map passes on to its paths.
    enum QueueModeName for QueueMode {
        /// Bios, as they come; each path's queue makes requests of them.
        Bio = "bio",
        /// Requests. Since Linux 5.0 the same as "mq".
        Rq = "rq",
        /// Requests.
        Mq = "mq",
    }
}

words! {
    /// A path selector.
    enum SelectorName for Selector {
        /// The path that is expected to complete the request first.
        ServiceTime = "service-time",
        /// The path with the least I/O in flight.
        QueueLength = "queue-length",
        /// Each path in turn.
        RoundRobin = "round-robin",
    }
}

words! {
    /// How paths are grouped.
    enum GroupsName for PathGroups {
        /// First the paths to the preferred owner, then the others.
        ByOwner = "by-owner",
        /// All paths in one group.
        Multibus = "multibus",
        /// One path per group.
        Failover = "failover",
    }
}

impl MultipathTable {
    /// Whether any key is present.
    pub(super) fn says_anything(&self) -> bool {
        let mut table = PlainTable::default();
        self.put(&mut table);
        !table.0.is_empty()
    }

    /// Validates the table and converts it; mistakes are reported to `checker`.
    pub(super) fn check(&self, handler: Option<&str>, checker: &mut Checker<'_>) -> Multipath {
        let retries = self.pg_init_retries.as_ref();
        let retries =
            retries.map(|n| checker.number(Some(n), 1..=50, 1, "`pg_init_retries`") as u8);
        let delay = self.pg_init_delay.as_ref().map(|delay| {
            if delay.0.0 > MAX_DELAY || !delay.0.0.as_nanos().is_multiple_of(1_000_000) {
                let problem = "the kernel refuses this `pg_init_delay`";
                checker.refuse(&delay.span, problem, "write 0s to 60s, in whole milliseconds");
            }
            delay.0.0
        });
        if let Some(first) = self.handler_args.0.first() {
            match handler {
                None => checker.refuse(&first.span, "there is no handler to take it", "remove it"),
                Some(name) if WITHOUT_ARGUMENTS.contains(&name) => {
                    let warning = format!("{name} takes no arguments: the map will not load");
                    checker.report(&first.span, Diagnostic::warning(warning));
                }
                Some(_) => {}
            }
        }
        Multipath {
            pg_init_retries: retries,
            pg_init_delay: delay,
            queue_if_no_path: self.queue_if_no_path.unwrap_or(false),
            retain_attached_hw_handler: self.retain_attached_hw_handler.unwrap_or(false),
            queue_mode: self.queue_mode.map(Into::into),
            selector: self.selector.map_or(Selector::ServiceTime, Into::into),
            path_groups: self.path_groups.map_or(PathGroups::ByOwner, Into::into),
            handler_args: self
                .handler_args
                .0
                .iter()
                .map(|arg| word(Some(arg), "", "a handler's argument", checker))
                .collect(),
        }
    }

    /// The table that would be read as `multipath`.
    pub(super) fn of(multipath: &Multipath) -> Self {
        let arguments = multipath.handler_args.iter().cloned().map(At::nowhere);
        MultipathTable {
            pg_init_retries: multipath.pg_init_retries.map(|n| At::nowhere(n.into())),
            pg_init_delay: multipath.pg_init_delay.map(|delay| name(TimeSpan(delay))),
            queue_if_no_path: Some(multipath.queue_if_no_path),
            retain_attached_hw_handler: Some(multipath.retain_attached_hw_handler),
            queue_mode: multipath.queue_mode.map(Into::into),
            selector: Some(multipath.selector.into()),
            path_groups: Some(multipath.path_groups.into()),
            handler_args: Listed(arguments.collect()),
        }
    }
}
