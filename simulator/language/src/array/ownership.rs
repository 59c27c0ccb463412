//! `[array.ownership]`: when the array moves LUNs without a request from a host.

use std::num::NonZeroU32;

use sansim_array::{OwnershipPolicy, PersonalityConfig};

use crate::{
    check::Checker,
    form::{Name, name, table},
    value::{At, TimeSpan},
};

table! {
    /// When the array moves LUNs without a request from a host.
    pub(super) struct Ownership, "a table such as { takeover = \"5s\" }" {
        /// The time after which the next online controller takes over the LUNs of a controller that
        /// is not online. Default: never.
        takeover: Option<Name<TimeSpan>>,
        /// The time after which a controller that is online again gets back the LUNs that prefer
        /// it. Default: never.
        failback: Option<Name<TimeSpan>>,
        /// The number of consecutive medium accesses, through a controller that serves the LUN
        /// without owning it, after which the LUN moves to that controller. Default: none do.
        follow_io: Option<At<u64>>,
        /// The interval at which every LUN moves to the next controller, from the beginning of the
        /// story. Default: never.
        ping_pong: Option<Name<TimeSpan>>,
    }
}

impl Ownership {
    /// Validates the table and converts it.
    pub(super) fn check(
        &self,
        personality: &PersonalityConfig,
        checker: &mut Checker<'_>,
    ) -> OwnershipPolicy {
        if let Some(every) = self.ping_pong.as_ref().filter(|every| every.0.0.is_zero()) {
            checker.refuse(&every.span, "LUNs cannot change hands all the time", "write \"1s\"");
        }
        if let Some(count) = &self.follow_io
            && !personality.others_serve()
        {
            let problem = "a controller that does not own a LUN of this array refuses its I/O";
            let help = "`follow_io` is for `alua` with non_owner = \"active/non-optimized\" or \
                        \"lba-dependent\", and for `rdac` with mode = \"ioship\"";
            checker.refuse(&count.span, problem, help);
        }
        let span = |given: &Option<Name<TimeSpan>>| given.as_ref().map(|span| span.0.0);
        let most = u64::from(u32::MAX);
        let accesses = checker.number(self.follow_io.as_ref(), 1..=most, 0, "`follow_io`");
        OwnershipPolicy {
            takeover: span(&self.takeover),
            failback: span(&self.failback),
            follow_io: NonZeroU32::new(accesses as u32),
            ping_pong: span(&self.ping_pong),
        }
    }

    /// The table that would be read as `policy`; `None` if every value is the default.
    pub(super) fn of(policy: &OwnershipPolicy) -> Option<Self> {
        let span = |time| name(TimeSpan(time));
        let table = Ownership {
            takeover: policy.takeover.map(span),
            failback: policy.failback.map(span),
            follow_io: policy.follow_io.map(|count| At::nowhere(count.get().into())),
            ping_pong: policy.ping_pong.map(span),
        };
        (*policy != OwnershipPolicy::default()).then_some(table)
    }
}
