//! Compares sequences of several runs, and finds the first difference.

use serde::Serialize;

use super::track::Sequence;

/// How far the sequences of several runs agree with that of the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Number of runs that agree with the first one, including itself.
    pub agree: u32,
    /// Number of commands or events of the first run.
    pub length: u64,
    /// BLAKE3 of the first run's sequence, in hexadecimal.
    pub digest: String,
    /// The first difference of each run that does not agree.
    pub differences: Vec<Difference>,
}

/// The first difference between a run and the first run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Number of the run, from 1.
    pub run: u32,
    /// Number of the run that it is compared with.
    pub base: u32,
    /// Position of the first command or event that differs, from 1.
    pub at: u64,
    /// Scenario time of this run at that position, in seconds; null beyond the part that is kept.
    pub t: Option<f64>,
    /// This run's command or event at that position; null if it has ended, or beyond the part that is kept.
    pub tells: Option<String>,
    /// The first run's command or event at that position; null as above.
    pub instead_of: Option<String>,
}

impl Agreement {
    /// Starts with the first run.
    pub(super) fn of(first: &Sequence) -> Self {
        let digest = first.digest.to_hex().to_string();
        Agreement { agree: 1, length: first.count, digest, differences: Vec::new() }
    }

    /// Compares another run with the first.
    pub(super) fn add(&mut self, base: (u32, &Sequence), run: (u32, &Sequence)) {
        match difference(base, run) {
            None => self.agree += 1,
            Some(difference) => self.differences.push(difference),
        }
    }

    /// A summary in one line: `9 of 10 runs agree; run 7 differs from run 1 at command 812 (t = 3.2
    /// s): … instead of …`. `what` names the items of the sequence, for instance `command`.
    pub fn describe(&self, what: &str) -> String {
        let runs = self.agree as usize + self.differences.len();
        let text = format!("{} of {runs} runs agree", self.agree);
        match self.differences.as_slice() {
            [] => format!("{text} ({} {what}s)", self.length),
            [only] => format!("{text}; {}", only.describe(what)),
            [first, others @ ..] => {
                let others: Vec<String> = others.iter().map(|d| d.run.to_string()).collect();
                let others = others.join(", ");
                format!("{text}; {}; others that differ: {others}", first.describe(what))
            }
        }
    }
}

impl Difference {
    fn describe(&self, what: &str) -> String {
        let Difference { run, base, at, .. } = self;
        let t = self.t.map_or(String::new(), |t| format!(" (t = {t:.3} s)"));
        let differs = format!("run {run} differs from run {base} at {what} {at}{t}");
        match (&self.tells, &self.instead_of) {
            (Some(tells), Some(instead)) => format!("{differs}: {tells} instead of {instead}"),
            (Some(tells), None) => format!("{differs}: {tells} instead of the end"),
            (None, Some(instead)) => format!("{differs}: it ends instead of {instead}"),
            (None, None) => format!("{differs} or later"),
        }
    }
}

/// The first difference between two runs.
fn difference(
    (base, first): (u32, &Sequence),
    (run, other): (u32, &Sequence),
) -> Option<Difference> {
    if first.digest == other.digest {
        return None;
    }
    let pairs = first.kept.iter().zip(&other.kept);
    let same = pairs.take_while(|(a, b)| a.text == b.text).count();
    let (was, is) = (first.kept.get(same), other.kept.get(same));
    Some(Difference {
        run,
        base,
        at: same as u64 + 1,
        t: is.or(was).map(|item| item.t),
        tells: is.map(|item| item.text.to_string()),
        instead_of: was.map(|item| item.text.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::{super::track::Track, *};

    fn sequence(texts: &[&str]) -> Sequence {
        let mut track = Track::default();
        for (order, text) in (0u32..).zip(texts) {
            track.push(order.into(), f64::from(order) / 2.0, (*text).to_owned());
        }
        track.finish()
    }

    /// Compares the first of these runs with the others.
    fn agreement(runs: &[&[&str]]) -> Agreement {
        let first = sequence(runs[0]);
        let mut agreement = Agreement::of(&first);
        for (number, texts) in (2..).zip(&runs[1..]) {
            agreement.add((1, &first), (number, &sequence(texts)));
        }
        agreement
    }

    #[test]
    fn runs_that_agree_are_counted() {
        let all = agreement(&[&["a", "b"], &["a", "b"], &["a", "b"]]);
        assert_eq!(all.describe("command"), "3 of 3 runs agree (2 commands)");
    }

    #[test]
    fn the_first_difference_is_told() {
        let one = agreement(&[&["a", "b", "c"], &["a", "b", "c"], &["a", "x", "y"]]);
        let told = "2 of 3 runs agree; run 3 differs from run 1 at command 2 (t = 0.500 s): \
                    x instead of b";
        assert_eq!(one.describe("command"), told);
    }

    #[test]
    fn a_run_may_end_early_or_go_on() {
        let ends = agreement(&[&["a", "b"], &["a"], &["a", "b", "c"]]);
        assert_eq!((ends.agree, ends.differences.len()), (1, 2));
        assert!(ends.differences[0].describe("event").ends_with("it ends instead of b"));
        assert!(ends.differences[1].describe("event").ends_with("c instead of the end"));
        assert!(ends.describe("event").ends_with("; others that differ: 3"));
    }

    #[test]
    fn a_difference_behind_what_is_kept_is_still_one() {
        let long = |last: &str| {
            let mut track = Track::default();
            (0..Track::KEPT as u64).for_each(|order| track.push(order, 0.0, "x".to_owned()));
            track.push(0, 0.0, last.to_owned());
            track.finish()
        };
        let difference = difference((1, &long("y")), (2, &long("z"))).unwrap();
        assert_eq!(difference.at, Track::KEPT as u64 + 1);
        assert!(difference.describe("command").ends_with("at command 100001 or later"));
    }
}
