//! A schedule: a story as a value.
//!
//! It is a seed and a sparse list of overrides. Whatever has to be chosen has a name, and is drawn from a
//! stream of random numbers of its own, which depends on the seed and the name only. So an override changes
//! one choice and shifts no other: a schedule can be cut down choice by choice, and printed in a line.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use sansim_language::value::TimeSpan;
use serde::{Deserialize, Serialize};

/// A seed, and the choices that are made otherwise than it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Schedule {
    /// What everything is drawn from that is not overridden.
    pub seed: u64,
    /// The overrides: the name of a choice, and the word that is chosen.
    pub overrides: BTreeMap<String, String>,
}

impl Schedule {
    /// What this seed gives.
    pub fn of(seed: u64) -> Self {
        Schedule { seed, overrides: BTreeMap::new() }
    }

    /// The same but for one choice.
    pub fn with(&self, name: &str, word: &str) -> Self {
        let mut other = self.clone();
        other.overrides.insert(name.to_owned(), word.to_owned());
        other
    }

    /// The stream of random numbers of a choice.
    pub(crate) fn stream(&self, name: &str) -> Stream {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(name.as_bytes());
        Stream(hasher.finalize_xof())
    }
}

/// `42 h1=off h2.at=1s`; a word with blanks is quoted.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seed)?;
        for (name, word) in &self.overrides {
            match word.contains(' ') {
                true => write!(f, " {name}={word:?}")?,
                false => write!(f, " {name}={word}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |part: &str| format!("{part:?} is no part of a schedule such as 42 h1=off");
        let (seed, mut rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let mut schedule = Schedule::of(seed.parse().map_err(|_| wrong(seed))?);
        while !rest.is_empty() {
            let (name, value) = rest.split_once('=').ok_or_else(|| wrong(rest))?;
            let (word, after) = match value.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or_else(|| wrong(value))?,
                None => value.split_once(' ').unwrap_or((value, "")),
            };
            schedule.overrides.insert(name.trim().to_owned(), word.to_owned());
            rest = after.trim_start();
        }
        Ok(schedule)
    }
}

/// Random numbers.
pub(crate) struct Stream(blake3::OutputReader);

impl Stream {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A number below `end`; 0 if that is 0. The bias is 2^-32 at most.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// One of these; `None` if there is none.
    pub(crate) fn one<'t, T>(&mut self, of: &'t [T]) -> Option<&'t T> {
        of.get(self.below(of.len() as u64) as usize)
    }
}

/// A choice that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its name.
    pub name: String,
    /// What was chosen.
    pub word: String,
    /// What could have been chosen and is simpler, the simplest first.
    pub simpler: Vec<String>,
    /// What else could have been chosen, if those are words.
    pub others: Vec<String>,
    /// What sort of choice it is.
    pub sort: Sort,
}

/// Choices are simplified in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// Whether something happens at all.
    Presence,
    /// A setting of the scenario.
    Setting,
    /// A detail of what happens.
    Detail,
    /// A time.
    Time,
}

/// How many sets of settings seeds draw from. Each makes another guest, which has to be brought to the beginning of its
/// story once; mutations change them further.
const GUESTS: u64 = 16;

/// Makes the choices of a schedule.
pub(crate) struct Chooser<'s> {
    schedule: &'s Schedule,
    /// The choices so far.
    pub(crate) made: Vec<Choice>,
}

impl<'s> Chooser<'s> {
    pub(crate) fn new(schedule: &'s Schedule) -> Self {
        Chooser { schedule, made: Vec::new() }
    }

    /// One of these words, which are in order from the simplest. Each has a weight; one of weight 0 is
    /// chosen by an override only. An override that is none of them is ignored.
    pub(crate) fn pick<S: AsRef<str>>(
        &mut self,
        sort: Sort,
        name: &str,
        options: &[(u64, S)],
    ) -> String {
        let words = || options.iter().map(|(_, word)| word.as_ref());
        let given =
            self.schedule.overrides.get(name).filter(|given| words().any(|it| it == *given));
        let word = given.cloned().unwrap_or_else(|| self.drawn(sort, name, options));
        let simpler = words().take_while(|it| *it != word).map(str::to_owned).collect();
        let others = words().filter(|it| *it != word).map(str::to_owned).collect();
        self.made.push(Choice { name: name.to_owned(), word: word.clone(), simpler, others, sort });
        word
    }

    /// What the seed says, whatever is overridden.
    fn drawn<S: AsRef<str>>(&self, sort: Sort, name: &str, options: &[(u64, S)]) -> String {
        let sum: u64 = options.iter().map(|(weight, _)| weight).sum();
        let mut stream = match sort {
            Sort::Setting => Schedule::of(self.schedule.seed % GUESTS).stream(name),
            _ => self.schedule.stream(name),
        };
        let mut at = stream.below(sum);
        let drawn = options.iter().find(|(weight, _)| match at.checked_sub(*weight) {
            Some(rest) => {
                at = rest;
                false
            }
            None => true,
        });
        drawn.or(options.first()).map(|(_, word)| word.as_ref().to_owned()).unwrap_or_default()
    }

    /// The stream of a choice, from its beginning.
    pub(crate) fn stream(&self, name: &str) -> Stream {
        self.schedule.stream(name)
    }

    /// Whether an even chance with this name says yes. It is no choice: nothing overrides it.
    pub(crate) fn chance(&self, name: &str) -> bool {
        self.schedule.stream(name).below(2) == 1
    }

    /// A number from 1 to `most`, which nothing overrides.
    pub(crate) fn count(&self, name: &str, most: u32) -> u32 {
        1 + self.schedule.stream(name).below(most.into()) as u32
    }

    /// A time: an override, or what `draw` makes of the stream.
    pub(crate) fn time(
        &mut self,
        name: &str,
        simplest: &[Duration],
        draw: impl FnOnce(&mut Stream) -> Duration,
    ) -> Duration {
        let given = self.schedule.overrides.get(name).and_then(|it| it.parse::<TimeSpan>().ok());
        let time = given.map(|it| it.0).unwrap_or_else(|| draw(&mut self.schedule.stream(name)));
        let mut simpler: Vec<Duration> = simplest.to_vec();
        simpler.extend(rounded(time));
        let until = simpler.iter().position(|it| *it == time).unwrap_or(simpler.len());
        simpler.truncate(until);
        let simpler = simpler.into_iter().map(|it| TimeSpan(it).to_string()).collect();
        let word = TimeSpan(time).to_string();
        let (name, others) = (name.to_owned(), Vec::new());
        self.made.push(Choice { name, word, simpler, others, sort: Sort::Time });
        time
    }
}

/// What a person would write for a time, the roundest first.
fn rounded(time: Duration) -> Vec<Duration> {
    let millis = time.as_millis() as u64;
    let mut round = Vec::new();
    for step in [5000, 1000, 500, 100, 10] {
        for near in [millis / step * step, millis.div_ceil(step) * step] {
            let near = Duration::from_millis(near);
            if near != time && !near.is_zero() && !round.contains(&near) {
                round.push(near);
            }
        }
        if millis.is_multiple_of(step) {
            break;
        }
    }
    round
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRUIT: [(u64, &str); 4] = [(0, "none"), (1, "apple"), (1, "pear"), (1, "quince")];

    fn pick(schedule: &Schedule, name: &str) -> String {
        Chooser::new(schedule).pick(Sort::Detail, name, &FRUIT)
    }

    #[test]
    fn an_override_shifts_nothing_else() {
        let schedule = Schedule::of(7);
        let other = schedule.with("a", "none");
        assert_eq!(pick(&other, "a"), "none");
        for name in ["b", "c", "d", "e"] {
            assert_eq!(pick(&schedule, name), pick(&other, name));
        }
    }

    #[test]
    fn what_is_of_no_weight_is_never_drawn_and_what_is_unknown_is_ignored() {
        let drawn: Vec<_> = (0..200).map(|seed| pick(&Schedule::of(seed), "a")).collect();
        assert!(!drawn.iter().any(|it| it == "none"));
        for (_, word) in &FRUIT[1..] {
            assert!(drawn.iter().filter(|it| it == word).count() > 30, "{word}");
        }
        let schedule = Schedule::of(3);
        assert_eq!(pick(&schedule.with("a", "stone"), "a"), pick(&schedule, "a"));
    }

    #[test]
    fn a_schedule_is_a_line() {
        let schedule = Schedule::of(42).with("h1", "off").with("h2.op", "MODE SELECT");
        assert_eq!(schedule.to_string(), "42 h1=off h2.op=\"MODE SELECT\"");
        assert_eq!(schedule.to_string().parse(), Ok(schedule));
        assert_eq!("9".parse(), Ok(Schedule::of(9)));
        for wrong in ["", "x", "1 h1", "1 h1=\"off"] {
            assert!(wrong.parse::<Schedule>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn times_get_rounder() {
        let millis =
            |times: Vec<Duration>| -> Vec<u128> { times.iter().map(Duration::as_millis).collect() };
        assert_eq!(
            millis(rounded(Duration::from_millis(3217))),
            [5000, 3000, 4000, 3500, 3200, 3300, 3210, 3220]
        );
        assert_eq!(millis(rounded(Duration::from_secs(5))), [0; 0]);
        assert_eq!(millis(rounded(Duration::from_secs(2))), [5000]);
    }
}
