//! Which operations a rule can be about.

use sansim_array::{DataDirection, OPERATIONS, OpMatcher};

/// Whether there is an operation that both cover.
pub(super) fn overlap(one: OpMatcher, other: OpMatcher) -> bool {
    OPERATIONS.iter().any(|op| one.covers(Some(op)) && other.covers(Some(op)))
}

/// Whether an operation of this family, such as `READ`, is covered.
pub(super) fn covers_some(op: OpMatcher, family: &str) -> bool {
    family.parse::<OpMatcher>().is_ok_and(|family| overlap(op, family))
}

/// Whether some operation that is covered sends the initiator data.
pub(super) fn sends_data(op: OpMatcher) -> bool {
    let mut sends = OPERATIONS.iter().filter(|it| it.direction == DataDirection::In);
    op.covers(None) || sends.any(|it| op.covers(Some(it)))
}
