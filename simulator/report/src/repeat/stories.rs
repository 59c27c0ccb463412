//! Compares runs in real time by their commands and events, as each run ends.

use super::{Agreement, Compared, Loose, Repeat, Trace};

/// If this many runs end before run 1, run 1 has failed: no more can be in progress at the same time.
const PATIENCE: usize = 64;

/// Compares runs with the first one. For the others, only the differences are kept.
#[derive(Debug, Default)]
pub struct Stories {
    base: Option<Base>,
    /// Runs that ended before the first one, with their numbers.
    early: Vec<(u32, Trace)>,
}

#[derive(Debug)]
struct Base {
    number: u32,
    trace: Trace,
    /// Number of runs compared, including this one.
    runs: u32,
    loose: Loose,
}

impl Base {
    fn new(number: u32, trace: Trace) -> Self {
        let loose = Loose {
            control: Agreement::of(&trace.control),
            commands: Agreement::of(&trace.commands),
            events: Agreement::of(&trace.events),
        };
        Base { number, trace, runs: 1, loose }
    }

    fn add(&mut self, number: u32, other: &Trace) {
        let Base { number: base, trace, runs, loose } = self;
        *runs += 1;
        loose.control.add((*base, &trace.control), (number, &other.control));
        loose.commands.add((*base, &trace.commands), (number, &other.commands));
        loose.events.add((*base, &trace.events), (number, &other.events));
    }
}

impl Stories {
    /// Adds a run that has ended; `number` is 1 for the first run.
    pub fn add(&mut self, number: u32, trace: Trace) {
        match &mut self.base {
            Some(base) => base.add(number, &trace),
            None => {
                self.early.push((number, trace));
                if number == 1 || self.early.len() == PATIENCE {
                    self.choose_base();
                }
            }
        }
    }

    /// Makes the lowest-numbered early run the base, and compares the others with it.
    fn choose_base(&mut self) {
        self.early.sort_by_key(|(number, _)| *number);
        let mut early = self.early.drain(..);
        self.base = early.next().map(|(number, trace)| Base::new(number, trace));
        if let Some(base) = &mut self.base {
            early.for_each(|(number, trace)| base.add(number, &trace));
        }
    }

    /// The result; `None` for fewer than two runs. If run 1 left no trace, the next run takes its place.
    pub fn finish(mut self) -> Option<Repeat> {
        if self.base.is_none() {
            self.choose_base();
        }
        let Base { runs, mut loose, .. } = self.base?;
        for agreement in [&mut loose.control, &mut loose.commands, &mut loose.events] {
            agreement.differences.sort_by_key(|difference| difference.run);
        }
        (runs > 1).then_some(Repeat { runs, compared: Compared::Stories(loose) })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{trace::Tracer, words},
        *,
    };
    use sansim_stage::event::{Event, What};

    fn told(steps: &[&str]) -> Trace {
        let mut tracer = Tracer::default();
        for (t, name) in (0u32..).zip(steps) {
            let (name, action) = ((*name).to_owned(), String::new());
            tracer.event(&Event {
                t: t.into(),
                what: What::Step { name, action, took_s: None, error: None },
            });
        }
        tracer.finish()
    }

    fn finish(stories: Stories) -> Option<(u32, Loose)> {
        let Repeat { runs, compared } = stories.finish()?;
        match compared {
            Compared::Stories(loose) => Some((runs, loose)),
            Compared::Bytes(exact) => panic!("{exact}"),
        }
    }

    #[test]
    fn runs_are_compared_with_the_first_whichever_ends_first() {
        let mut comparison = Stories::default();
        comparison.add(3, told(&["fail", "restore"]));
        comparison.add(2, told(&["fail", "end"]));
        comparison.add(1, told(&["fail", "restore"]));
        comparison.add(4, told(&[]));
        let (runs, loose) = finish(comparison).unwrap();
        assert_eq!((runs, loose.control.agree, loose.events.agree), (4, 4, 2));
        let differ: Vec<u32> = loose.events.differences.iter().map(|d| d.run).collect();
        assert_eq!(differ, [2, 4]);
        assert_eq!(loose.events.differences[0].tells.as_deref(), Some("step end"));
        assert!(!loose.is_whole());
    }

    #[test]
    fn without_the_first_the_next_does_and_one_is_not_compared() {
        let mut comparison = Stories::default();
        comparison.add(5, told(&["b"]));
        comparison.add(3, told(&["a"]));
        let (_, loose) = finish(comparison).unwrap();
        let difference = &loose.events.differences[0];
        assert_eq!((difference.base, difference.run), (3, 5));
        let mut alone = Stories::default();
        alone.add(1, told(&["a"]));
        assert_eq!(finish(alone), None);
    }

    #[test]
    fn a_first_run_that_never_ends_is_not_waited_for_without_end() {
        let mut comparison = Stories::default();
        for number in (2..200).rev() {
            comparison.add(number, told(&["a"]));
            assert!(comparison.early.len() < PATIENCE);
        }
        assert_eq!(finish(comparison).map(|(_, loose)| loose.events.agree), Some(198));
    }

    #[test]
    fn what_was_before_the_story_is_left_out() {
        let mut tracer = Tracer::default();
        let log = What::Log { level: Some(6), text: "sd 0:0:0:0".to_owned() };
        assert!(words::of_event(&log).is_some());
        tracer.event(&Event { t: -0.5, what: log });
        assert_eq!(tracer.finish().events.count, 0);
    }
}
