//! Makes a schedule short: it proposes schedules that are simpler by one choice, and is told which of them
//! still break the law. It knows nothing of guests.
//!
//! Presences come first, then settings, details and times. When no choice can be simplified any more, each was
//! tried with all others as they are: so nothing of the result can be left out, or be simpler by itself.

use std::collections::BTreeSet;

use crate::schedule::{Choice, Schedule, Sort};

/// The most proposals for one schedule.
const MOST: usize = 400;

/// Tells which choices a schedule makes.
type ChoicesOf<'c> = dyn Fn(&Schedule) -> Vec<Choice> + 'c;

/// A schedule that becomes shorter.
pub struct Minimiser<'c> {
    best: Schedule,
    choices_of: Box<ChoicesOf<'c>>,
    /// Words for the choice `end`, which are simpler than to heal everything.
    ends: Vec<String>,
    /// The overrides that were refused in this round.
    refused: BTreeSet<(String, String)>,
    /// Whether something was accepted in this round, so that there is another one.
    again: bool,
    /// What was proposed and not answered.
    proposed: Vec<(String, String)>,
    proposals: usize,
}

impl<'c> Minimiser<'c> {
    /// Begins with a schedule that breaks a law. `choices_of` tells which choices a schedule makes; `ends` are
    /// times at which the story may end without healing.
    pub fn new(
        schedule: Schedule,
        ends: Vec<String>,
        choices_of: impl Fn(&Schedule) -> Vec<Choice> + 'c,
    ) -> Self {
        Minimiser {
            best: schedule,
            choices_of: Box::new(choices_of),
            ends,
            refused: BTreeSet::new(),
            again: false,
            proposed: Vec::new(),
            proposals: 0,
        }
    }

    /// The shortest schedule so far.
    pub fn best(&self) -> &Schedule {
        &self.best
    }

    /// Takes a schedule that differs from the best one by its end only, and was tried.
    pub(crate) fn end_earlier(&mut self, schedule: Schedule) {
        self.best = schedule;
    }

    /// How many schedules were proposed.
    pub fn proposals(&self) -> usize {
        self.proposals
    }

    /// Whether everything was tried, and not only as much as there was time for.
    pub fn is_exhausted(&self) -> bool {
        !self.again && self.open().is_empty()
    }

    /// Whether nothing that happens can be left out any more, as far as was tried in this round.
    pub fn is_bare(&self) -> bool {
        let choices = (self.choices_of)(&self.best);
        let mut presences = choices.into_iter().filter(|choice| choice.sort == Sort::Presence);
        presences.all(|Choice { name, simpler, .. }| {
            simpler.into_iter().all(|word| self.refused.contains(&(name.clone(), word)))
        })
    }

    /// The next proposals, at most `most`, the best first; none at the end.
    pub fn propose(&mut self, most: usize) -> Vec<Schedule> {
        if self.proposals >= MOST {
            return Vec::new();
        }
        self.proposed = self.open();
        if self.proposed.is_empty() && std::mem::take(&mut self.again) {
            // What was refused was so with what has been left out since.
            self.refused.clear();
            self.proposed = self.open();
        }
        self.proposed.truncate(most);
        self.proposals += self.proposed.len();
        self.proposed.iter().map(|(name, word)| self.best.with(name, word)).collect()
    }

    /// Tells which of the last proposals is the first that still breaks the law. What comes after it is not
    /// answered.
    pub fn accept(&mut self, first: Option<usize>) {
        let proposed = std::mem::take(&mut self.proposed);
        for (index, (name, word)) in proposed.into_iter().enumerate() {
            match first {
                Some(first) if index > first => break,
                Some(first) if index == first => {
                    self.best = self.best.with(&name, &word);
                    self.again = true;
                }
                _ => {
                    self.refused.insert((name, word));
                }
            }
        }
    }

    /// Every simplification of the best schedule that was not refused in this round, in order.
    fn open(&self) -> Vec<(String, String)> {
        let ends = match self.best.overrides.get("end") {
            None => &self.ends[..],
            Some(end) => {
                let until = self.ends.iter().position(|it| it == end).unwrap_or_default();
                &self.ends[..until]
            }
        };
        let ends = ends.iter().map(|end| ("end".to_owned(), end.clone()));
        let mut choices = (self.choices_of)(&self.best);
        choices.sort_by_key(|choice| choice.sort);
        let simpler = choices.into_iter().flat_map(|choice| {
            let name = choice.name;
            choice.simpler.into_iter().map(move |word| (name.clone(), word))
        });
        let all = ends.chain(simpler);
        all.filter(|proposal| !self.refused.contains(proposal)).collect()
    }

    /// The schedule with only those overrides that make a difference: without what the seed says anyway.
    pub fn tidy(&self, same: impl Fn(&Schedule) -> bool) -> Schedule {
        let mut tidy = self.best.clone();
        for name in self.best.overrides.keys() {
            let mut without = tidy.clone();
            without.overrides.remove(name);
            if same(&without) {
                tidy = without;
            }
        }
        tidy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Chooser;

    const ON_OFF: [(u64, &str); 2] = [(0, "off"), (1, "on")];
    const SIZES: [(u64, &str); 4] = [(1, "1"), (1, "2"), (1, "3"), (1, "20")];

    /// Forty things, each there or not, of a size and at a time.
    fn choices(schedule: &Schedule) -> Vec<Choice> {
        let mut chooser = Chooser::new(schedule);
        for number in 0..40 {
            let name = format!("h{number}");
            if chooser.pick(Sort::Presence, &name, &ON_OFF) == "on" {
                chooser.pick(Sort::Detail, &format!("{name}.size"), &SIZES);
                chooser.time(&format!("{name}.at"), &[], |stream| {
                    std::time::Duration::from_millis(stream.below(30_000))
                });
            }
        }
        chooser.made
    }

    fn word(schedule: &Schedule, name: &str) -> Option<String> {
        choices(schedule).into_iter().find(|choice| choice.name == name).map(|choice| choice.word)
    }

    /// The law is broken if 3 and 17 are there, and 17 has a size of 2 at least.
    fn is_broken(schedule: &Schedule) -> bool {
        word(schedule, "h3.size").is_some()
            && word(schedule, "h17.size").is_some_and(|size| size != "1")
    }

    fn minimised(seed: u64, at_a_time: usize) -> (Schedule, usize) {
        let schedule = Schedule::of(seed).with("h17.size", "20");
        assert!(is_broken(&schedule));
        let mut minimiser = Minimiser::new(schedule, Vec::new(), choices);
        loop {
            let proposals = minimiser.propose(at_a_time);
            if proposals.is_empty() {
                break;
            }
            minimiser.accept(proposals.iter().position(is_broken));
        }
        assert!(minimiser.is_exhausted());
        (minimiser.best().clone(), minimiser.proposals())
    }

    #[test]
    fn of_forty_things_the_two_that_matter_are_left() {
        for (seed, at_a_time) in [(1, 1), (2, 1), (3, 4), (4, 7)] {
            let (schedule, proposals) = minimised(seed, at_a_time);
            let left: Vec<_> = choices(&schedule)
                .into_iter()
                .filter(|choice| choice.sort == Sort::Presence && choice.word == "on")
                .map(|choice| choice.name)
                .collect();
            assert_eq!(left, ["h3", "h17"]);
            assert_eq!(word(&schedule, "h3.size").as_deref(), Some("1"));
            assert_eq!(word(&schedule, "h17.size").as_deref(), Some("2"));
            // What is proposed at a time beside what is accepted is for nothing.
            assert!(proposals < 60 + 40 * at_a_time, "{proposals}");
        }
    }

    #[test]
    fn nothing_of_the_result_can_be_left_out() {
        let (schedule, _) = minimised(5, 3);
        for choice in choices(&schedule) {
            for simpler in &choice.simpler {
                assert!(!is_broken(&schedule.with(&choice.name, simpler)), "{choice:?}");
            }
        }
    }

    #[test]
    fn what_the_seed_says_anyway_is_not_written_down() {
        let schedule = Schedule::of(9).with("h1", "on").with("h2", "off");
        let minimiser = Minimiser::new(schedule, Vec::new(), choices);
        let tidy = minimiser
            .tidy(|it| word(it, "h1") == Some("on".into()) && word(it, "h2") == Some("off".into()));
        assert_eq!(tidy, Schedule::of(9).with("h2", "off"));
    }
}
