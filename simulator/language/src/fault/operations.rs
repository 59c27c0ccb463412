//! Predicates on the operations that a rule matches.

use sansim_array::{DataDirection, OPERATIONS, OpMatcher};

/// Whether both match a common operation.
pub(super) fn overlap(one: OpMatcher, other: OpMatcher) -> bool {
    OPERATIONS.iter().any(|op| one.covers(Some(op)) && other.covers(Some(op)))
}

/// Whether `op` matches an operation of this family, such as `READ`.
pub(super) fn covers_some(op: OpMatcher, family: &str) -> bool {
    family.parse::<OpMatcher>().is_ok_and(|family| overlap(op, family))
}

/// Whether `op` matches an operation that transfers data to the initiator.
pub(super) fn sends_data(op: OpMatcher) -> bool {
    let mut sends = OPERATIONS.iter().filter(|it| it.direction == DataDirection::In);
    op.covers(None) || sends.any(|it| op.covers(Some(it)))
}
