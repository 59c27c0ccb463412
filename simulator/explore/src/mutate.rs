//! Changes a schedule a little.

use std::time::Duration;

use sansim_language::value::TimeSpan;

use crate::schedule::{Choice, Schedule, Sort};

/// The most choices that are changed.
const CHANGES: u64 = 3;
/// How far from a moment of interest something is put, in milliseconds before and after it.
const NEAR: [i64; 9] = [-100, -10, -1, 0, 1, 10, 50, 100, 500];

/// `schedule` with some choices made otherwise. `choices` are those that it makes; `times` are moments at which
/// something of interest happened in its story, in milliseconds. `seed` decides.
pub(crate) fn mutated(
    schedule: &Schedule,
    choices: &[Choice],
    times: &[u64],
    seed: u64,
) -> Schedule {
    let mut stream = Schedule::of(seed).stream("mutation");
    // Settings make other guests, which have to be prepared: they are changed less often.
    let open: Vec<&Choice> = choices
        .iter()
        .filter(|choice| choice.sort == Sort::Time || !choice.others.is_empty())
        .filter(|choice| choice.sort != Sort::Setting || stream.below(8) == 0)
        .collect();
    let mut other = schedule.clone();
    for _ in 0..=stream.below(CHANGES) {
        let Some(choice) = stream.one(&open) else { break };
        let word = match choice.sort {
            Sort::Time => {
                let own =
                    choice.word.parse::<TimeSpan>().map_or(0, |TimeSpan(t)| t.as_millis() as u64);
                let anchor = stream.one(times).copied().unwrap_or(own) as i64;
                let near = anchor + stream.one(&NEAR).copied().unwrap_or_default();
                Some(TimeSpan(Duration::from_millis(near.max(1) as u64)).to_string())
            }
            _ => stream.one(&choice.others).cloned(),
        };
        if let Some(word) = word {
            other.overrides.insert(choice.name.clone(), word);
        }
    }
    other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_different_and_times_are_near_those_of_interest() {
        let choice = |name: &str, word: &str, others: &[&str], sort| Choice {
            name: name.into(),
            word: word.into(),
            simpler: Vec::new(),
            others: others.iter().map(|it| (*it).to_owned()).collect(),
            sort,
        };
        let choices = [
            choice("h1.op", "READ", &["WRITE"], Sort::Detail),
            choice("h1.at", "3s", &[], Sort::Time),
            choice("h1.port", "A0", &[], Sort::Detail),
        ];
        let schedule = Schedule::of(1);
        let mut at = Vec::new();
        for seed in 0..50 {
            let other = mutated(&schedule, &choices, &[7000], seed);
            assert!(!other.overrides.is_empty() && !other.overrides.contains_key("h1.port"));
            at.extend(other.overrides.get("h1.at").cloned());
        }
        assert!(at.contains(&"7s".to_owned()) && at.contains(&"6999ms".to_owned()), "{at:?}");
    }
}
