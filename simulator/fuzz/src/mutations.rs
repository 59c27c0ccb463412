//! Inputs that proptest makes: those of the corpus with changes, and any bytes.

use proptest::{
    collection::vec,
    prelude::*,
    sample::Index,
    test_runner::{TestError, TestRunner},
};

use crate::{Harness, corpus, corpus::Input};

/// Inputs for each run of a target. `PROPTEST_CASES` sets another number.
const CASES: u32 = 1000;
/// The longest input of any bytes.
const LONGEST: usize = 1024;

/// A change of an input.
#[derive(Debug, Clone)]
enum Change {
    Overwrite(Index, Vec<u8>),
    Insert(Index, Vec<u8>),
    /// Removes at most so many bytes.
    Remove(Index, usize),
    /// Repeats the bytes from here to the end.
    Repeat(Index),
    /// Ends here.
    Cut(Index),
    /// Continues with another input of the corpus from there.
    Cross(Index, Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    // Numbers at the edges of their range are more frequent than others.
    let byte = || prop_oneof![1 => Just(0), 1 => Just(u8::MAX), 4 => any::<u8>()];
    prop_oneof![
        4 => (at(), vec(byte(), 1..5)).prop_map(|(at, bytes)| Change::Overwrite(at, bytes)),
        2 => (at(), vec(byte(), 1..40)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (at(), 1..40_usize).prop_map(|(at, len)| Change::Remove(at, len)),
        1 => at().prop_map(Change::Repeat),
        1 => at().prop_map(Change::Cut),
        1 => (at(), at(), at()).prop_map(|(at, other, there)| Change::Cross(at, other, there)),
    ]
}

impl Change {
    fn make(self, bytes: &mut Vec<u8>, corpus: &[Input]) {
        let at = |index: Index, len: usize| index.index(len + 1);
        match self {
            Change::Overwrite(index, new) => {
                let at = at(index, bytes.len());
                let end = bytes.len().min(at + new.len());
                bytes[at..end].copy_from_slice(&new[..end - at]);
            }
            Change::Insert(index, new) => {
                let at = at(index, bytes.len());
                bytes.splice(at..at, new);
            }
            Change::Remove(index, len) => {
                let at = at(index, bytes.len());
                bytes.drain(at..bytes.len().min(at + len));
            }
            Change::Repeat(index) => bytes.extend_from_within(at(index, bytes.len())..),
            Change::Cut(index) => bytes.truncate(at(index, bytes.len())),
            Change::Cross(index, other, there) => {
                let other = &other.get(corpus).bytes;
                bytes.truncate(at(index, bytes.len()));
                bytes.extend_from_slice(&other[at(there, other.len())..]);
            }
        }
    }
}

fn inputs(corpus: Vec<Input>) -> impl Strategy<Value = Vec<u8>> {
    let changed = (any::<Index>(), vec(change(), 1..6)).prop_map(move |(index, changes)| {
        let mut bytes = index.get(&corpus).bytes.clone();
        for change in changes {
            change.make(&mut bytes, &corpus);
        }
        bytes
    });
    prop_oneof![8 => changed, 1 => vec(any::<u8>(), 0..LONGEST)]
}

/// Runs the harness on inputs that are made of the corpus.
pub(crate) fn run(target: &str, harness: Harness, corpus: Vec<Input>) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = ProptestConfig {
        cases: cases.unwrap_or(CASES),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let run = TestRunner::new(config).run(&inputs(corpus), |bytes| {
        harness(&bytes);
        Ok(())
    });
    match run {
        Ok(()) => {}
        Err(TestError::Fail(why, bytes)) => {
            let bytes = smallest(harness, bytes);
            panic!("{why}\n{} bytes; to repeat it: {}", bytes.len(), corpus::keep(target, &bytes));
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

/// Takes parts away as long as the harness cannot bear what is left: halves, then quarters, down to single
/// bytes. proptest makes the changes fewer, but knows nothing of the bytes.
fn smallest(harness: Harness, mut bytes: Vec<u8>) -> Vec<u8> {
    let fails = |bytes: &[u8]| std::panic::catch_unwind(|| harness(bytes)).is_err();
    let mut part = bytes.len();
    while part > 0 {
        let mut at = 0;
        while at < bytes.len() {
            let mut less = bytes.clone();
            less.drain(at..(at + part).min(bytes.len()));
            match fails(&less) {
                true => bytes = less,
                false => at += part,
            }
        }
        part /= 2;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus() -> Vec<Input> {
        ["abcdef", "", "0123456789"]
            .map(|text| Input { path: text.into(), bytes: text.into() })
            .into()
    }

    proptest! {
        #[test]
        fn changes_are_possible_on_every_input(changes in vec(change(), 0..30)) {
            let mut bytes = Vec::new();
            for change in changes {
                change.make(&mut bytes, &corpus());
                bytes.truncate(1 << 12);
            }
        }
    }

    #[test]
    fn what_a_harness_cannot_bear_is_found_and_kept_as_small_as_it_can_be() {
        let found = std::panic::catch_unwind(|| {
            run("test of the driver", |bytes| assert!(!bytes.contains(&b'9')), corpus());
        });
        let why = *found.unwrap_err().downcast::<String>().expect("a message");
        assert!(why.contains("1 bytes; to repeat it: ci/fuzz"), "{why}");
    }
}
