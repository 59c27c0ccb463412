//! Initiator task tags.

/// The number that ties a response to its request (RFC 7143 clause 11.2.1.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskTag(pub(crate) u32);

impl TaskTag {
    /// The tag that no task may have. As a referenced task tag: the function does not refer to a
    /// command, or to none in the capture (RFC 7143 clause 11.5.4).
    pub(crate) const NONE: TaskTag = TaskTag(0xffff_ffff);

    /// The tag of a command, by its number in the order of arrival. Numbers repeat after 2^31
    /// commands; the other half is for functions.
    pub(crate) fn of_command(seq: u64) -> Self {
        TaskTag((seq & 0x7fff_ffff) as u32)
    }

    /// The tag of a task management function, by its number in the order of reports.
    pub(crate) fn of_function(number: u64) -> Self {
        TaskTag(0x8000_0000 | (number & 0x3fff_ffff) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_task_has_the_reserved_tag_and_no_function_that_of_a_command() {
        for number in [0, 0x7fff_ffff, 0xffff_ffff, u64::MAX] {
            assert_ne!(TaskTag::of_command(number), TaskTag::NONE);
            assert_ne!(TaskTag::of_function(number), TaskTag::NONE);
            assert_ne!(TaskTag::of_command(number), TaskTag::of_function(number));
        }
    }
}
