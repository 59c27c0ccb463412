//! Unit attentions (SAM-5 5.14).

use crate::sense::Sense;

/// The unit attentions that are pending for one nexus on one LUN, oldest first. Each is reported
/// once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attentions {
    waiting: [Sense; Attentions::MAX],
    len: usize,
}

impl Attentions {
    /// The maximum number of pending unit attentions. Later ones are dropped.
    const MAX: usize = 8;

    /// The queue of a nexus for which nothing is pending.
    pub(crate) fn none() -> Self {
        Attentions { waiting: [Sense::NO_SENSE; Self::MAX], len: 0 }
    }

    /// The queue of a nexus that has not sent a command to the LUN yet. It contains 06/29/00.
    pub(crate) fn at_power_on() -> Self {
        let mut attentions = Attentions::none();
        attentions.push(Sense::POWER_ON);
        attentions
    }

    /// Queues a unit attention, unless an equal one is pending. A reset (ASC 29h) replaces all
    /// pending ones, except for a more comprehensive reset, which has a lower ASCQ (SAM-5 5.14,
    /// table of precedence).
    pub(crate) fn push(&mut self, sense: Sense) {
        let is_reset = |sense: &Sense| sense.asc == Sense::POWER_ON.asc;
        let covers = |waiting: &Sense| {
            waiting.same_code(&sense)
                || is_reset(&sense) && is_reset(waiting) && waiting.ascq < sense.ascq
        };
        if self.waiting().iter().any(covers) {
            return;
        }
        if is_reset(&sense) {
            self.len = 0;
        }
        if self.len < Self::MAX {
            self.waiting[self.len] = sense;
            self.len += 1;
        }
    }

    /// Removes and returns the oldest one.
    pub(crate) fn pop(&mut self) -> Option<Sense> {
        let first = *self.waiting().first()?;
        self.waiting.rotate_left(1);
        self.len -= 1;
        Some(first)
    }

    /// Removes one that the nexus has learned about in another way.
    pub(crate) fn clear(&mut self, sense: &Sense) {
        if let Some(at) = self.waiting().iter().position(|waiting| waiting.same_code(sense)) {
            self.waiting[at..].rotate_left(1);
            self.len -= 1;
        }
    }

    fn waiting(&self) -> &[Sense] {
        &self.waiting[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once_and_in_order() {
        let mut attentions = Attentions::at_power_on();
        attentions.push(Sense::LUNS_CHANGED);
        attentions.push(Sense::CAPACITY_CHANGED);
        attentions.push(Sense::LUNS_CHANGED);
        assert_eq!(attentions.pop(), Some(Sense::POWER_ON));
        assert_eq!(attentions.pop(), Some(Sense::LUNS_CHANGED));
        assert_eq!(attentions.pop(), Some(Sense::CAPACITY_CHANGED));
        assert_eq!(attentions.pop(), None);
    }

    #[test]
    fn a_reset_supersedes_what_waited() {
        let mut attentions = Attentions::at_power_on();
        attentions.pop();
        attentions.push(Sense::LUNS_CHANGED);
        attentions.push(Sense::DEVICE_RESET);
        attentions.push(Sense::CAPACITY_CHANGED);
        assert_eq!(attentions.pop(), Some(Sense::DEVICE_RESET));
        assert_eq!(attentions.pop(), Some(Sense::CAPACITY_CHANGED));
        assert_eq!(attentions.pop(), None);
    }

    #[test]
    fn a_reset_that_reached_further_covers_a_lesser_one() {
        let mut attentions = Attentions::at_power_on();
        attentions.push(Sense::LUNS_CHANGED);
        attentions.push(Sense::DEVICE_RESET);
        assert_eq!(attentions.pop(), Some(Sense::POWER_ON));
        attentions.push(Sense::NEXUS_LOSS);
        attentions.push(Sense::DEVICE_RESET);
        assert_eq!(attentions.pop(), Some(Sense::DEVICE_RESET));
        assert_eq!(attentions.pop(), None);
    }

    #[test]
    fn one_can_be_cleared_from_the_middle() {
        let mut attentions = Attentions::at_power_on();
        attentions.push(Sense::LUNS_CHANGED);
        attentions.push(Sense::CAPACITY_CHANGED);
        attentions.clear(&Sense::LUNS_CHANGED);
        assert_eq!(attentions.pop(), Some(Sense::POWER_ON));
        assert_eq!(attentions.pop(), Some(Sense::CAPACITY_CHANGED));
        assert_eq!(attentions.pop(), None);
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut attentions = Attentions::at_power_on();
        (0..100).for_each(|ascq| attentions.push(Sense::new(6, 0x3f, ascq)));
        assert_eq!(std::iter::from_fn(|| attentions.pop()).count(), Attentions::MAX);
    }
}
