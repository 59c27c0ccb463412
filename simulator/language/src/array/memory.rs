//! `memory`, `when_full` and `space_threshold`: the bound for what is written to the LUNs.

use sansim_array::WhenFull;
use sansim_stage::Memory;

use crate::{
    check::Checker,
    form::{Name, words},
    value::{At, Size},
};

words! {
    /// What happens to a write for which `memory` has no room.
    pub(super) enum WhenFullName for WhenFull {
        /// It fails with sense 07/27/07, SPACE ALLOCATION FAILED WRITE PROTECT, as on an array whose pool is full.
        Space = "space",
        /// It fails with sense 03/0c/00, WRITE ERROR.
        Medium = "medium",
        /// The run ends with the verdict error.
        End = "end",
    }
}

/// Validates the bound.
pub(super) fn check(
    memory: Option<&Name<Size>>,
    when_full: Option<&At<WhenFullName>>,
    threshold: Option<&At<u64>>,
    checker: &mut Checker<'_>,
) -> Option<Memory> {
    let percent = threshold.map(|_| checker.number(threshold, 1..=99, 80, "a percentage") as u8);
    let Some(memory) = memory else {
        let useless = when_full.map(|it| &it.span).or(threshold.map(|it| &it.span));
        if let Some(span) = useless {
            let problem = "without `memory` a run that needs too much of it ends";
            checker.refuse(span, problem, "write memory = \"1GiB\" as well");
        }
        return None;
    };
    let when_full = when_full.map_or(WhenFull::Space, |name| name.value.into());
    Some(Memory { bytes: memory.0.0, when_full, threshold: percent })
}
